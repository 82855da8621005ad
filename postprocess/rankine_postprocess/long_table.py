"""Arrays of a result file as columns of equal length: a row for each element, beside what labels its axes."""

import numpy as np

from .errors import InputError
from .result import RESULTS, Dataset, Result

Columns = dict[str, np.ndarray]
_MOST_ROWS = 50_000_000


def long_columns(result: Result, names: list[str]) -> Columns:
    """The datasets and groups of these names. Raises InputError where there is none, or where their axes do not go together."""
    groups = [group for name in names if (group := _group(result, name)) is not None]
    if groups and has_members(result, groups[0]):
        if len(names) > 1:
            raise InputError(f"{result.path}: '{names[0]}' has a row for each of its members. Ask for it alone.")
        return member_columns(result, groups[0])
    datasets: dict[str, Dataset] = {}
    for name in names:
        group = _group(result, name)
        datasets |= {name: result[name]} if group is None else result.in_group(group)
    return _broadcast(result, datasets)


def _group(result: Result, name: str) -> str | None:
    """The path of the group of that name; None if it is a dataset or nothing."""
    return next((path for path in (name, f"{RESULTS}/{name}") if name not in result and path in result.groups), None)


def has_members(result: Result, group: str) -> bool:
    """Whether the group holds nothing but groups, one for each of many things of a kind."""
    members = result.subgroups(group)
    return bool(members) and not result.in_group(group) and all(result.in_group(member) for member in members)


def member_columns(result: Result, group: str) -> Columns:
    """A row for each member: its name, attributes and single numbers."""
    members = result.subgroups(group)
    rows = []
    for member in members:
        numbers = {name: one.values.item() for name, one in result.in_group(member).items() if one.values.ndim == 0}
        rows.append({"name": member.removeprefix(f"{group}/"), **result.groups[member], **numbers})
    if all("position" in row for row in rows):
        rows.sort(key=lambda row: row["position"])
    return columns_of(rows)


def columns_of(rows: list[dict]) -> Columns:
    """Rows as columns, in the order in which their names come up; None where a row has nothing."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _column([row.get(name) for row in rows]) for name in names}


def _column(values: list) -> np.ndarray:
    """Numbers where all of them are of one kind, else objects."""
    for kinds in ((bool,), (int,), (int, float)):
        if values and all(type(value) in kinds for value in values):
            return np.array(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _broadcast(result: Result, datasets: dict[str, Dataset]) -> Columns:
    """All datasets over the axes of the one that has most; before them labels, or numbers from 0, of the axes."""
    if not datasets:
        raise InputError(f"{result.path}: there are no values in what was asked for.")
    widest = max(datasets.values(), key=lambda one: one.values.ndim)
    sizes = dict(zip(widest.dims, widest.values.shape))
    if np.prod(widest.values.shape, dtype=float) > _MOST_ROWS:
        raise InputError(f"{result.path}: {widest.name} has more than {_MOST_ROWS} elements. Read it with rankine_postprocess.open.")
    labels = result.labels(widest)
    for name, one in (labels | datasets).items():
        if any(sizes.get(dim) != size for dim, size in zip(one.dims, one.values.shape)):
            raise InputError(
                f"{result.path}: '{name}' is over {' x '.join(one.dims)} and does not go into a table "
                f"over {' x '.join(sizes) or 'nothing'}. Ask for them apart."
            )
    named = {dim for one in labels.values() for dim in one.dims} | {one.dims[0] for one in datasets.values() if one.values.ndim == 1}
    numbers = {dim: Dataset(dim, np.arange(size), (dim,), "1", "") for dim, size in sizes.items() if dim not in named}
    return {name: _spread(one, sizes) for name, one in (numbers | labels | datasets).items()}


def _spread(dataset: Dataset, sizes: dict[str, int]) -> np.ndarray:
    order = [dim for dim in sizes if dim in dataset.dims]
    values = dataset.values.transpose([dataset.dims.index(dim) for dim in order])
    values = values.reshape([size if dim in dataset.dims else 1 for dim, size in sizes.items()])
    return np.broadcast_to(values, tuple(sizes.values())).ravel()
