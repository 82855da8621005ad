"""A study in memory: runs with their rows, one for each run, of rankine-simulate one for each point.

A row is that of `summary`, with what is known of the run itself before it (RUN); runs without results have the values of
their decks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from .errors import InputError
from .run_folder import Run, runs_of
from .summary import is_there, key_results, summaries

RUN = ("run", "number", "state", "message", "exit_code", "attempts", "run_seconds", "started_utc", "ended_utc")
_PLACE = ("program", "point")  # what else stands in rows beside what `summary` says
_NOT_OF_THE_STUDY = {"output.file", "run.directory"}  # each run has its own


@dataclass(frozen=True)
class Study:
    """Runs and what they found."""

    sources: list[Path]  # folders and files they were read from
    runs: list[Run]
    rows: list[dict[str, object]]  # in the order of the runs; "file" and "point" say where a row comes from

    @cached_property
    def parameters(self) -> list[str]:
        """Keywords that differ between rows: those that sweeps vary, in their order, then others."""
        swept = dict.fromkeys(name for run in self.runs for name in run.parameters)
        names = dict.fromkeys([*swept, *(name for row in self.rows for name in row if "." in name)])
        return [name for name in names if name not in _NOT_OF_THE_STUDY and _differs(name, self.rows)]

    @cached_property
    def results(self) -> list[str]:
        """The columns that tell most."""
        known = {*RUN, *_PLACE}
        return key_results({name: row[name] for name in row if name not in known} for row in self.rows if "kind" in row)

    @property
    def finished(self) -> list[dict[str, object]]:
        """Rows with results."""
        return [row for row in self.rows if row["state"] == "done"]

    @property
    def not_done(self) -> list[Run]:
        """Runs without results."""
        return [run for run in self.runs if run.state != "done"]

    @property
    def columns(self) -> list[str]:
        """Of all rows: the run, its parameters, its key results, then everything else."""
        present = dict.fromkeys(name for row in self.rows for name in row)
        first = [*RUN, *self.parameters, *self.results]
        return [name for name in dict.fromkeys([*first, *present]) if name in present]


def read_study(sources: Iterable[str | Path], *, step: int | None = None) -> Study:
    """The runs of sweep folders, folders of result files, and result files. Raises InputError where there is none."""
    sources = [Path(source) for source in sources]
    runs = [run for source in sources for run in runs_of(source)]
    if not runs:
        raise InputError(f"{', '.join(map(str, sources))}: neither runs of a sweep nor result files (*.h5). Name another folder.")
    runs, rows = zip(*((run, _rows(run, step)) for run in runs))
    return Study(sources, [_with_state(run, own) for run, own in zip(runs, rows)], [row for own in rows for row in own])


def finished_files(sources: Iterable[str | Path]) -> list[Path]:
    """The result files of runs that are done."""
    return [run.result for source in sources for run in runs_of(Path(source)) if run.state == "done"]


def _rows(run: Run, step: int | None) -> list[dict[str, object]]:
    known = {name: getattr(run, name.removeprefix("run_")) for name in RUN[1:]}
    without = [{"run": run.name} | known | {"program": run.program} | run.deck | run.parameters]
    if run.state != "done":
        return without
    try:
        found = summaries(run.result, step=step)
    except InputError as error:
        return [row | {"state": "unreadable", "message": str(error).removeprefix(f"{run.result}: ")} for row in without]
    if found[0]["status"] != "complete":  # a file of no sweep
        known |= {"state": found[0]["status"], "message": "the file holds what was done until then"}
    return [{"run": run.name} | known | run.parameters | {"point": point} | row for point, row in enumerate(found)]


def _with_state(run: Run, rows: list[dict]) -> Run:
    """The run, with what reading its file told."""
    return replace(run, state=rows[0]["state"], message=rows[0]["message"])


def _differs(name: str, rows: list[dict]) -> bool:
    """Whether rows that have a value have different ones."""
    return len({repr(row[name]) for row in rows if is_there(row.get(name))}) > 1
