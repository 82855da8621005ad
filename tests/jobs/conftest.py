"""Sweeps in a folder of the test, with the real programs or with one that only sleeps."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
COMMAND = TREE / "jobscripts" / "rankine-sweep"
SLEEPER = Path(__file__).parent / "sleeper"
HANG_SECONDS = 120

sys.path.insert(0, str(TREE / "jobscripts"))

# What CTest sets; here for runs by hand.
for name, value in {
    "RANKINE_BIN": str(TREE / "build" / "bin"),
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OPENBLAS_NUM_THREADS": "1",
}.items():
    os.environ.setdefault(name, value)

# The command is started hundreds of times; it is compiled once, outside of the source tree.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = f"{tempfile.gettempdir()}/rankine-jobs-bytecode-{os.getuid()}"


@dataclass
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Sweep:
    """deck.toml and the folder "sweep" in a folder of the test; `program` replaces that of the deck."""

    def __init__(self, root: Path, deck: str, program: str = ""):
        self.root, self.program = root, program
        self.folder = root / "sweep"
        self.write(deck)

    def write(self, deck: str) -> None:
        (self.root / "deck.toml").write_text(deck)

    def command(self, verb: str, *arguments) -> list[str]:
        deck = ["deck.toml"] if verb == "run" else []
        program = ["--program", self.program] if self.program and verb != "status" else []
        return [sys.executable, str(COMMAND), verb, *deck, "sweep", *map(str, arguments), *program]

    def start(self, verb: str, *arguments) -> Outcome:
        done = subprocess.run(self.command(verb, *arguments), cwd=self.root, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=HANG_SECONDS)  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run(self, *arguments) -> Outcome:
        return self.start("run", *arguments)

    @contextlib.contextmanager
    def under_way(self, verb: str, *arguments):
        """The command while it works; killed, if it does not end by itself."""
        with open(self.root / "sweep.log", "ab") as log:
            process = subprocess.Popen(self.command(verb, *arguments), cwd=self.root, stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL)  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def rows(self) -> list[dict]:
        """As `status` shows them."""
        outcome = self.start("status", "--json")
        assert outcome.code == 0, outcome.err
        return json.loads(outcome.out)

    def states(self) -> list[str]:
        return [row["state"] for row in self.rows()]

    def index(self) -> list[dict]:
        """As the index says."""
        with contextlib.closing(sqlite3.connect(self.folder / "sweep.sqlite")) as database:
            database.row_factory = sqlite3.Row
            assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            return [dict(row) for row in database.execute("SELECT * FROM runs ORDER BY number")]

    def run_folder(self, number: int) -> Path:
        return next(self.folder / "runs" / row["hash"] for row in self.rows() if row["number"] == number)

    def complaints(self) -> str:
        """What the sleeping program has seen and should not have."""
        return "".join(path.read_text() for path in self.folder.glob("runs/*/complaints"))


@pytest.fixture
def sleepy(tmp_path):
    """Makes a sweep of a program that only sleeps, from the text behind its deck's first lines."""

    def make(sweep: str = "", seconds: float = 0.02) -> Sweep:
        return Sweep(tmp_path, f"[sleep]\nseconds = {seconds}\nthen = \"done\"\n{sweep}", str(SLEEPER))

    return make


def wait_until(condition, seconds: float = HANG_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)


def children_of(process: int) -> list[int]:
    """All that it started, and what these have started."""
    try:
        direct = [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return direct + [one for child in direct for one in children_of(child)]


def kill(processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
