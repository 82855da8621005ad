"""sweep.sqlite: one row for each run, for Python and people. It follows from the run folders and can be made again at any time.

It is written as a new file and renamed, so that a reader on any file system finds a whole one, whoever was killed meanwhile.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .run_folder import Standing, State

FORMAT_VERSION = 1  # PRAGMA user_version
COLUMNS = ("hash", "number", "program", "parameters", "state", "message", "exit_code", "attempts", "seconds", "started_utc",
           "ended_utc", "result")  # fmt: skip
TABLE = """
CREATE TABLE runs (hash TEXT PRIMARY KEY, number INTEGER NOT NULL, program TEXT NOT NULL, parameters TEXT NOT NULL,
  state TEXT NOT NULL, message TEXT NOT NULL, exit_code INTEGER, attempts INTEGER NOT NULL, seconds REAL NOT NULL,
  started_utc TEXT, ended_utc TEXT, result TEXT)"""


@dataclass
class Row:
    """One run: what it is, and how it stands."""

    hash: str
    number: int
    program: str
    parameters: dict
    standing: Standing

    def values(self) -> dict:
        """By the names of the columns; parameters as a dictionary."""
        result = f"runs/{self.hash}/result.h5" if self.standing.state is State.DONE else None
        return {"hash": self.hash, "number": self.number, "program": self.program, "parameters": self.parameters,
                **vars(self.standing), "state": self.standing.state.value, "result": result}  # fmt: skip


def write(path: Path, rows: list[Row]) -> None:
    """One writer at a time (SweepFolder.lock)."""
    with _new(path) as database:
        database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        database.execute(TABLE)
        _put(database, rows)


def update(path: Path, rows: list[Row]) -> None:
    """Other rows stay as they are; without an index none is made, since these rows are not all. One writer at a time."""
    if path.exists():
        with _new(path) as database, sqlite3.connect(path) as before:
            before.backup(database)
            _put(database, rows)


@contextlib.contextmanager
def _new(path: Path) -> Iterator[sqlite3.Connection]:
    """A file that takes the place of the index when it is whole."""
    new = path.with_name(f".{path.name}.new")
    for leftover in (new, new.with_name(f"{new.name}-journal")):
        leftover.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(new)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        yield database
    new.rename(path)


def _put(database: sqlite3.Connection, rows: list[Row]) -> None:
    places = ", ".join(f":{name}" for name in COLUMNS)
    database.executemany(f"REPLACE INTO runs ({', '.join(COLUMNS)}) VALUES ({places})",
                         [row.values() | {"parameters": json.dumps(row.parameters)} for row in rows])  # fmt: skip
