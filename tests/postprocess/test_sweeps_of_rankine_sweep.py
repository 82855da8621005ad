"""The folders that rankine-sweep makes are those that the package reads: its own modules write runs in every state."""

import sys
from pathlib import Path

import pytest
from compression_file import CompressDeck, write
from rankine_postprocess.study import read_study

sys.path.insert(0, str(Path(__file__).parents[2] / "jobscripts"))
from rankine_jobs.deck import read_deck  # noqa: E402
from rankine_jobs.run_folder import RunFolder  # noqa: E402
from rankine_jobs.runs import runs_of  # noqa: E402
from rankine_jobs.sweep_folder import SweepFolder  # noqa: E402

DECK = """# program: rankine-compress
[adapter]
kind = "cayley"
[sweep.product]
"adapter.block" = [2, 4, 8, 16, 32, 64, 128]
"""
STATES = ["done", "failed", "stopped", "lost", "waiting", "running", "waiting"]


@pytest.fixture
def sweep(tmp_path):
    (tmp_path / "deck.toml").write_text(DECK)
    deck = read_deck(str(tmp_path / "deck.toml"))
    folder = SweepFolder(tmp_path / "sweep")
    runs = runs_of(deck)
    folder.prepare(deck, runs, 2)
    return folder, [folder.folder(run.hash) for run in runs]


def make_states(folders: list[RunFolder]):
    """One run in each of STATES; returns the claim of the one that is running."""
    done, failed, stopped, lost, again, running, _ = folders
    for folder in folders[:6]:
        folder.began(job_id="17")
    write(done.result, CompressDeck(block=2))
    done.ended(0, 1.0, "", False)
    failed.ended(3, 2.0, "error: not enough memory", False)
    stopped.ended(75, 3.0, "stopped at the wall time limit", True)
    lost.ended(137, 4.0, "ended by SIGKILL", False)
    again.ended(2, 5.0, "error: no such file", False)
    again.try_again()
    return running.claim()


def test_states_are_the_same_in_both(sweep):
    folder, folders = sweep
    claim = make_states(folders)
    study = read_study([folder.path])
    assert [run.state for run in study.runs] == STATES == [str(row.standing.state) for row in folder.rows()]
    for run, row in zip(study.runs, folder.rows()):
        assert (run.name, run.number, run.program, run.parameters) == (row.hash, row.number, row.program, row.parameters)
        assert run.exit_code == row.standing.exit_code or run.state in ("running", "waiting")
        assert run.attempts == row.standing.attempts
        if run.state != "running":
            assert run.message == row.standing.message and (run.seconds or 0.0) == row.standing.seconds
    claim.release()
    assert read_study([folder.path]).runs[5].state == "lost"
