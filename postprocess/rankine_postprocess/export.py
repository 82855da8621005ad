"""Tables for other programs: CSV, and Parquet where pandas can write it."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .errors import InputError
from .long_table import Columns

FORMATS = ("csv", "parquet")


def format_of(output: str | None, asked: str | None) -> str:
    """The format asked for, or the one the name ends in; CSV by default."""
    ending = Path(output or "").suffix.removeprefix(".")
    return asked or (ending if ending in FORMATS else FORMATS[0])


def write(table: Columns, output: str | None, form: str) -> None:
    """To a file, or, CSV only, to standard output. Raises InputError."""
    if form == "parquet":
        _write_parquet(table, output)
    elif output is None:
        _write_csv(table, sys.stdout)
    else:
        try:
            with open(output, "w", newline="", encoding="utf-8") as file:
                _write_csv(table, file)
        except OSError as error:
            raise InputError(f"{output}: cannot be written ({error.strerror}).") from error


def _write_csv(table: Columns, file) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table)
    writer.writerows([_cell(value) for value in row] for row in zip(*table.values()))


def _cell(value) -> object:
    """Numbers so that they can be read back exactly; nothing for what is not there; lists as JSON."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def _write_parquet(table: Columns, output: str | None) -> None:
    if output is None:
        raise InputError("Parquet is no text for the terminal. Name a file with -o.")
    columns = {name: _of_one_type(values) for name, values in table.items()}
    try:
        _parquet_writer()(columns, output)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror or error}).") from error


def _parquet_writer() -> Callable[[Columns, str], None]:
    """Of pyarrow, or of pandas with fastparquet: what is there. Raises InputError where neither is."""
    try:
        from pyarrow import parquet, table

        return lambda columns, output: parquet.write_table(table(columns), output)
    except ImportError as error:
        reason = str(error)
    try:
        import fastparquet  # noqa: F401
        from pandas import DataFrame

        return lambda columns, output: DataFrame(columns).to_parquet(output, engine="fastparquet", index=False)
    except ImportError:
        raise InputError(
            f"Parquet needs pyarrow, or pandas with fastparquet ({reason}). Debian 12 has neither of them: "
            "install 'pyarrow<18' with pip, which goes with Debian's numpy, or write CSV."
        ) from None


def _of_one_type(values: np.ndarray) -> np.ndarray:
    """A column that Parquet takes: numbers with NaN for what is not there, or texts, lists as JSON."""
    if values.dtype != object:
        return values
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
        return np.array([np.nan if value is None else value for value in values], dtype=float)
    texts = [None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column
