"""One number for each row of a study: a column, or an element of a dataset of the run's result file."""

import re
from functools import partial
from pathlib import Path

import numpy as np

from .errors import InputError
from .result import RESULTS, Dataset, Result, made_of_result
from .study import Study
from .summary import is_there

_NAME = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<place>[-\d,\s]+)\])?")
_POINTS, _STEPS = "points", "measured steps"  # axes of rankine-simulate that a row stands at already


def values_of(study: Study, quantity: str) -> dict[int, float]:
    """Row number -> value, of rows with results that have one.

    `quantity` is the name of a column, or that of a dataset with the place of the element along each axis ("site_z[62]",
    "healing_loss[-1]"); axes without a place are taken at their ends. Raises InputError where no run has it.
    """
    name, place = _parsed(quantity)
    rows = {number: row for number, row in enumerate(study.rows) if row["state"] == "done"}
    if not place and any(is_there(row.get(name)) for row in rows.values()):
        found = {number: row.get(name) for number, row in rows.items()}
    else:
        found = _elements(rows, name, place)
    numbers = {number: float(value) for number, value in found.items() if isinstance(value, (int, float)) and np.isfinite(value)}
    if not numbers:
        raise InputError(f"no run has a number '{quantity}'. Key results of these runs: {', '.join(study.results) or 'none'}.")
    return numbers


def unit_of(study: Study, quantity: str) -> str:
    """The unit of a quantity of /results; "1" for pure numbers and where it is not known."""
    name, _ = _parsed(quantity)
    if name == "seconds":
        return "s"
    files = [row["file"] for row in study.finished]
    return made_of_result(files[0], partial(_unit, name=name), wanted=partial(_leads_to, _paths(name))) if files else "1"


def _unit(result: Result, name: str) -> str:
    return result[name].units if name in result else "1"


def _parsed(quantity: str) -> tuple[str, tuple[int, ...]]:
    match = _NAME.fullmatch(quantity.strip())
    try:
        if match is None:
            raise ValueError
        return match["name"], tuple(int(number) for number in (match["place"] or "").split(",") if number.strip())
    except ValueError:
        raise InputError(f"'{quantity}' is no quantity. Write NAME or NAME[2,-1].") from None


def _elements(rows: dict[int, dict], name: str, place: tuple[int, ...]) -> dict[int, float | None]:
    found: dict[int, float | None] = {}
    for file in dict.fromkeys(row["file"] for row in rows.values()):
        own = {number: row for number, row in rows.items() if row["file"] == file}
        places = [(int(row["point"]), row.get("step")) for row in own.values()]
        values = made_of_result(Path(file), partial(_elements_of_file, name=name, place=place, places=places),
                                wanted=partial(_leads_to, [*_paths(name), f"{RESULTS}/steps"]))  # fmt: skip
        found |= dict(zip(own, values))
    return found


def _paths(name: str) -> list[str]:
    """Where a dataset of this name may stand."""
    return [name, f"{RESULTS}/{name}"]


def _leads_to(paths: list[str], path: str, shape: tuple[int, ...]) -> bool:
    """Whether this is one of the paths, or a group on the way to it."""
    return any(f"{wanted}/".startswith(f"{path}/") for wanted in paths)


def _elements_of_file(result: Result, name: str, place: tuple[int, ...], places: list) -> list[float | None]:
    if name not in result:
        return [None] * len(places)
    dataset = result[name]
    steps = list(result["steps"].values) if "steps" in result else []
    return [_element(result.path, dataset, place, point, steps.index(step) if step in steps else -1) for point, step in places]


def _element(path: Path, dataset: Dataset, place: tuple[int, ...], point: int, step: int) -> float | None:
    fixed = {_POINTS: point, _STEPS: step}
    free = [axis for axis, dim in enumerate(dataset.dims) if dim not in fixed]
    if len(place) > len(free):
        axes = ", ".join(dataset.dims[axis] for axis in free) or "none"
        raise InputError(f"{path}: '{dataset.short_name}' has {len(free)} axes to choose along ({axes}), not {len(place)}.")
    index = [fixed.get(dim, -1) for dim in dataset.dims]
    for axis, chosen in zip(free, place):
        index[axis] = chosen
    try:
        value = dataset.values[tuple(index)] if index else dataset.values.item()
    except IndexError:
        raise InputError(f"{path}: '{dataset.short_name}' of shape {dataset.values.shape} has no element [{', '.join(map(str, place))}].") from None
    return float(value) if isinstance(value, (int, float, np.number)) else None
