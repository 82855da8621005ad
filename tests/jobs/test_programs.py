"""Sweeps of rankine-simulate: killed, stopped, and how busy the teams are."""

import fcntl
import os
import random
import re
import subprocess
import time

import h5py
import numpy as np
import pytest

from conftest import HANG_SECONDS, TREE, Sweep, children_of, kill, wait_until

SMALL = """
[lattice]
name = "eagle"
[output]
file = "unused.h5"
"""
# Truncated at every bond, without causal cone: each point takes a second.
LONG = SMALL + """
[circuit]
steps = 8
[state]
max_bond_dimension = 32
causal_cone = false
[measure]
every = 4
[run]
checkpoint_interval = 0.0
[sweep.product]
"circuit.theta_h" = [0.8]
"""


def results(path) -> dict:
    with h5py.File(path) as file:
        return {name: data[...] for name, data in file["results"].items() if isinstance(data, h5py.Dataset)}


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Results of an undisturbed run on 2 ranks."""
    sweep = Sweep(tmp_path_factory.mktemp("straight"), LONG)
    outcome = sweep.run("--ranks", 2, "--teams", 1)
    assert outcome.code == 0, outcome.err
    return results(sweep.run_folder(1) / "result.h5")


def has_a_state(sweep) -> bool:
    return len(list(sweep.folder.glob("runs/*/restart/*/stage.json"))) > 0


def check_it_went_on(sweep, straight):
    assert "goes on after step" in (sweep.run_folder(1) / "log.txt").read_text()
    for name, values in results(sweep.run_folder(1) / "result.h5").items():
        np.testing.assert_array_equal(values, straight[name], err_msg=name)


def test_a_lost_run_goes_on_where_it_was(tmp_path, straight):
    sweep = Sweep(tmp_path, LONG)
    with sweep.under_way("run", "--ranks", 2) as process:
        wait_until(lambda: has_a_state(sweep))
        kill([process.pid, *children_of(process.pid)])
    wait_until(lambda: sweep.states() == ["lost"])
    outcome = sweep.run("--resume", "--ranks", 2)
    assert outcome.code == 0, outcome.err
    check_it_went_on(sweep, straight)


def test_a_stopped_run_goes_on_where_it_was(tmp_path, straight):
    sweep = Sweep(tmp_path, LONG)
    with sweep.under_way("run", "--ranks", 2) as process:
        wait_until(lambda: has_a_state(sweep))
        process.terminate()
        assert process.wait(HANG_SECONDS) == 75
    [row] = sweep.rows()
    assert (row["state"], row["exit_code"]) == ("stopped", 75)
    assert row["message"].startswith("stopped by SIGUSR1: ") and row["message"].endswith("; the same command goes on")
    assert sweep.run("--resume", "--ranks", 2).code == 0
    check_it_went_on(sweep, straight)


def test_ranks_that_outlive_their_launcher_fail_no_run(tmp_path):
    sweep = Sweep(tmp_path, LONG)
    assert sweep.run("run.wall_time_limit=0.001").code == 75
    result = sweep.run_folder(1) / "result.h5"
    with open(f"{result}.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert sweep.run("--resume").code == 75
    [row] = sweep.rows()
    assert row["state"] == "lost" and "another run is writing it" in row["message"]


def test_random_kills_of_short_runs(tmp_path):
    sweep, choose = Sweep(tmp_path, SMALL + '[sweep.product]\n"circuit.steps" = [1, 2, 3, 4, 5, 6]\n'), random.Random(19)
    for _ in range(8):
        with sweep.under_way("run", "--resume", "--teams", 2) as process:
            time.sleep(choose.uniform(0.2, 1.0))
            kill([process.pid] + (children_of(process.pid) if choose.random() < 0.5 else []))
    wait_until(lambda: sweep.run("--resume", "--teams", 2).code == 0)
    assert [row["state"] for row in sweep.index()] == 6 * ["done"]
    for row in sweep.rows():
        assert results(sweep.folder / row["result"])["steps"][-1] == row["parameters"]["circuit.steps"]
        ends = [line for line in (sweep.run_folder(row["number"]) / "log.txt").read_text().splitlines() if " results in " in line]
        assert len(ends) <= 1  # not computed again once it was complete


def test_a_hundred_short_decks_keep_the_teams_busy(tmp_path):
    sweep = Sweep(tmp_path, SMALL + """
[circuit]
steps = 3
[sweep.product]
"circuit.theta_h" = { from = 0.0, to = 0.99, step = 0.01 }
""")
    outcome = sweep.run("--teams", 2)
    assert outcome.code == 0, outcome.err
    print(outcome.out)
    assert "100 runs: 100 done" in outcome.out
    assert float(re.search(r"busy ([\d.]+) % of it", outcome.out)[1]) >= 90


def test_programs_leave_sweeps_to_the_command(tmp_path):
    (tmp_path / "deck.toml").write_text(LONG)
    done = subprocess.run([f"{os.environ['RANKINE_BIN']}/rankine-simulate", "deck.toml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "a deck with [sweep], deck.toml:" in done.stderr and "jobscripts/rankine-sweep run DECK FOLDER" in done.stderr


def test_what_a_program_refuses_is_told_before_anything_starts(tmp_path):
    sweep = Sweep(tmp_path, SMALL + '[sweep.product]\n"circuit.stpes" = [1, 2]\n')
    outcome = sweep.run()
    assert outcome.code == 2 and not sweep.folder.exists()
    assert "2 of 2 runs are refused by" in outcome.err and "Did you mean circuit.steps?" in outcome.err


def test_relative_paths_begin_where_the_command_was_started(tmp_path):
    """And a run may have files of its own beside its result."""
    (tmp_path / "one.edges").write_text("0 1\n")
    deck = SMALL.replace('"eagle"', '"edge-list"') + '[sweep.product]\n"lattice.file" = ["one.edges"]\n'
    sweep = Sweep(tmp_path, deck + '[sweep.derived]\ntitle = "in {run}"\n')
    outcome = sweep.run()
    assert outcome.code == 0, outcome.err
    with h5py.File(sweep.run_folder(1) / "result.h5") as file:
        assert file["results"].attrs["title"] == f"in sweep/runs/{sweep.rows()[0]['hash']}"
    assert TREE not in sweep.folder.parents
