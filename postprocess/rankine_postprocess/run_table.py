"""Several result files as one table for the terminal, a row a run: what their decks differ in, and what came out."""

import difflib
import os
from pathlib import Path

from .errors import InputError
from .summary import is_there, key_results, parameters, summaries
from .text_table import aligned, cell
from .wording import shortened

_LONGEST, _MOST_KEYWORDS = 40, 8
# Sections that say where and how long a run computes, not what.
OF_THE_RUN = ("output.", "run.", "parallel.")


def table(files: list[str], *, columns: list[str], step: int | None, allow_partial: bool) -> str:
    """The rows of `summaries` of all files, with these columns or the most telling ones. Raises InputError."""
    rows = [row for file in files for row in summaries(file, step=step, allow_partial=allow_partial)]
    require_columns(columns, rows)
    names = short_names([row["file"] for row in rows])
    is_chosen, differing = bool(columns), differing_parameters(rows)
    if not is_chosen:
        what = [name for name in ("kind", "status", "step", "n_ranks") if len({cell(row.get(name)) for row in rows}) > 1]
        columns = list(dict.fromkeys([*what, *differing[:_MOST_KEYWORDS], *key_results(rows), "seconds"]))
        differing = differing[_MOST_KEYWORDS:]
    cells = [[name, *(shortened(cell(row.get(column)), _LONGEST) for column in columns)] for name, row in zip(names, rows)]
    left_out = "" if is_chosen or not differing else f"\n\nThe decks differ also in {', '.join(differing)}. Choose with --columns."
    return aligned(["file", *columns], cells, left=1) + left_out


def require_columns(columns: list[str], rows: list[dict]) -> None:
    """Raises InputError for a column that no row has."""
    known = dict.fromkeys(name for row in rows for name in row)
    for column in columns:
        if column not in known:
            near = difflib.get_close_matches(column, known, n=3) or [name for name in known if "." not in name]
            raise InputError(f"no run has '{column}' (nearest: {', '.join(near)}). Name results, or keywords of the deck.")


def differing_parameters(rows: list[dict]) -> list[str]:
    """The keywords of decks that do not have the same value in all rows."""
    names = dict.fromkeys(name for row in rows for name in parameters(row) if not name.startswith(OF_THE_RUN))
    return [name for name in names if len({cell(row.get(name)) for row in rows if is_there(row.get(name))}) > 1]


def short_names(files: list[str]) -> list[str]:
    """The files without the folders that all of them are in."""
    if len(set(files)) == 1:
        return [Path(file).name for file in files]
    common = os.path.commonpath([os.path.abspath(os.path.dirname(file)) for file in files])
    return [os.path.relpath(file, common) for file in files]
