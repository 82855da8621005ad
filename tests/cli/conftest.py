"""Runs the programs on decks written by the tests, each in a folder of its own."""

import json
import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

import h5py
import pytest

BINARIES = Path(os.environ.get("RANKINE_BIN", Path(__file__).parents[2] / "build" / "bin"))
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n"]
HANG_SECONDS = 120
PEERS = Path(__file__).parents[2] / "build" / "python-peers" / "bin" / "python"
STORIES = Path(__file__).parents[2] / "inputs" / "models" / "stories260K"
RESULT = "result.h5"

# What CTest sets; here for runs by hand.
for name, value in {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",  # ranks that wait leave the cores to other tests
    "OPENBLAS_NUM_THREADS": "1",
}.items():
    os.environ.setdefault(name, value)


@dataclass
class Outcome:
    """What a run left behind."""

    code: int
    out: str
    err: str


class Program:
    """A program in one folder; `given` are the sections its decks have unless a test says otherwise."""

    def __init__(self, folder: Path, name: str, given: dict):
        self.folder = folder
        self.name = name
        self.given = {"output": {"file": RESULT}} | given

    def write(self, name: str, text: str) -> str:
        """Writes an input file; returns its name."""
        (self.folder / name).write_text(text)
        return name

    def deck(self, **sections) -> str:
        """Writes deck.toml: `title` and one dictionary for each section, over what is given."""
        given = dict(self.given)
        text = f"title = {json.dumps(sections.pop('title'))}\n" if "title" in sections else ""
        for name, values in sections.items():
            given[name] = given.get(name, {}) | values
        for name, values in given.items():
            text += f"[{name}]\n"
            # JSON writes strings, finite numbers, booleans and lists of them as TOML does.
            text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        return self.write("deck.toml", text)

    def command(self, *arguments, ranks: int | None = None) -> list[str]:
        launcher = [] if ranks is None else [*MPIRUN, str(ranks)]
        return [*launcher, str(BINARIES / self.name), *map(str, arguments)]

    def start(self, *arguments, ranks: int | None = None, memory_limit: int | None = None) -> Outcome:
        """One run with these arguments; `ranks` puts it under mpirun, `memory_limit` is in bytes."""
        limit = memory_limit and (lambda: resource.setrlimit(resource.RLIMIT_AS, (memory_limit,) * 2))
        done = subprocess.run(
            self.command(*arguments, ranks=ranks), cwd=self.folder, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=HANG_SECONDS, preexec_fn=limit)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run(self, *arguments, ranks: int | None = None, **sections) -> Outcome:
        """Writes a deck and starts the program on it."""
        return self.start(self.deck(**sections), *arguments, ranks=ranks)

    def results(self, *arguments, ranks: int | None = None, **sections) -> dict:
        """A run that must succeed: the arrays of /results by name."""
        outcome = self.run(*arguments, ranks=ranks, **sections)
        assert outcome.code == 0, outcome.err
        return self.read()

    def read(self, name: str = RESULT) -> dict:
        with h5py.File(self.folder / name) as file:
            return {key: dataset[...] for key, dataset in file["results"].items() if isinstance(dataset, h5py.Dataset)}

    def result_files(self) -> list[str]:
        """Everything named after the result, finished or not."""
        return sorted(path.name for path in self.folder.glob(RESULT + "*"))


@pytest.fixture
def rankine(tmp_path) -> Program:
    return simulate_eagle(tmp_path)


def simulate_eagle(folder: Path) -> Program:
    """rankine-simulate, on Eagle."""
    return Program(folder, "rankine-simulate", {"lattice": {"name": "eagle"}})


@pytest.fixture
def evaluate(tmp_path) -> Program:
    """evaluate_stories in a folder of the test."""
    return evaluate_stories(tmp_path)


def evaluate_stories(folder: Path) -> Program:
    """rankine-evaluate, on the small story model and its tokens."""
    return Program(folder, "rankine-evaluate", {
        "model": {"path": str(STORIES)},
        "evaluate": {"text": str(STORIES / "test_tokens.npy"), "window_length": 256}})


@pytest.fixture
def compress(tmp_path) -> Program:
    """compress_stories in a folder of the test."""
    return compress_stories(tmp_path)


def compress_stories(folder: Path) -> Program:
    """rankine-compress, on the small story model, scored on few of its tokens."""
    return Program(folder, "rankine-compress", {
        "model": {"path": str(STORIES)},
        "calibration": {"text": str(STORIES / "calibration_tokens.npy"), "windows": 8, "window_length": 256,
                        "gradient_windows": 8, "gradient_window_length": 256},
        "evaluate": {"text": str(STORIES / "test_tokens.npy"), "window_length": 256, "max_windows": 8}})


@pytest.fixture
def scorer(compress) -> Program:
    """rankine-evaluate in the folder of `compress`, on what that was scored on."""
    return Program(compress.folder, "rankine-evaluate", {"output": {"file": "score.h5"}, "evaluate": compress.given["evaluate"]})


@pytest.fixture
def compress_refuses(compress):
    """expect_refusal of rankine-compress."""
    return expect_refusal(compress)


@pytest.fixture
def refuses(rankine):
    """expect_refusal of rankine-simulate."""
    return expect_refusal(rankine)


@pytest.fixture
def evaluate_refuses(evaluate):
    """expect_refusal of rankine-evaluate."""
    return expect_refusal(evaluate)


def expect_refusal(rankine: Program):
    """Expects that the deck is refused with these messages, once, and that no result is left.

    Most decks are only checked; a run reads them by the same steps, and `ranks` adds one.
    """

    def expect(*messages, code=2, deck=None, arguments=(), ranks=None, **sections):
        path = deck if deck is not None else rankine.deck(**sections)
        outcomes = [rankine.start(path, *arguments, "--check")]
        if ranks is not None:
            outcomes.append(rankine.start(path, *arguments, ranks=ranks or None))
        for outcome in outcomes:
            assert outcome.code == code, outcome
            assert outcome.err.count("error: ") == 1, outcome.err
            for message in messages:
                assert message in outcome.err
            assert rankine.result_files() == []
        return outcomes[-1]

    return expect


@pytest.fixture
def peers(tmp_path):
    """Runs a script of this folder in an interpreter that has torch and transformers; nothing is fetched."""
    assert PEERS.exists(), "There are no Python packages to compare with in build/python-peers. Run scripts/setup check."

    def run(script, *arguments):
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run([PEERS, Path(__file__).parent / script, *map(str, arguments)], env=environment,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
