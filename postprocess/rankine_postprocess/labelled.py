"""Result files for notebooks: arrays with named axes and labels (xarray), tables (pandas). Both are loaded when asked for."""

import importlib
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .errors import InputError
from .long_table import Columns, columns_of, has_members, long_columns, member_columns
from .result import RESULTS, Dataset, Result, made_of_result, open_result
from .study import finished_files, read_study
from .summary import summaries


def to_xarray(file, *, group: str = RESULTS):
    """The datasets of a group ("results", "results/noise", "timing/profile") as an xarray.Dataset.

    `file` is a path, or what was read from one. Axes are named as xarray.open_dataset names them, with "_" for blanks. A group
    with a group for each of many things ("results/weights", "results/slices") becomes a dataset over their names. Raises
    InputError, also where xarray is not there.
    """
    xarray = _required("xarray", "python3-xarray")
    result = file if isinstance(file, Result) else open_result(_path(file))
    if group not in result.groups:
        raise InputError(f"{result.path}: no group '{group}'. Present: {', '.join(result.groups)}.")
    attributes = result.attributes | result.groups[group]
    try:
        if has_members(result, group):
            return _of_members(xarray, result, group, attributes)
        datasets = result.in_group(group)
        labels = dict.fromkeys(name for one in datasets.values() for name in result.labels(one))
        variables = {name: _variable(one) for name, one in datasets.items()}
        coordinates = {name: variables.pop(name) for name in labels}
        return xarray.Dataset(variables, coordinates, attributes)
    except ValueError as error:  # axes of one name and different lengths
        raise InputError(f"{result.path}: the datasets of '{group}' do not go together ({error}). Run the deck again.") from error


def to_dataframe(files, *, values: str | Iterable[str] | None = None, step: int | None = None, allow_partial: bool = False):
    """Result files as a pandas.DataFrame, one row a run (of rankine-simulate, a point): results, values of decks, provenance.

    `files` is a path or several of them, of files or folders; that of a sweep has a row for runs without results, too. With
    `values`, names of datasets or of a group, a row for each of their elements instead. Raises InputError, also where pandas
    is not there.
    """
    pandas = _required("pandas", "python3-pandas")
    paths = paths_of(files)
    names = [values] if isinstance(values, str) else list(values or [])
    columns = table_of(paths, values=names, step=step, allow_partial=allow_partial)
    return pandas.DataFrame({name: _numbers(column) for name, column in columns.items()})


def table_of(files: list[Path], *, values: list[str], step: int | None, allow_partial: bool) -> Columns:
    """The columns of `to_dataframe`."""
    files = [Path(file) for file in files]
    if any(file.is_dir() for file in files):
        if not values:
            study = read_study(files, step=step)
            return columns_of([{name: row.get(name) for name in study.columns} for row in study.rows])
        files = finished_files(files)
    if not values:
        return columns_of([row for file in files for row in summaries(file, step=step, allow_partial=allow_partial)])
    if step is not None:
        raise InputError("a table of values has all steps. Leave the step out.")
    tables = [made_of_result(file, lambda result: long_columns(result, values), allow_partial=allow_partial) for file in files]
    if len(files) == 1:
        return tables[0]
    return _joined([{"file": np.full(_length(table), str(file), dtype=object), **table} for file, table in zip(files, tables)])


def _joined(tables: list[Columns]) -> Columns:
    """One table below the other."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: np.concatenate([table[name] if name in table else np.full(_length(table), None) for table in tables]) for name in names}


def _length(table: Columns) -> int:
    return len(next(iter(table.values()), ()))


def _variable(dataset: Dataset) -> tuple:
    dims = tuple(re.sub("[^A-Za-z0-9]+", "_", dim) for dim in dataset.dims)
    attributes = {name: value for name, value in dataset.attributes.items() if name != "coordinates"}  # xarray has its own
    return dims, dataset.values, {"units": dataset.units, "long_name": dataset.long_name, **attributes}


def _of_members(xarray, result: Result, group: str, attributes: dict):
    axis = group.rpartition("/")[2]
    columns = member_columns(result, group)
    described = {name: one for member in result.subgroups(group) for name, one in result.in_group(member).items()}
    variables = {}
    for name, values in columns.items():
        one = described.get(name)
        about = {} if one is None else {"units": one.units, "long_name": one.long_name}
        variables["name" if name == "name" else name] = ((axis,), _numbers_if_any(values), about)
    names = variables.pop("name")
    return xarray.Dataset(variables, {axis: names}, attributes)


def _numbers(values: np.ndarray) -> np.ndarray:
    """NaN for numbers that are not there; other columns as they are."""
    is_number = values.dtype == object and all(value is None or type(value) in (int, float) for value in values)
    return values.astype(float) if is_number and any(value is not None for value in values) else values


def _numbers_if_any(values: np.ndarray) -> np.ndarray:
    """Missing numbers are NaN."""
    if values.dtype == object and all(value is None or isinstance(value, (int, float)) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=float)
    return np.array(["" if value is None else str(value) for value in values]) if values.dtype == object else values


def paths_of(files) -> list[Path]:
    """Of a path, of what was read from one, or of several of them."""
    is_one = isinstance(files, (str, Path)) or hasattr(files, "path")
    return [_path(file) for file in ([files] if is_one else files)]


def _path(file) -> Path:
    return Path(getattr(file, "path", file))


def _required(module: str, package: str):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"this needs {module}, which is not there. Install {package} (Debian), or {module} with pip.") from error
