"""What a result file of any kind holds as text: single numbers, series, tables and maps."""

import numpy as np

from .long_table import Columns, has_members, member_columns
from .result import RESULTS, Dataset, Result
from .text_table import aligned, cell
from .wording import count, shortened

_MOST_IN_SERIES, _MOST_ROWS, _MOST_COLUMNS, _LONGEST = 20, 50, 12, 90


def header(result: Result) -> str:
    """What was computed and by what: a few lines of name and value."""
    attributes, results = result.attributes, result.groups.get(RESULTS, {})
    ranks, threads = attributes.get("n_ranks", 1), attributes.get("threads", 1)
    commit = str(attributes.get("git_commit", "unknown"))[:12]
    lines = [("kind", result.kind), ("title", result.title), ("status", result.status)]
    lines += [(name, cell(value)) for name, value in results.items() if name != "title"]
    lines += [("program", f"{attributes.get('program', '?')} {attributes.get('program_version', '?')}, commit {commit}"),
              ("run", f"{attributes.get('created_utc', '?')}, {count(ranks, 'rank')} x {count(threads, 'thread')}")]  # fmt: skip
    lines = [(name, value) for name, value in lines if value]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)


def tables(result: Result) -> str:
    """The results, and the timings below them."""
    groups = [RESULTS, *(group for group in result.groups if group.startswith(f"{RESULTS}/")), "timing"]
    members = [group for group in groups if group in result.groups and has_members(result, group)]
    parts = []
    for group in groups:
        if group in members:
            parts.append(_members(result, group))
        elif not any(group.startswith(f"{one}/") for one in members):
            parts.append(group_text(result, group))
    return "\n\n".join(filter(None, parts)) or "The file holds no results."


def group_text(result: Result, group: str) -> str:
    """The datasets of a group itself; empty where there are none."""
    datasets = list(result.in_group(group).values())
    parts = [_numbers([one for one in datasets if one.values.ndim == 0 or _is_pair(one)])]
    for dim, columns in _by_axis([one for one in datasets if one.values.ndim == 1 and not _is_pair(one)]).items():
        parts.append(_columns(dim, columns))
    parts += [_map(result, one) for one in datasets if one.values.ndim == 2]
    parts += [f"{_place(one)}: {' x '.join(map(str, one.values.shape))} ({', '.join(one.dims)})" for one in datasets if one.values.ndim > 2]
    return "\n\n".join(filter(None, parts))


def _is_pair(dataset: Dataset) -> bool:
    """Whether it is an interval, which stands among the single numbers."""
    return dataset.name.endswith("_interval") and dataset.values.shape == (2,)


def _by_axis(datasets: list[Dataset]) -> dict[str, list[Dataset]]:
    found: dict[str, list[Dataset]] = {}
    for dataset in datasets:
        found.setdefault(dataset.dims[0], []).append(dataset)
    return found


def _numbers(datasets: list[Dataset]) -> str:
    rows = [[_place(one), cell(one.values.tolist()), _unit(one), shortened(one.long_name, _LONGEST)] for one in datasets]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join(f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:<{widths[2]}}  {d}".rstrip() for a, b, c, d in rows)


def _columns(dim: str, datasets: list[Dataset]) -> str:
    """Series over one axis side by side; of long ones how they begin and end, least and largest."""
    length = len(datasets[0].values)
    names = [_place(one) + (f" [{_unit(one)}]" if _unit(one) else "") for one in datasets]
    if length <= _MOST_IN_SERIES:
        rows = [[str(k), *(_one_line(one.values[k]) for one in datasets)] for k in range(length)]
        return aligned([dim, *names], rows) if rows else ""
    lines = [[name, *_extent(one.values)] for name, one in zip(names, datasets)]
    return aligned([f"over {length} {dim}", "first", "last", "least", "largest", "mean"], lines, left=1)


def _one_line(value) -> str:
    return shortened(cell(value).replace("\n", " "), _LONGEST)


def _extent(values: np.ndarray) -> list[str]:
    if values.dtype == object or not np.isfinite(values).any():
        return [_one_line(values[0]), "", "", "", ""]
    known = values[np.isfinite(values)]
    return [cell(one) for one in (values[0], values[-1], known.min(), known.max(), known.mean())]


def _map(result: Result, dataset: Dataset) -> str:
    """A table over two axes with their labels."""
    rows, columns = dataset.values.shape
    title = f"{_place(dataset)}{f' [{_unit(dataset)}]' if _unit(dataset) else ''}: {dataset.dims[0]} x {dataset.dims[1]}"
    if rows > _MOST_ROWS or columns > _MOST_COLUMNS:
        return f"{title}, {rows} x {columns} values"
    labels = result.labels(dataset).values()
    heads = [[cell(one.values[k]) for one in labels if one.dims[0] == dataset.dims[1]] or [str(k)] for k in range(columns)]
    sides = [[cell(one.values[k]) for one in labels if one.dims[0] == dataset.dims[0]] or [str(k)] for k in range(rows)]
    cells = [[", ".join(side), *map(cell, line)] for side, line in zip(sides, dataset.values)]
    return f"{title}\n{aligned(['', *map(', '.join, heads)], cells, left=1)}"


def _members(result: Result, group: str) -> str:
    columns = member_columns(result, group)
    rows = list(zip(*columns.values()))
    lines = [[shortened(cell(value), _LONGEST) for value in row] for row in rows[:_MOST_ROWS]]
    more = f"\nand {len(rows) - _MOST_ROWS} more" if len(rows) > _MOST_ROWS else ""
    return aligned([group.rpartition("/")[2], *list(columns)[1:]], lines, left=1) + more


def _place(dataset: Dataset) -> str:
    return dataset.name.removeprefix(f"{RESULTS}/").removeprefix("timing/")


def _unit(dataset: Dataset) -> str:
    return "" if dataset.units == "1" else dataset.units
