"""A run as a row of a table: what it is, its results, the values of its deck, what made it.

Columns with a point in their names are keywords of the deck ("state.max_bond_dimension"); of the others some say what the run
is (IDENTITY) and what made it (PROVENANCE), and the rest are results: numbers of /results by their paths below it, with
`NAME_low` and `NAME_high` for the interval of NAME, and the attributes of /results.
"""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .errors import InputError
from .result import RESULTS, Dataset, Result, made_of_result

IDENTITY = ("file", "kind", "status", "title")
PROVENANCE = ("seconds", "created_utc", "program_version", "git_commit", "n_ranks", "threads", "job_id", "libraries", "inputs")
_INTERVAL = "_interval"
_MEMBERS = ("weights", "slices")  # groups of /results with a group for each of many things
_LARGEST = 1e7  # elements of an array that is read for a row


@dataclass(frozen=True)
class Kind:
    """What of a kind of file a row shows."""

    key_results: tuple[str, ...]  # those of them that are there, the most telling first; "*" for observables, "a/*/b" for all such
    rows: tuple[tuple[str, str], ...] = ()  # groups with the axis of which every element is a row; none for one row a file


_SCORES = ("accuracy", "perplexity", "loss", "kl_divergence", "top_token_agreement", "missed_defect_rate", "false_alarm_rate", "auc")
_COMPRESSED = (
    "perplexity_after", "perplexity_before", "perplexity_unhealed", "perplexity_fit", "perplexity_local", "recovered",
    "accuracy_after", "accuracy_before", "accuracy_compressed", "accuracy_fit", "accuracy_local", "accuracy_difference",
    "tasks/*/accuracy_after", "tasks/*/accuracy_before",
    "parameters_after", "parameters_before", "bytes_after", "adapter/numbers", "adapter/recovered",
)  # fmt: skip
KINDS = {
    "rankine-simulate": Kind(("magnetization", "*", "bond_dimension", "discarded_weight", "fidelity"), rows=((RESULTS, "points"),)),
    "rankine-evaluate": Kind((*_SCORES, "tasks/*/accuracy", "scored_tokens")),
    "rankine-compress": Kind(_COMPRESSED),
    "rankine-distill": Kind(("mode", *_COMPRESSED, "local/teams")),
    "rankine-bench-linalg": Kind(
        ("task", "method", "type", "rows", "columns", "kept", "seconds", "gflops", "gemm_gflops"), rows=((RESULTS, "measurement"),)
    ),
    "rankine-bench-gpeps": Kind(
        ("case", "value", "bond_dimension", "all_seconds", "seconds", "peak_resident_bytes"),
        rows=((f"{RESULTS}/cases", "measurement"), (f"{RESULTS}/bond_updates", "measurement")),
    ),
    "rankine-bench-models": Kind(
        ("form", "numbers", "stored_bytes", "first_token_seconds", "generated", "scored", "training"),
        rows=((f"{RESULTS}/forms", "measurement"),),
    ),
    "rankine-bench-images": Kind(
        ("network", "training", "evaluation", "channels", "size", "rank", "forward_seconds", "both_seconds"),
        rows=((f"{RESULTS}/networks", "measurement"), (f"{RESULTS}/layers", "measurement")),
    ),
}
# What a row of rankine-simulate says beside observables.
_NO_OBSERVABLES = {
    "lattice", "n_sites", "n_edges", "circuit", "theta_j", "final_rx_layer", "step", "bond_dimension", "discarded_weight", "fidelity",
    *IDENTITY, *PROVENANCE,
}  # fmt: skip
# Axes of a file's rows that are keywords of the deck.
_KEYWORDS = {"theta_h": "circuit.theta_h", "max_bond_dimension": "state.max_bond_dimension"}


def summary(file: str | Path, *, step: int | None = None, allow_partial: bool = True) -> dict[str, object]:
    """The row of a run; of several points of rankine-simulate the last one. Raises InputError as `open_result` does."""
    return summaries(file, step=step, allow_partial=allow_partial)[-1]


def summaries(file: str | Path, *, step: int | None = None, allow_partial: bool = True) -> list[dict[str, object]]:
    """The rows of a run: one, but of rankine-simulate one for each point, and of rankine-bench one for each measurement.

    Simulations are taken after `step` (default: the last measured). Raises InputError as `open_result` does.
    """
    return made_of_result(file, partial(rows_of, step=step), allow_partial=allow_partial, wanted=_is_for_a_row)


def rows_of(result: Result, *, step: int | None = None) -> list[dict[str, object]]:
    """The rows of a file that was read."""
    found = [point for group, axis in KINDS[result.kind].rows for point in _points(result, group, axis, step)] or [{}]
    return [_row(result, values) for values in found]


def key_results(rows: Iterable[dict]) -> list[str]:
    """The columns that tell most of these runs, in order: those declared for their kinds that have a value somewhere."""
    rows = list(rows)
    found: dict[str, None] = {}
    for row in rows:
        for name in KINDS[row["kind"]].key_results:
            names = _observables(row) if name == "*" else fnmatch.filter(row, name) if "*" in name else [name]
            found |= {one: None for one in names if is_there(row.get(one))}
    return list(found)


def is_there(value) -> bool:
    """Whether a cell says something."""
    return value is not None and value != "" and not (isinstance(value, float) and np.isnan(value))


def parameters(row: dict) -> dict[str, object]:
    """The values of the deck in a row."""
    return {name: value for name, value in row.items() if "." in name}


def _observables(row: dict) -> list[str]:
    return [name for name in row if name not in _NO_OBSERVABLES and not {".", "/"} & set(name)]


def _is_for_a_row(name: str, shape: tuple[int, ...]) -> bool:
    room, _, rest = name.partition("/")
    if room == RESULTS:
        return rest.partition("/")[0] not in _MEMBERS and len(shape) < 3 and np.prod(shape) < _LARGEST
    return room in ("timing", "provenance")


def _row(result: Result, values: dict[str, object]) -> dict[str, object]:
    """One row; `values` are those of its point."""
    results = result.groups.get(RESULTS, {})
    deck = {name: value for name, value in result.deck.items() if "." in name}
    row = {"file": str(result.path), "kind": result.kind, "status": result.status, "title": result.title}
    row |= {name: value for name, value in results.items() if name != "title"} | _numbers(result)
    row |= {name: value for name, value in values.items() if name not in _KEYWORDS}
    row |= deck | {_KEYWORDS[name]: value for name, value in values.items() if name in _KEYWORDS}
    return row | _provenance(result) | ({"seconds": values["seconds"]} if "seconds" in values else {})


def _numbers(result: Result) -> dict[str, object]:
    """The scalars of /results, and both ends of intervals."""
    found: dict[str, object] = {}
    for name, dataset in result.datasets.items():
        if not name.startswith(f"{RESULTS}/") or name.split("/")[1] in _MEMBERS:
            continue
        short = name.removeprefix(f"{RESULTS}/")
        if dataset.values.ndim == 0:
            found[short] = dataset.values.item()
        elif short.endswith(_INTERVAL) and dataset.values.shape == (2,):
            found |= {short.removesuffix(_INTERVAL) + end: value.item() for end, value in zip(("_low", "_high"), dataset.values)}
    return found


def _points(result: Result, group: str, axis: str, step: int | None) -> list[dict[str, object]]:
    """For each point or measurement of a group what its tables say of it."""
    tables = {name.removeprefix(f"{group}/"): dataset for name, dataset in result.datasets.items()
              if name.startswith(f"{group}/") and dataset.dims[:1] == (axis,)}  # fmt: skip
    if not tables:
        return []
    length = min(len(dataset.values) for dataset in tables.values())
    columns = {name: values[:length] for name, dataset in tables.items() if (values := _at_step(result, dataset, step)) is not None}
    if (seconds := result.datasets.get("timing/point_seconds")) is not None and seconds.values.shape == (length,):
        columns["seconds"] = seconds.values
    if "steps" in result:
        columns["step"] = np.full(length, result["steps"].values[_step_index(result, step)])
    return [{name: _plain(values[point]) for name, values in columns.items()} for point in range(length)]


def _at_step(result: Result, dataset: Dataset, step: int | None) -> np.ndarray | None:
    if dataset.values.ndim == 1:
        return dataset.values
    return dataset.values[:, _step_index(result, step)] if dataset.dims[1:] == ("measured steps",) else None


def _step_index(result: Result, step: int | None) -> int:
    """The column of `step`, or of the last one that any point has reached."""
    steps = result["steps"].values
    if step is None:
        reached = result["bond_dimension"].values if "bond_dimension" in result else np.ones((1, len(steps)))
        done = np.flatnonzero((reached > 0).any(axis=0)) if reached.ndim == 2 and reached.shape[1] == len(steps) else []
        return int(done[-1]) if len(done) else len(steps) - 1
    found = np.flatnonzero(steps == step)
    if not found.size:
        raise InputError(f"{result.path}: step {step} was not measured. Measured steps: {', '.join(map(str, steps))}.")
    return int(found[0])


def _provenance(result: Result) -> dict[str, object]:
    versions = result.groups.get("provenance/versions", {})
    inputs = result.datasets.get("provenance/inputs")
    told = {
        "seconds": _seconds(result),
        "job_id": result.groups.get("provenance", {}).get("job_id", ""),
        "libraries": "; ".join(f"{name} {version}" for name, version in versions.items()),
        "inputs": "" if inputs is None else "; ".join(map(str, np.ravel(inputs.values))),
    }
    return {name: told.get(name, result.attributes.get(name)) for name in PROVENANCE}


def _seconds(result: Result) -> float | None:
    """How long the run took, as far as its timings tell."""
    timing = result.in_group("timing")
    profile = result.datasets.get("timing/profile/seconds")
    if profile is not None:
        return float(np.max(np.sum(profile.values, axis=0)))
    if "point_seconds" in timing:
        return float(np.nansum(timing["point_seconds"].values))
    stages = [float(one.values) for name, one in timing.items() if name.endswith("_seconds") and one.values.ndim == 0]
    return float(np.nansum(stages)) if stages else None


def _plain(value) -> object:
    return value.item() if isinstance(value, np.generic) else value
