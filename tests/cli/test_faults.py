"""What happens to machines and disks: killed ranks, states cut short, full disks, folders that vanish, two jobs at once. Nothing
hangs, what was saved counts, a message says what to do, and the run that goes on ends as one that nothing has disturbed."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from conftest import HANG_SECONDS, RESULT, Outcome, Program, compress_stories, evaluate_stories, simulate_eagle
from distilling import distill_images

KEPT = {"run": {"directory": "kept", "checkpoint_interval": 0}}


@dataclass
class Case:
    """A program with a deck that takes a second or two and writes states in `kept`."""

    make: object
    deck: dict
    states: str  # the folders in which they lie
    tolerance: float  # of results on other numbers of ranks, relative


CASES = {
    "simulate": Case(simulate_eagle, {"circuit": {"steps": 9, "theta_h": [0.8]}, "state": {"max_bond_dimension": 24, "causal_cone": False},
                                      "measure": {"observables": ["magnetization", "Z62"], "every": 3}}, "point.*", 1e-12),
    "compress": Case(compress_stories, {"ranks": {"allocation": "uniform", "parameter_ratio": 0.6},
                                        "heal": {"steps": 40, "window_length": 256, "learning_rate": 1e-3}}, "healing.*", 1e-3),
    "distill": Case(distill_images, {"ranks": {"parameter_ratio": 0.5, "allocation": "uniform"},
                                     "distill": {"epochs": 60, "batch_size": 8, "learning_rate": 3e-3}}, "slice-*", 1e-3),
}


@pytest.fixture(params=CASES)
def case(request) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Results of a run on 2 ranks that nothing disturbs, of any case."""
    found = {}

    def of(case: Case) -> dict:
        if case.states not in found:
            found[case.states] = undisturbed(case.make(tmp_path_factory.mktemp("straight")), case.deck, ranks=2)
        return found[case.states]

    return of


def undisturbed(program: Program, deck: dict, ranks: int | None = None) -> dict:
    outcome = program.start(program.deck(**deck), ranks=ranks)
    assert outcome.code == 0, outcome.err
    return numbers(program.read())


def numbers(results: dict) -> dict:
    """Without times and what teams had to do with it."""
    return {name: value for name, value in results.items()
            if value.dtype.kind == "f" and not re.search("second|cost|started|finished|simulated|flops|schedule", name)}


def complete_states(program: Program, case: Case) -> list[Path]:
    return [notes.parent for notes in program.folder.glob(f"kept/{case.states}/stage.json")]


def start(program: Program, case: Case, *arguments: str, ranks: int = 2) -> subprocess.Popen:
    """A run in a session of its own, whose log is in the folder."""
    command = program.command(program.deck(**case.deck | KEPT), *arguments, ranks=ranks)
    with (program.folder / "log").open("w") as log:
        return subprocess.Popen(command, cwd=program.folder, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)


def wait_until(process: subprocess.Popen, happened) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not happened():
        assert process.poll() is None and time.monotonic() < deadline, "it did not happen while the run lived"
        time.sleep(0.001)


def end_of(program: Program, process: subprocess.Popen) -> Outcome:
    """How the run ended, which it must do soon."""
    process.wait(timeout=30)
    return Outcome(process.returncode, "", (program.folder / "log").read_text())


def go_on(program: Program, case: Case, expected: dict, ranks: int = 2, exactly: bool = True) -> str:
    """The log of the same command, which must end with the values of an undisturbed run."""
    outcome = program.start("deck.toml", ranks=ranks)
    assert outcome.code == 0, outcome.err
    found = numbers(program.read())
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        if exactly:
            np.testing.assert_array_equal(found[name], values, err_msg=name)
        else:
            np.testing.assert_allclose(found[name], values, rtol=case.tolerance, atol=case.tolerance, err_msg=name)
    return outcome.err


def has_gone_on(log: str) -> bool:
    return bool(re.search("goes on after step|finished slices? taken", log))


@pytest.mark.parametrize("victim, ranks", [(0, 3), (1, 4)])
def test_one_rank_is_killed_in_mid_step(case, straight, tmp_path, victim, ranks):
    program = case.make(tmp_path)
    process = start(program, case)
    wait_until(process, lambda: complete_states(program, case))
    launcher = process.pid
    children = [int(child) for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()]
    os.kill(children[victim], signal.SIGKILL)
    assert end_of(program, process).code not in (0, 75)
    assert not (tmp_path / RESULT).exists()
    assert has_gone_on(go_on(program, case, straight(case), ranks, exactly=False))


def test_all_ranks_are_killed_while_a_state_is_written(case, straight, tmp_path):
    program = case.make(tmp_path)
    process = start(program, case)
    # A state whose folder is there and whose notes, the last of its files, are not.
    kept = tmp_path / "kept"
    wait_until(process, lambda: len(complete_states(program, case)) > 0
               and any(not (folder / "stage.json").exists() for folder in kept.glob(case.states)))
    os.killpg(process.pid, signal.SIGKILL)
    for child in children_named(program):
        os.kill(child, signal.SIGKILL)
    assert end_of(program, process).code != 0
    assert has_gone_on(go_on(program, case, straight(case)))


def children_named(program: Program) -> list[int]:
    """Processes of the program that have this folder: ranks have sessions of their own."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve() == program.folder and (entry / "comm").read_text().startswith(program.name[:15]):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_the_newest_state_is_cut_short(case, straight, tmp_path):
    program = case.make(tmp_path)
    process = start(program, case)
    wait_until(process, lambda: len(complete_states(program, case)) >= 2)
    for child in children_named(program):
        os.kill(child, signal.SIGKILL)
    end_of(program, process)
    newest = max(complete_states(program, case), key=lambda folder: (folder / "stage.json").stat().st_mtime_ns)
    with (newest / "model.safetensors").open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) // 2)
    log = go_on(program, case, straight(case))
    assert f"Cannot go on from 'kept/{newest.name}'" in log and has_gone_on(log)


def test_the_disk_is_full(case, straight, tmp_path):
    """A file system of its own, on which a filler leaves room for the first states only."""
    program = case.make(tmp_path)
    program.deck(**case.deck | KEPT | {"run": KEPT["run"] | {"directory": "disk/kept"}, "output": {"file": "disk/" + RESULT}})
    command = " ".join(program.command("deck.toml", ranks=2))
    script = f"""
mkdir disk && mount -t tmpfs -o size=512m tmpfs disk || exit 90
{command} >/dev/null 2>first.log &
run=$!
while kill -0 $run 2>/dev/null && ! ls disk/kept/{case.states}/stage.json >/dev/null 2>&1; do sleep 0.002; done
pkill -STOP -P $run
head -c 600M /dev/zero >disk/filler 2>/dev/null
pkill -CONT -P $run
wait $run; echo $? >first.code
ls disk >first.files
rm -f disk/filler
{command} >/dev/null 2>second.log; echo $? >second.code
cp disk/{RESULT} .
umount disk"""
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "bash", "-c", script], cwd=tmp_path, timeout=HANG_SECONDS,
                          capture_output=True, text=True)
    first = (tmp_path / "first.log").read_text() if (tmp_path / "first.log").exists() else done.stderr
    assert (tmp_path / "first.code").read_text().strip() == "3", first
    assert "No space left on device" in first and "Free space there" in first
    assert RESULT not in (tmp_path / "first.files").read_text().split()
    assert (tmp_path / "second.code").read_text().strip() == "0", (tmp_path / "second.log").read_text()
    assert has_gone_on((tmp_path / "second.log").read_text())
    expected = straight(case)
    for name, values in numbers(program.read()).items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_the_folder_of_the_results_vanishes(case, straight, tmp_path):
    program = case.make(tmp_path)
    (tmp_path / "out").mkdir()
    process = start(program, case, "output.file=out/" + RESULT)
    wait_until(process, lambda: complete_states(program, case))
    shutil.rmtree(tmp_path / "out")
    outcome = end_of(program, process)
    assert outcome.code == 2, outcome.err
    assert f"Cannot write 'out/{RESULT}" in outcome.err and "Choose a folder that exists" in outcome.err
    # What was saved is where run.directory says.
    assert has_gone_on(go_on(program, case, straight(case)))


def test_of_two_runs_one_is_refused(case, tmp_path):
    """By the result file, and by the folder of the states."""
    program = case.make(tmp_path)
    process = start(program, case)
    wait_until(process, lambda: (tmp_path / "kept.lock").exists() and len(children_named(program)) == 2)
    for child in children_named(program):
        os.kill(child, signal.SIGSTOP)  # for as long as others try
    for override, name in (("title='same'", RESULT), ("output.file='other.h5'", "kept")):
        second = program.start("deck.toml", override, ranks=2)
        assert second.code == 2 and f"Cannot write '{name}' (another run is writing it: process " in second.err, second.err
        assert "Wait for it, or choose another name." in second.err
    for child in children_named(program):
        os.kill(child, signal.SIGKILL)
    end_of(program, process)
    assert (tmp_path / "kept.lock").exists()
    # The lock of a run that was killed is no hindrance, and the last one puts it away.
    assert program.start("deck.toml").code == 0
    assert not list(tmp_path.glob("*.lock"))


def test_states_of_another_deck_are_not_taken(case, tmp_path):
    """They stay for the deck they belong to."""
    other = {"simulate": {"circuit": {"steps": 9, "theta_h": [0.7]}}, "compress": {"heal": {"learning_rate": 2e-3}},
             "distill": {"distill": {"learning_rate": 2e-3}}}
    program = case.make(tmp_path)
    process = start(program, case)
    wait_until(process, lambda: complete_states(program, case))
    for child in children_named(program):
        os.kill(child, signal.SIGKILL)
    end_of(program, process)
    states = {folder.name for folder in complete_states(program, case)}
    (tmp_path / (RESULT + ".partial")).unlink(missing_ok=True)
    name = next(key for key, value in CASES.items() if value is case)
    sections = {section: case.deck.get(section, {}) | other[name].get(section, {}) for section in case.deck | other[name]}
    found = program.start(program.deck(**sections | KEPT), ranks=2)
    assert found.code == 0 and not has_gone_on(found.err), found.err
    (tmp_path / "clean").mkdir()
    expected = undisturbed(case.make(tmp_path / "clean"), sections, ranks=2)
    for key, values in numbers(program.read()).items():
        np.testing.assert_array_equal(values, expected[key], err_msg=key)
    assert states <= {folder.name for folder in complete_states(program, case)}


# Little work, since sixteen ranks share the cores.
WIDE = {
    "simulate": (simulate_eagle, {"circuit": {"steps": 3, "theta_h": [0.8]}, "state": {"causal_cone": False}}),
    "evaluate": (evaluate_stories, {"evaluate": {"max_windows": 2, "window_length": 64}}),
    "compress": (compress_stories, {"method": {"weighting": "none"}, "ranks": {"parameter_ratio": 0.6}, "export": {"directory": "out"},
                                    "heal": {"steps": 2, "window_length": 64}, "evaluate": {"max_windows": 2, "window_length": 64}}),
    "distill": (distill_images, {"ranks": {"parameter_ratio": 0.5, "allocation": "uniform"}, "export": {"directory": "out"},
                                 "distill": {"epochs": 4, "batch_size": 8, "learning_rate": 3e-3}}),
}


@pytest.mark.parametrize("name", WIDE)
def test_more_ranks_than_cores_write_without_a_hang(name, tmp_path):
    """Sixteen of them, some of which own nothing."""
    make, deck = WIDE[name]
    expected = undisturbed(make(tmp_path), deck | KEPT, ranks=2)
    shutil.rmtree(tmp_path / "kept", ignore_errors=True)
    found = undisturbed(make(tmp_path), deck | KEPT, ranks=16)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-3, atol=1e-3, err_msg=key)
