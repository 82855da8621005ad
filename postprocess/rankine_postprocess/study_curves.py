"""Which lines a figure of a study shows: a quantity along a parameter, others telling lines apart, seeds averaged; no drawing."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from .errors import InputError
from .study import Study
from .study_quantity import values_of
from .summary import is_there

MOST_LINES = 40
_SEED = "seed"  # keywords whose names end so are averaged over


class Band(Enum):
    """What a band shows of several runs at the same place; the value is how a footer says it."""

    RANGE = "least to largest"
    ERROR = "mean plus and minus its standard error"


@dataclass(frozen=True)
class Line:
    """One line of the figure, ascending along the axis."""

    values: tuple  # of the parameters that tell lines apart, in the order of Plan.apart
    x: list  # numbers or texts
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    runs: np.ndarray  # how many


@dataclass(frozen=True)
class Plan:
    """What the figure is of."""

    quantity: str
    against: str
    apart: tuple[str, ...]  # parameters that tell lines apart
    over: tuple[str, ...]  # parameters that are averaged over
    band: Band
    lines: list[Line]


def plan(
    study: Study, *, quantity: str | None = None, against: str | None = None, apart: list[str] | None = None,
    over: list[str] | None = None, band: Band = Band.RANGE,
) -> Plan:  # fmt: skip
    """What was asked for, and for the rest what suits the runs. Raises InputError."""
    if quantity is None and not study.results:
        raise InputError("none of the runs has results yet.")
    quantity = quantity or _telling(study)
    values = values_of(study, quantity)
    averaged = [name for name in study.parameters if name.endswith(_SEED) and name != against] + (over or [])
    against = against or _natural_axis(study, averaged)
    if not any(is_there(study.rows[number].get(against)) for number in values):
        raise InputError(f"no run with '{quantity}' has '{against}'. Parameters that differ: {', '.join(study.parameters) or 'none'}.")
    if apart is None:
        apart = _natural_lines(study, values, [name for name in study.parameters if name not in (*averaged, against)], against)
    lines = _lines(study, values, against, apart, band)
    if len(lines) > MOST_LINES:
        raise InputError(f"{len(lines)} lines, told apart by {', '.join(apart)}, are too many for a figure. Choose by --lines and --over.")
    return Plan(quantity, against, tuple(apart), tuple(name for name in averaged if name not in apart), band, lines)


def _telling(study: Study) -> str:
    """The first key result that is a number and not the same everywhere."""
    numbers = [name for name in study.results if _is_number(study, name)] or study.results
    return next((name for name in numbers if len({_key(row.get(name)) for row in study.finished}) > 1), numbers[0])


def _natural_axis(study: Study, averaged: list[str]) -> str:
    """The parameter with the most different numbers."""
    free = [name for name in study.parameters if name not in averaged]
    if not free:
        raise InputError("the runs differ in nothing that could be an axis. Name one with --against.")
    return max(free, key=lambda name: (_is_number(study, name), len({_key(row.get(name)) for row in study.finished})))


def _is_number(study: Study, name: str) -> bool:
    values = [row[name] for row in study.finished if is_there(row.get(name))]
    return bool(values) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _natural_lines(study: Study, values: dict[int, float], names: list[str], against: str) -> list[str]:
    """The fewest parameters that tell runs apart; none that goes along with the axis, as zipped and derived ones do."""
    is_sweep = any(run.parameters for run in study.runs)
    rows = [study.rows[number] for number in values]
    chosen: list[str] = []
    for name in names:
        own = len({_key(row.get(name)) for row in rows}) == len(rows) > 2 and not _is_number(study, name)  # the name of a folder, say
        goes_along = _divides(rows, [against, name]) == _divides(rows, [against]) and (is_sweep or _is_number(study, name))
        if not own and not goes_along and _divides(rows, [*chosen, name]) > _divides(rows, chosen):
            chosen.append(name)
    return chosen


def _divides(rows: list[dict], names: list[str]) -> int:
    """Into how many groups these parameters put the rows."""
    return len({tuple(_key(row.get(name)) for name in names) for row in rows})


def _lines(study: Study, values: dict[int, float], against: str, apart: list[str], band: Band) -> list[Line]:
    groups: dict[tuple, dict[object, list[float]]] = {}
    for number, value in values.items():
        row = study.rows[number]
        if is_there(row.get(against)):
            key = tuple(_key(row.get(name)) for name in apart)
            groups.setdefault(key, {}).setdefault(_key(row[against]), []).append(value)
    return [_line(key, groups[key], band) for key in sorted(groups, key=lambda key: [_order(value) for value in key])]


def _line(key: tuple, found: dict[object, list[float]], band: Band) -> Line:
    x = sorted(found, key=_order)
    samples = [np.array(found[place]) for place in x]
    mean = np.array([sample.mean() for sample in samples])
    if band is Band.RANGE:
        low, high = (np.array([end(sample) for sample in samples]) for end in (np.min, np.max))
    else:
        error = np.array([sample.std(ddof=1) / np.sqrt(len(sample)) if len(sample) > 1 else 0.0 for sample in samples])
        low, high = mean - error, mean + error
    return Line(key, x, mean, low, high, np.array([len(sample) for sample in samples]))


def _key(value) -> object:
    """A value that can be a key: lists of decks as texts, truth values too."""
    return value if isinstance(value, (int, float, str)) and not isinstance(value, bool) else "" if value is None else str(value)


def _order(value) -> tuple:
    return (0, value, "") if isinstance(value, (int, float)) else (1, 0, value)
