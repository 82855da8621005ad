"""How runs stand, who may take them, and what is said to the user."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from conftest import HANG_SECONDS, children_of, kill, wait_until
from rankine_jobs.claim import Claim, holder

EACH_END = """[sweep.product]
"sleep.then" = ["done", "fail", "crash", "nothing", "stop", "die"]
"""


def by_end(rows: list[dict]) -> dict[str, dict]:
    return {row["parameters"]["sleep.then"]: row for row in rows}


def test_one_run_that_fails_does_not_hurt_others(sleepy):
    sweep = sleepy(EACH_END)
    outcome = sweep.run("--teams", 2)
    assert outcome.code == 75, outcome.err
    assert "6 runs: 1 stopped, 1 lost, 3 failed, 1 done" in outcome.out
    rows = by_end(sweep.rows())
    assert {end: (row["state"], row["exit_code"]) for end, row in rows.items()} == {
        "done": ("done", 0), "fail": ("failed", 1), "crash": ("failed", 139), "nothing": ("failed", 0), "stop": ("stopped", 75),
        "die": ("lost", 137)}  # fmt: skip
    assert rows["fail"]["message"] == "it did not work. Try something else."
    assert rows["crash"]["message"] == "ended by SIGSEGV"
    assert rows["nothing"]["message"] == "it ended well, but left no result.h5"
    assert rows["stop"]["message"] == "stopped by SIGTERM: kept all of it; the same command goes on"
    assert rows["die"]["message"] == "ended by SIGKILL"
    assert rows["done"]["result"] == f"runs/{rows['done']['hash']}/result.h5"
    assert all(row["attempts"] == 1 and row["seconds"] > 0 and row["started_utc"] <= row["ended_utc"] for row in rows.values())
    table = sweep.start("status").out
    assert "it did not work. Try something else." in table and "then=crash" in table


def test_the_index_says_what_status_says_and_can_be_made_again(sleepy):
    sweep = sleepy(EACH_END)
    sweep.run("--teams", 2)
    written = sweep.index()
    (sweep.folder / "sweep.sqlite").unlink()
    rows = sweep.rows()
    assert sweep.index() == written == [row | {"parameters": json.dumps(row["parameters"])} for row in rows]
    (sweep.folder / "sweep.sqlite").write_bytes(b"damaged")
    sweep.rows()
    assert sweep.index() == written


def test_a_sweep_goes_on_with_all_but_what_is_done(sleepy):
    sweep = sleepy(EACH_END)
    sweep.run("--teams", 2)
    assert sweep.run("--resume", "--teams", 2).code == 75
    assert {end: row["attempts"] for end, row in by_end(sweep.rows()).items()} == {
        "done": 1, "fail": 2, "crash": 2, "nothing": 2, "stop": 2, "die": 2}  # fmt: skip
    log = (sweep.run_folder(2) / "log.txt").read_text()
    assert log.count("12:00:00 sleeping") == 2 and log.count("== 20") == 2


def test_only_failed_runs_make_the_exit_code_one(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.then" = ["done", "fail"]\n')
    assert sweep.run().code == 1
    # Job scripts that are queued again do not try it again.
    outcome = sweep.start("work")
    assert outcome.code == 0 and outcome.out == "2 runs: 1 failed, 1 done\n"
    assert sweep.states() == ["done", "failed"]


def test_one_run_alone(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.then" = ["stop", "done", "fail"]\n')
    sweep.run()
    first = sweep.index()
    assert [row["state"] for row in first] == ["stopped", "done", "failed"]
    assert sweep.start("work", "--run", first[0]["hash"]).code == 75
    assert sweep.start("work", "--run", first[1]["hash"]).code == 0
    assert sweep.start("work", "--run", first[2]["hash"]).code == 1
    assert sweep.start("work", "--run", "none").code == 2
    assert [row["attempts"] for row in sweep.index()] == [2, 1, 1]
    assert sweep.index()[1:] == first[1:]


def test_a_used_folder_is_refused(sleepy):
    sweep = sleepy()
    assert sweep.run().code == 0
    outcome = sweep.run()
    assert outcome.code == 2 and outcome.out == ""
    assert outcome.err == ("rankine-sweep: Cannot begin a sweep in 'sweep' (it is in use: 1 run, 1 done). "
                           "Add --resume to go on there with what is missing, or choose another folder.\n")  # fmt: skip
    assert sweep.run("--resume").code == 0
    assert not sweep.complaints()


def test_a_deck_that_grows_and_shrinks(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.seconds" = [0.01, 0.02]\n')
    sweep.run()
    (sweep.root / "deck.toml").write_text('[sleep]\nthen = "done"\n[sweep.product]\n"sleep.seconds" = [0.03, 0.02, 0.04]\n')
    assert sweep.run("--resume").code == 0
    rows = sweep.rows()
    assert [row["parameters"]["sleep.seconds"] for row in rows] == [0.03, 0.02, 0.04]
    assert [row["number"] for row in rows] == [1, 2, 3] and [row["attempts"] for row in rows] == [1, 1, 1]
    assert len(list(sweep.folder.glob("runs/*/result.h5"))) == 4  # nothing is deleted


def test_nothing_starts_unless_all_runs_are_accepted(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.then" = ["done", "refuse"]\n"sleep.seconds" = [0.1, 0.2]\n')
    outcome = sweep.run()
    assert outcome.code == 2 and not sweep.folder.exists()
    assert "2 of 4 runs are refused by" in outcome.err
    assert "run 3 (then=refuse seconds=0.1); run 4 (then=refuse seconds=0.2):\n    nobody wants this\n" in outcome.err


def test_print_starts_nothing(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.seconds" = [0.1, 0.2]\n')
    outcome = sweep.run("--print")
    assert outcome.code == 0 and not sweep.folder.exists()
    assert "seconds=0.1" in outcome.out and "2 runs of " in outcome.out


@pytest.mark.parametrize("arguments, words", [
    (["--program", "./none"], "Cannot start ./none (there is no such program)"),
    (["--site", "none"], "Cannot read the site 'none' ("),
    (["--tems=3"], "Cannot use the argument '--tems=3'"),
    (["sleep.seconds"], "an override has the form section.key=value"),
])  # fmt: skip
def test_refused_command_lines(sleepy, arguments, words):
    sweep = sleepy()
    if "--program" in arguments:
        sweep.program = ""
    outcome = sweep.run(*arguments)
    assert outcome.code == 2 and words in outcome.err and not sweep.folder.exists()


def test_status_of_no_sweep(sleepy):
    outcome = sleepy().start("status")
    assert outcome.code == 2 and "There is no sweep in 'sweep'" in outcome.err


def test_overrides_stand_anywhere(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.seconds" = [0.01, 0.02]\n')
    outcome = sweep.run("--teams", 1, "sleep.then=nothing", "--resume")
    assert outcome.code == 1 and sweep.states() == ["failed", "failed"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_is_handed_to_the_programs(sleepy, number):
    sweep = sleepy('[sweep.product]\n"sleep.seconds" = [30, 31, 32]\n')
    with sweep.under_way("run", "--teams", 2) as process:
        wait_until(lambda: "sleeping" in "".join(path.read_text() for path in sweep.folder.glob("runs/*/log.txt"))
                   and len(list(sweep.folder.glob("runs/*/alive"))) == 2)  # fmt: skip
        time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(HANG_SECONDS) == 75
    assert sweep.states() == ["stopped", "stopped", "waiting"]
    assert f"asked to stop by {number.name}: handed to 2 running programs" in (sweep.root / "sweep.log").read_text()


def test_a_second_signal_ends_programs_at_once(sleepy):
    sweep = sleepy(seconds=30)
    with sweep.under_way("run") as process:
        wait_until(lambda: list(sweep.folder.glob("runs/*/alive")))
        os.kill(children_of(process.pid)[0], signal.SIGSTOP)  # it hears nothing
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: "asked to stop" in (sweep.root / "sweep.log").read_text())
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        assert process.wait(HANG_SECONDS) == 75


def test_a_run_that_is_ended_since_it_did_not_stop_in_time_has_not_failed(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.then" = ["ending"]\n', seconds=30)
    with sweep.under_way("run") as process:
        wait_until(lambda: list(sweep.folder.glob("runs/*/alive")))
        time.sleep(0.1)
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "asked to stop" in (sweep.root / "sweep.log").read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG_SECONDS) == 75
    row = sweep.rows()[0]
    assert (row["state"], row["message"], row["exit_code"]) == ("stopped", "ended by SIGTERM", 143)


def test_a_run_whose_sweep_was_killed_stays_claimed_and_is_not_run_twice(sleepy):
    sweep = sleepy()
    with sweep.under_way("run", "sleep.then=wait") as process:
        wait_until(lambda: list(sweep.folder.glob("runs/*/alive")))
        process.kill()
    assert sweep.states() == ["running"]
    outcome = sweep.run("--resume", "sleep.then=wait")
    assert outcome.code == 75 and "running: process" in outcome.out
    (sweep.run_folder(1) / "go").touch()
    wait_until(lambda: sweep.states() == ["done"])
    [row] = sweep.rows()
    assert row["attempts"] == 1 and row["seconds"] > 0 and row["ended_utc"]
    assert sweep.run("--resume", "sleep.then=wait").code == 0 and not sweep.complaints()


def test_a_run_that_was_killed_with_its_sweep_is_lost_and_taken_again(sleepy):
    sweep = sleepy()
    with sweep.under_way("run", "sleep.then=wait") as process:
        wait_until(lambda: list(sweep.folder.glob("runs/*/alive")))
        kill([process.pid, *children_of(process.pid)])
    wait_until(lambda: sweep.states() == ["lost"])
    assert sweep.rows()[0]["message"] == "it ended without a word, and its rankine-sweep with it"
    (sweep.run_folder(1) / "go").touch()
    assert sweep.start("work").code == 0  # as a job does that is queued again
    assert sweep.states() == ["done"] and sweep.rows()[0]["attempts"] == 2


def test_two_sweeps_on_one_folder_share_the_runs(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.seconds" = { from = 0.01, to = 0.05, count = 41 }\n')
    with sweep.under_way("run", "--teams", 2) as first, sweep.under_way("run", "--teams", 2, "--resume") as second:
        wait_until(lambda: first.poll() is not None and second.poll() is not None)
    assert {first.returncode, second.returncode} <= {0, 75}  # one may see the other's last run
    assert sweep.states() == 41 * ["done"]
    assert all(row["attempts"] == 1 for row in sweep.rows())
    assert not sweep.complaints()


def test_an_unreadable_line_of_attempts_is_passed_over(sleepy):
    sweep = sleepy(seconds=0.01)
    assert sweep.run("sleep.then=fail").code == 1
    attempts = sweep.run_folder(1) / "attempts.jsonl"
    attempts.write_text(attempts.read_text() + '{"began": "20')  # torn by a kill
    assert sweep.states() == ["failed"]
    assert sweep.run("sleep.then=fail", "--resume").code == 1
    assert sweep.rows()[0]["attempts"] == 2


def test_claims(tmp_path):
    path = tmp_path / "claim"
    assert holder(path) is None
    claim = Claim.take(path)
    assert Claim.take(path) is None and f"process {os.getpid()} on " in holder(path)
    child = subprocess.Popen(["sleep", "30"], pass_fds=[claim.descriptor])
    os.close(claim.descriptor)  # as a kill does
    assert Claim.take(path) is None and holder(path)
    child.kill()
    child.wait()
    assert holder(path) is None
    claim = Claim.take(path)
    claim.release()
    assert holder(path) is None


def test_claims_where_there_are_no_locks(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    path = tmp_path / "claim"
    claim = Claim.take(path)
    assert Claim.take(path) is None and holder(path)
    claim.release()
    assert holder(path) is None
    path.write_text("process 1 on another-host (rankine-sweep, since 2026-01-01T00:00:00Z)\n")
    assert Claim.take(path) is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path.write_text(f"process {ended.pid} on {os.uname().nodename} (rankine-sweep)\n")
    with contextlib.closing(open(path)):
        assert holder(path) is None


def test_a_folder_that_vanishes(sleepy):
    sweep = sleepy('[sweep.product]\n"sleep.seconds" = [1.0, 30, 31]\n')
    with sweep.under_way("run", "--teams", 2) as process:
        wait_until(lambda: len(list(sweep.folder.glob("runs/*/alive"))) == 2)
        shutil.rmtree(sweep.folder)
        assert process.wait(HANG_SECONDS) == 3
    said = (sweep.root / "sweep.log").read_text()
    assert "Cannot go on, sweep/runs/" in said and "(No such file or directory). Mend that, and start again" in said


def test_runs_keep_their_ranks_and_their_names(sleepy, monkeypatch):
    sweep = sleepy('[sweep.derived]\ntitle = "in {run}"\n')
    (sweep.root / "mpirun").write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    (sweep.root / "mpirun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{sweep.root}:{os.environ['PATH']}")
    assert sweep.run("--ranks", 3, "sleep.then=stop").code == 75
    folder = sweep.run_folder(1)
    description, deck = (folder / "run.json").read_text(), (folder / "deck.toml").read_text()
    assert json.loads(description)["ranks"] == 3 and 'title = "in sweep/runs/' in deck
    command = [str(sweep.folder) if word == "sweep" else word for word in sweep.command("run", "--resume", "sleep.then=stop")]
    assert subprocess.run(command, cwd=sweep.root, capture_output=True, timeout=HANG_SECONDS).returncode == 75
    assert ((folder / "run.json").read_text(), (folder / "deck.toml").read_text()) == (description, deck)
    assert sweep.rows()[0]["attempts"] == 2


def test_a_folder_that_cannot_be_written_is_refused(sleepy):
    sweep = sleepy()
    shutil.rmtree(sweep.folder, ignore_errors=True)
    sweep.folder.write_text("a file")
    assert "is in use" in sweep.run().err
    outcome = sweep.run("--resume")
    assert outcome.code == 2 and "Choose a folder that you may write to" in outcome.err
