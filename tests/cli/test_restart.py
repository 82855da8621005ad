"""Simulations and evaluations that are stopped go on where they were: the same values as a straight run, whatever stops
them, on any number of ranks. RANKINE_TRIALS asks for more than one stop of each kind."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from conftest import HANG_SECONDS, STORIES, Program, evaluate_stories, simulate_eagle

# Truncated at every bond, without causal cone: each point takes a second.
DECK = {
    "circuit": {"steps": 8, "theta_h": [0.8, 0.6]},
    "state": {"max_bond_dimension": 32, "causal_cone": False},
    "measure": {"observables": ["magnetization", "Z62"], "every": 4},
    "run": {"directory": "states"},
}
WAYS = ["SIGTERM", "SIGINT", "SIGUSR1", "file", "time"]
TRIALS = [(way, trial) for trial in range(int(os.environ.get("RANKINE_TRIALS", "1"))) for way in WAYS]


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Results of an undisturbed run on 2 ranks, and its seconds."""
    program = simulate_eagle(tmp_path_factory.mktemp("straight"))
    began = time.monotonic()
    return program.results(ranks=2, **DECK), time.monotonic() - began


def ranks_of(launcher: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()]


def ask_to_stop(program: Program, process: subprocess.Popen, way: str, choose: random.Random):
    if way == "file":
        (program.folder / "result.h5.stop").touch()
    elif way == "SIGUSR1":  # mpirun hands it on
        process.send_signal(signal.SIGUSR1)
    else:  # to one of the ranks
        os.kill(choose.choice(ranks_of(process.pid)), getattr(signal, way))


def run_until_stopped(program: Program, deck: str, way: str, after: float, choose: random.Random, *arguments: str):
    """Exit code and what was said of a run on 2 ranks that is asked to stop after so many seconds."""
    if way == "time":
        arguments += (f"run.wall_time_limit={after}",)
    log, began = program.folder / "log", time.monotonic()
    with log.open("w") as stream:
        process = subprocess.Popen(program.command(deck, *arguments, ranks=2), cwd=program.folder,
                                   stdout=subprocess.DEVNULL, stderr=stream)
    if way != "time":
        # A signal that comes before the program has begun ends it, as it ends any other.
        while process.poll() is None and (time.monotonic() - began < after or " rankine-" not in log.read_text()):
            time.sleep(0.01)
        if process.poll() is None:
            ask_to_stop(program, process, way, choose)
    process.wait(timeout=HANG_SECONDS)
    return process.returncode, log.read_text()


def check_stopped(program: Program, said: str):
    last = [line for line in said.splitlines() if "stopped by " in line][-1]
    assert last.endswith("the same command goes on")
    partial = program.folder / "result.h5.partial"
    assert ("in result.h5.partial" in last) == partial.exists()
    if partial.exists():
        with h5py.File(partial) as file:
            assert file.attrs["status"] == "stopped"


@pytest.mark.parametrize("way, trial", TRIALS)
def test_a_stopped_run_goes_on_as_if_nothing_had_happened(tmp_path, straight, way, trial):
    expected, seconds = straight
    choose = random.Random(f"{way} {trial}")
    ranks = choose.choice([1, 2, 3])
    program = simulate_eagle(tmp_path)
    deck = program.deck(**DECK)
    code, said = run_until_stopped(program, deck, way, choose.uniform(0.3, 0.9) * seconds, choose)
    assert code in (0, 75), said  # 0: it was done before
    if code == 75:
        check_stopped(program, said)
        outcome = program.start(deck, ranks=ranks)
        assert outcome.code == 0, outcome.err
    assert not list((tmp_path / "states").glob("*"))  # done with, or never needed
    for name, values in program.read().items():
        if ranks == 2 or code == 0:
            np.testing.assert_array_equal(values, expected[name], err_msg=name)
        else:
            np.testing.assert_allclose(values, expected[name], rtol=0, atol=1e-12, err_msg=name)


EVALUATION = {"evaluate": {"stride": 4, "window_length": 32}, "run": {"checkpoint_interval": 0.5}}


@pytest.fixture(scope="module")
def straight_evaluation(tmp_path_factory):
    program = evaluate_stories(tmp_path_factory.mktemp("straight"))
    began = time.monotonic()
    return program.results(ranks=2, parallel={"teams": 2}, **EVALUATION), time.monotonic() - began


@pytest.mark.parametrize("way, trial", TRIALS)
def test_a_stopped_evaluation_goes_on_as_if_nothing_had_happened(tmp_path, straight_evaluation, way, trial):
    """Each team holds the whole model, so that the bits do not depend on the ranks."""
    expected, seconds = straight_evaluation
    choose = random.Random(f"evaluation {way} {trial}")
    program = evaluate_stories(tmp_path)
    deck = program.deck(**EVALUATION)
    code, said = run_until_stopped(program, deck, way, choose.uniform(0.4, 0.9) * seconds, choose, "parallel.teams=2")
    assert code in (0, 75), said
    if code == 75:
        check_stopped(program, said)
        ranks = choose.choice([1, 2, 3])
        outcome = program.start(deck, f"parallel.teams={ranks}", ranks=ranks)
        assert outcome.code == 0, outcome.err
        assert re.search(r"\d+ of \d+ windows taken from result.h5.partial", outcome.err)
    for name, values in program.read().items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_windows_of_other_weights_are_not_taken(tmp_path, straight_evaluation):
    program = evaluate_stories(tmp_path)
    model = tmp_path / "model"
    shutil.copytree(STORIES, model)
    slow = {"evaluate": EVALUATION["evaluate"] | {"stride": 1}}  # four times as long as the straight run
    deck = program.deck(**EVALUATION | slow, model={"path": "model"})
    code, said = run_until_stopped(program, deck, "SIGUSR1", 0.6 * straight_evaluation[1], random.Random(0), "parallel.teams=2")
    assert code == 75, said
    weights = bytearray((model / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (model / "model.safetensors").write_bytes(weights)
    outcome = program.start(deck)
    assert outcome.code == 2 and "belong to other weights" in outcome.err


def stopped_after_the_first_point(program: Program):
    """A deck of which one point is finished in result.h5.partial."""
    deck = program.deck(**DECK)
    process = subprocess.Popen(program.command(deck), cwd=program.folder, stderr=subprocess.DEVNULL)
    partial = program.folder / "result.h5.partial"
    while not partial.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=HANG_SECONDS) == 75
    return deck


def test_a_fuller_unfinished_file_is_not_replaced(rankine):
    deck = stopped_after_the_first_point(rankine)
    kept = (rankine.folder / "result.h5.partial").read_bytes()
    for override, reason in [
            ("circuit.steps=4", "circuit.steps = 8 there, 4 here"),
            ("circuit.theta_h=[0.6]", "the point of theta_h = 0.8 and bond dimension 32 is finished there and would be lost")]:
        outcome = rankine.start(deck, override)
        assert outcome.code == 2 and reason in outcome.err
        assert (rankine.folder / "result.h5.partial").read_bytes() == kept
    # More points of the same kind are another matter.
    assert rankine.start(deck, "circuit.theta_h=[0.8, 0.1]").code == 0
    assert rankine.read()["theta_h"].tolist() == [0.8, 0.1]


def test_a_damaged_state_is_passed_over_for_the_one_before(rankine, straight):
    rankine.deck(**DECK)
    process = subprocess.Popen(rankine.command("deck.toml", "run.checkpoint_interval=0"), cwd=rankine.folder,
                               stderr=subprocess.DEVNULL)
    states = rankine.folder / "states"
    while process.poll() is None and len(list(states.glob("point.*/stage.json"))) < 2:
        time.sleep(0.01)
    process.kill()
    process.wait()
    newest = max((path.parent for path in states.glob("point.*/stage.json")),
                 key=lambda folder: int(folder.name.split(".")[1].split("-")[0]))
    with open(newest / "model.safetensors", "r+b") as file:
        file.truncate(1000)
    outcome = rankine.start("deck.toml")
    assert outcome.code == 0
    assert "The state before it is taken" in outcome.err and "goes on after step" in outcome.err
    np.testing.assert_allclose(rankine.read()["Z62"], straight[0]["Z62"], rtol=0, atol=1e-12)
