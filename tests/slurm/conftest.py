"""Sweeps handed to Slurm, and what becomes of them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

TREE = Path(__file__).parents[2]
COMMAND = TREE / "jobscripts" / "rankine-sweep"
BINARIES = Path(os.environ.get("RANKINE_BIN", TREE / "build" / "bin"))
HANG_SECONDS = 300  # a busy machine takes much longer than a quiet one

sys.path.insert(0, str(TREE / "jobscripts"))
for name, value in {"RANKINE_BIN": str(BINARIES), "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                    "OMPI_MCA_mpi_yield_when_idle": "1"}.items():
    os.environ.setdefault(name, value)


@dataclass
class Outcome:
    code: int
    out: str
    err: str


class Sweep:
    """A deck and the folder of its sweep; `rankine-sweep` is started beside them."""

    def __init__(self, folder: Path, deck: str):
        self.cwd = folder
        self.folder = folder / "sweep"
        self._held_back: dict[str, float] = {}  # jobs that wait after a requeue, and since when
        (folder / "deck.toml").write_text(deck)

    def command(self, verb: str, *arguments) -> Outcome:
        done = subprocess.run([sys.executable, COMMAND, verb, *map(str, arguments)], cwd=self.cwd, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=HANG_SECONDS)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run(self, *arguments) -> Outcome:
        return self.command("run", "deck.toml", "sweep", *arguments)

    def submit(self, *arguments, via: str = "array", site="test_slurm") -> Outcome:
        outcome = self.run("--via", via, "--site", site, *arguments)
        assert outcome.code == 0, outcome
        return outcome

    def status(self) -> list[dict]:
        outcome = self.command("status", "sweep", "--json")
        assert outcome.code == 0, outcome
        return json.loads(outcome.out)

    def states(self) -> list[str]:
        return [row["state"] for row in self.status()]

    def jobs(self) -> list[str]:
        """Their ids, in the order of submission."""
        return [path.read_text().split()[0] for path in sorted(self.folder.glob("jobs/*/job.txt"))]

    def said(self) -> str:
        """By all jobs."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("jobs/*/*[0-9].txt")))

    def log(self, number: int = 0) -> str:
        """Of one run."""
        return (self.folder / "runs" / self.status()[number]["hash"] / "log.txt").read_text()

    def attempts(self, number: int = 0) -> list[dict]:
        """What is noted of the tries of one run."""
        path = self.folder / "runs" / self.status()[number]["hash"] / "attempts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def results(self, number: int = 0) -> dict:
        with h5py.File(self.folder / self.status()[number]["result"]) as file:
            return {name: one[...] for name, one in file["results"].items() if isinstance(one, h5py.Dataset)}

    def wait(self) -> list[dict]:
        """Until no job is left in the queue; those that Slurm holds back for a while after a requeue begin at once."""
        wait_until(lambda: not self.unfinished_jobs(), lambda: self.said())
        return self.status()

    def unfinished_jobs(self) -> dict[str, str]:
        """Their states, by id."""
        found = {}
        for line in slurm("squeue", "--me", "--array", "--noheader", "--format=%i %T %r").splitlines():
            id, state, reason = line.split(maxsplit=2)
            if id.partition("_")[0] not in self.jobs():
                continue
            found[id] = state
            if (state, reason) != ("PENDING", "BeginTime"):
                self._held_back.pop(id, None)
            elif time.monotonic() > self._held_back.setdefault(id, time.monotonic()) + 3:  # slurmd first forgets the job that was
                slurm("scontrol", "update", f"jobid={id}", "StartTime=now")
        return found

    def processes(self) -> list[int]:
        """Of the programs of these runs, without their launchers."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended meanwhile, or is another's
                program = os.fsdecode((path / "cmdline").read_bytes().split(b"\0")[0])
                if Path(program).name.startswith("rankine-") and (path / "cwd").resolve() == self.cwd:
                    found.append(int(path.name))
        return found


def slurm(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def exit_code(job: str) -> int:
    """Of a job that has ended."""
    text = slurm("scontrol", "show", "job", job)
    return int(text.partition("ExitCode=")[2].partition(":")[0])


def wait_until(is_true, explain=lambda: ""):
    deadline = time.monotonic() + HANG_SECONDS
    while not (found := is_true()):
        assert time.monotonic() < deadline, explain()
        time.sleep(0.1)
    return found


def signal_all(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def expect_equal(results: dict, others: dict, tolerance: float = 0.0) -> None:
    assert results.keys() == others.keys()
    for name, values in results.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(values, others[name], rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.fixture
def sweep(tmp_path):
    """A sweep of a deck; its jobs end with the test."""
    made = []

    def make(deck: str) -> Sweep:
        folder = tmp_path / f"a study {len(made)}"
        folder.mkdir()
        made.append(Sweep(folder, deck))
        return made[-1]

    yield make
    for one in made:
        for job in one.jobs():
            subprocess.run(["scancel", job], capture_output=True)
