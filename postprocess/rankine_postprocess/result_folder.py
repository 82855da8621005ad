"""The result files in a folder and below it, each in a line: kind, status, date, title, what came out."""

import os
from pathlib import Path

from .errors import ForeignFile, InputError
from .summary import is_there, key_results, summaries
from .text_table import aligned, cell
from .wording import count, shortened

_ENDINGS = (".h5", ".hdf5", ".partial")
_LONGEST_TITLE, _MOST_RESULTS = 40, 3


def result_files(folder: str | Path) -> list[Path]:
    """What ends as result files do, unfinished ones too, by name. Raises InputError for what is no folder."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: not a folder. Name one that holds result files.")
    found = [Path(place, name) for place, _, names in os.walk(folder) for name in names if name.endswith(_ENDINGS)]
    return sorted(path for path in found if path.is_file())


def listing(folder: str | Path) -> str:
    """A line for each result file; below them those that cannot be read."""
    files = result_files(folder)
    lines, refused, foreign = [], [], 0
    for file in files:
        name = str(file.relative_to(folder))
        try:
            lines.append([name, *_line(summaries(file))])
        except ForeignFile:
            foreign += 1
        except InputError as error:
            refused.append(str(error).removeprefix(f"{folder}/"))
    if not files:
        return f"{folder}: no result file here or below."
    titles = ["file", "kind", "status", "begun", "title", "result"]
    others = f"{count(foreign, 'HDF5 file')} of other programs" if foreign else ""
    return "\n".join(filter(None, [aligned(titles, lines, left=len(titles)) if lines else "", *refused, others]))


def _line(rows: list[dict]) -> list[str]:
    last = rows[-1]
    told = [f"{name} = {cell(last[name])}" for name in key_results([last])][:_MOST_RESULTS]
    if len(rows) > 1:
        told.append(f"last of {count(len(rows), 'point' if last['kind'] == 'rankine-simulate' else 'measurement')}")
    begun = last["created_utc"] if is_there(last["created_utc"]) else "-"
    kind = str(last["kind"]).removeprefix("rankine-")
    return [kind, str(last["status"]), str(begun), shortened(str(last["title"]), _LONGEST_TITLE), ", ".join(told)]
