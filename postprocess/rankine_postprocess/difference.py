"""What two result files differ in: values of their decks, versions, inputs, and results with the largest differences."""

from dataclasses import dataclass

import numpy as np

from .result import RESULTS, Result
from .run_table import OF_THE_RUN
from .show import held_inputs, input_files
from .text_table import aligned, cell
from .wording import count, shortened

_LONGEST, _MOST_ROWS = 48, 30
_NO_RESULTS = {"title", "is_restored"}
_ATTRIBUTES = ("filetype", "format_version", "program_version", "git_commit", "status")


@dataclass(frozen=True)
class Changed:
    """A named value that the two files do not share; None where one has none."""

    name: str
    first: object
    second: object


@dataclass(frozen=True)
class Deviation:
    """A dataset whose values differ: the largest difference, and that relative to the larger of the two values' norms."""

    name: str
    differing: int  # elements
    size: int
    largest: float  # NaN for texts and where only one is not a number
    relative: float  # likewise
    where: tuple[int, ...]
    first: object
    second: object


@dataclass(frozen=True)
class Difference:
    """All of it."""

    deck: list[Changed]
    versions: list[Changed]
    inputs: list[Changed]
    attributes: list[Changed]  # of results
    only_in_one: list[str]  # results, with what is wrong about them
    results: list[Deviation]  # by the relative difference, largest first

    def __bool__(self) -> bool:
        return any((self.deck, self.versions, self.inputs, self.attributes, self.only_in_one, self.results))


def compare(first: Result, second: Result, *, tolerance: float = 0.0) -> Difference:
    """Two files of any kind; results that differ by `tolerance`, relative to the largest value, count as the same.

    Left out are sections of decks that do not say what is computed (run, output, parallel), times, logs and restart data.
    """
    decks = [{name: value for name, value in one.deck.items() if not name.startswith(OF_THE_RUN)} for one in (first, second)]
    names = [{name: one for name, one in result.datasets.items() if name.startswith(f"{RESULTS}/")} for result in (first, second)]
    shared = [name for name in names[0] if name in names[1] and not _is_time(names[0][name].units)]
    alone = [f"{name}: in {result.path} only" for result, mine, theirs in ((first, *names), (second, *names[::-1]))
             for name in mine if name not in theirs]  # fmt: skip
    shaped = [name for name in shared if names[0][name].values.shape == names[1][name].values.shape]
    alone += [f"{name}: {' and '.join(_shape(one[name].values) for one in names)}" for name in shared if name not in shaped]
    found = [_deviation(name, names[0][name].values, names[1][name].values, tolerance) for name in shaped]
    return Difference(
        deck=_changed(*decks),
        versions=_changed(*(_versions(one) for one in (first, second))),
        inputs=_changed(*({**input_files(one), **held_inputs(one)} for one in (first, second))),
        attributes=_changed(*(_attributes(one) for one in (first, second))),
        only_in_one=alone,
        results=sorted(filter(None, found), key=lambda one: -np.nan_to_num(one.relative, nan=np.inf)),
    )


def report(first: Result, second: Result, difference: Difference) -> str:
    """The differences as text, under a line for each file."""
    lines = [f"{mark} {one.path}: {one.kind} {one.attributes.get('program_version', '?')}, {one.attributes.get('created_utc', '?')}, "
             f"{count(one.attributes.get('n_ranks', 1), 'rank')}" for mark, one in (("<", first), (">", second))]  # fmt: skip
    parts = ["\n".join(lines)]
    for title, changes in (("deck", difference.deck), ("versions", difference.versions), ("inputs", difference.inputs),
                           ("attributes", difference.attributes)):  # fmt: skip
        rows = [[one.name, *(shortened(cell(value), _LONGEST) for value in (one.first, one.second))] for one in changes]
        parts.append(_cut([title, "<", ">"], rows, left=3))
    parts.append(_cut(["results that one of them lacks, or has in another shape"], [[text] for text in difference.only_in_one], left=1))
    rows = [[one.name.removeprefix(f"{RESULTS}/"), f"{one.differing} of {one.size}", cell(one.largest), cell(one.relative),
             str(list(one.where)) if one.where else "", *(shortened(cell(value), 24) for value in (one.first, one.second))]
            for one in difference.results]  # fmt: skip
    parts.append(_cut(["results", "differ", "largest", "relative", "at", "<", ">"], rows, left=1))
    return "\n\n".join(filter(None, parts if difference else [*parts, "no difference"]))


def _cut(titles: list[str], rows: list[list[str]], left: int) -> str:
    """The first rows as a table; nothing where there are none."""
    more = f"\nand {len(rows) - _MOST_ROWS} more" if len(rows) > _MOST_ROWS else ""
    return aligned(titles, rows[:_MOST_ROWS], left=left) + more if rows else ""


def _attributes(result: Result) -> dict[str, object]:
    """Those of /results and the groups in it, by their paths."""
    groups = {path: values for path, values in result.groups.items() if path == RESULTS or path.startswith(f"{RESULTS}/")}
    return {f"{path}: {name}": value for path, values in groups.items() for name, value in values.items() if name not in _NO_RESULTS}


def _shape(values: np.ndarray) -> str:
    return " x ".join(map(str, values.shape)) or "one value"


def _changed(first: dict, second: dict) -> list[Changed]:
    names = dict.fromkeys([*first, *second])
    return [Changed(name, first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)]


def _versions(result: Result) -> dict[str, object]:
    attributes = {name: result.attributes[name] for name in _ATTRIBUTES if name in result.attributes}
    return attributes | result.groups.get("provenance/versions", {})


def _is_time(units: str) -> bool:
    return units in ("s", "1/s")


def _deviation(name: str, first: np.ndarray, second: np.ndarray, tolerance: float) -> Deviation | None:
    if first.dtype == object or second.dtype == object:
        differs, distance = np.asarray(first != second), np.full(first.shape, np.nan)
        largest = relative = np.nan
    else:
        differs, distance, largest, relative = _distances(first, second, tolerance)
    if not differs.any():
        return None
    order = np.where(differs, np.nan_to_num(distance, nan=np.inf), -1.0)
    where = np.unravel_index(int(np.argmax(order)), first.shape)
    return Deviation(name, int(differs.sum()), int(differs.size), largest, relative, tuple(map(int, where)), first[where], second[where])


def _distances(first: np.ndarray, second: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Which elements differ, by how much, the largest, and the largest relative to the largest value."""
    with np.errstate(invalid="ignore", over="ignore"):
        same = (first == second) | ((first != first) & (second != second))
        distance = np.where(same, 0.0, np.abs(np.subtract(first, second, dtype=np.result_type(first, second, float))))
    values = np.abs(np.concatenate([np.ravel(first), np.ravel(second)]).astype(np.result_type(first, second, float)))
    scale = values[np.isfinite(values)].max(initial=0.0)
    differs = ~same & ~(distance <= tolerance * scale)
    largest = float(distance.max(initial=0.0))
    return differs, distance, largest, largest / scale if scale > 0 else np.nan
