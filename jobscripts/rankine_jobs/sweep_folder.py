"""The folder of a sweep: its deck, a folder for each run, and the index of them."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from . import index, whole_files
from .clock import counted
from .deck import Deck
from .errors import InputError
from .index import Row
from .run_folder import RunFolder, State
from .runs import Run

LONGEST_WAIT = 60.0  # s for another process that writes the index


class SweepFolder:
    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.runs = self.path / "runs"
        self.index = self.path / "sweep.sqlite"

    def is_used(self) -> bool:
        return self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir()))

    def require_unused(self) -> None:
        if self.is_used():
            raise InputError(f"Cannot begin a sweep in '{self.path}' (it is in use{self._holds()}). "
                             "Add --resume to go on there with what is missing, or choose another folder.")  # fmt: skip

    def _holds(self) -> str:
        rows = self.rows() if self.runs.is_dir() else []
        return f": {counted(len(rows), 'run')}, {sum(row.standing.state is State.DONE for row in rows)} done" if rows else ""

    def require_prepared(self) -> None:
        if not self.runs.is_dir():
            raise InputError(f"There is no sweep in '{self.path}' (it has no folder runs). Start one: rankine-sweep run DECK FOLDER.")

    def folder(self, hash: str) -> RunFolder:
        return RunFolder(self.runs / hash)

    def missing(self, runs: list[Run]) -> list[Run]:
        """Those that have no folder yet."""
        return [run for run in runs if self.folder(run.hash).description() is None]

    def prepare(self, deck: Deck, runs: list[Run], ranks: int | None) -> None:
        """Makes what is missing; with ranks None each run keeps those it has, or gets one. Runs of an earlier deck keep their folders, but are no longer of the sweep."""
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"Cannot write '{self.path}' ({error.strerror}). Choose a folder that you may write to.") from error
        with self.lock():
            whole_files.write(self.path / "deck.toml", deck.text)
            for run in runs:
                self.folder(run.hash).write(run, ranks)
            of_deck = {run.hash for run in runs}
            for path in self.runs.iterdir():
                if path.name not in of_deck:
                    RunFolder(path).leave_out()

    def descriptions(self, only: str = "") -> list[dict]:
        """run.json of every run of the sweep, by their numbers; or of the one with this hash."""
        paths = [self.runs / only] if only else self.runs.iterdir()
        found = [description for path in paths if (description := RunFolder(path).description())]
        return sorted((one for one in found if one["number"] is not None), key=lambda one: one["number"])

    def rows(self, only: str = "") -> list[Row]:
        """What the run folders say now."""
        return [Row(one["hash"], one["number"], one["program"], one["parameters"], self.folder(one["hash"]).standing())
                for one in self.descriptions(only)]  # fmt: skip

    def write_index(self, rows: list[Row]) -> None:
        with self.lock():
            index.write(self.index, rows)

    def update_index(self, rows: list[Row]) -> None:
        """Of some runs, where a look at all of them would cost too much."""
        with self.lock():
            index.update(self.index, rows)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """For who prepares runs or writes the index."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._wait_for(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise InputError(f"Another process holds '{self.path}/lock' for {LONGEST_WAIT:.0f} s already. "
                                     "Wait until it has ended, and start again.") from None  # fmt: skip
                time.sleep(0.02)
            except OSError:
                return None  # no locks there: the last one's index stands
