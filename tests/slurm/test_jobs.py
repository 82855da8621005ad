"""Real jobs: a run, a sweep as an array, teams in one allocation, and jobs that hit their limit, are queued again and finish."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import Sweep, TREE, exit_code, expect_equal, signal_all, slurm, wait_until

assert os.environ.get("SLURM_CONF"), "These tests need a Slurm. Run scripts/slurm_up, and export what it prints."

STORIES = TREE / "inputs" / "models" / "stories260K"
SIMULATION = """
[lattice]
name = "eagle"
[circuit]
steps = {steps}
theta_h = [0.8]
[state]
max_bond_dimension = {bond}
causal_cone = false
[measure]
observables = ["magnetization"]
every = {steps}
"""
SHORT = SIMULATION.format(steps=2, bond=4)
THREE = SHORT + '[sweep.product]\n"circuit.theta_h" = [[0.3], [0.6], [0.9]]\n'
LANGUAGE_MODEL = f"""
[model]
path = "{STORIES}"
[calibration]
text = "{STORIES}/calibration_tokens.npy"
windows = 8
window_length = 256
gradient_windows = 8
gradient_window_length = 256
[ranks]
parameter_ratio = 0.6
[evaluate]
text = "{STORIES}/test_tokens.npy"
window_length = 256
max_windows = 4
"""
LONG = {
    "simulate": SIMULATION.format(steps=16, bond=32),
    "compress": "# program: rankine-compress\n" + LANGUAGE_MODEL
    + '[heal]\nsteps = 16\nloss = "distillation"\nwindow_length = 256\nlearning_rate = 1e-3\n',
    "distill": "# program: rankine-distill\n" + LANGUAGE_MODEL
    + '[select]\nweights = ["*feed_forward*"]\n[method]\nform = "low-rank"\n[slices]\nby = "block"\n'
    + '[distill]\nmode = "local"\nepochs = 12\nbatch_size = 2\n',
}

EARLY_SIGNAL = "asked to stop by SIGUSR1: handed to 1 running"


def done_here(sweep, deck: str, ranks: int) -> Sweep:
    """The same runs, without Slurm and undisturbed."""
    here = sweep(deck)
    outcome = here.run("--ranks", ranks, "--teams", 1)
    assert outcome.code == 0, outcome
    return here


def site_like_test_slurm(folder: Path, old: str, new: str) -> Path:
    """The test Slurm, but for one thing."""
    text = (TREE / "jobscripts" / "sites" / "test_slurm.toml").read_text()
    assert old in text
    site = folder / "changed.toml"
    site.write_text(text.replace(old, new))
    return site


def site_with_srun(folder: Path) -> Path:
    return site_like_test_slurm(folder, 'launcher = "mpirun"', 'launcher = "srun"\nlauncher_options = ["--mpi=pmix"]')


@pytest.fixture
def srun_site(tmp_path) -> Path:
    return site_with_srun(tmp_path)


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A job of each program, which hits its limit: all at once, since Slurm looks every 30 s only; one of them under srun, by a team in an allocation."""
    sweeps = {}
    with ThreadPoolExecutor() as threads:
        for name, deck in LONG.items():
            folder = tmp_path_factory.mktemp(f"limited-{name}")
            sweeps[name] = Sweep(folder, deck)
            how = {"via": "allocation", "site": site_with_srun(folder)} if name == "simulate" else {}
            sweeps[name].submit("--ranks", 2, "--sbatch=--time=00:01:00", "--sbatch=--signal=B:USR1@15", **how)  # 15 to 45 s after it began
            threads.submit(pause_until_signalled, sweeps[name])
        yield sweeps
    for one in sweeps.values():
        slurm("scancel", *one.jobs())


def pause_until_signalled(sweep: Sweep) -> None:
    """When it computes, lets it wait for Slurm's early signal without taking the cores."""
    [folder] = sweep.folder.glob("runs/*")
    log = folder / "log.txt"
    wait_until(lambda: EARLY_SIGNAL in sweep.said() or (log.exists() and "2 ranks" in log.read_text()), sweep.said)
    time.sleep(0.5)
    processes = sweep.processes()
    signal_all(processes, signal.SIGSTOP)
    wait_until(lambda: EARLY_SIGNAL in sweep.said(), sweep.said)
    signal_all(processes, signal.SIGCONT)


def test_jobs_that_will_hit_their_limit_begin(limited):
    """While they wait for it, the other tests go on."""
    for job in limited.values():
        assert list(job.unfinished_jobs()) == job.jobs()


def test_a_run_under_mpirun_and_under_srun(sweep, srun_site):
    jobs = [sweep(SHORT), sweep(SHORT)]
    for job, site in zip(jobs, ["test_slurm", srun_site]):
        assert "1 run of 3 ranks" in job.submit("--ranks", 3, site=site).out
    here = done_here(sweep, SHORT, 3)
    for job, launcher in zip(jobs, ["mpirun", "srun"]):
        assert [row["state"] for row in job.wait()] == ["done"], job.said()
        assert f" {launcher} " in job.log() and "3 ranks, 1 thread each" in job.log()
        assert exit_code(job.jobs()[0]) == 0
        expect_equal(job.results(), here.results())


def test_an_array_and_what_is_beside_its_runs(sweep):
    array = sweep(THREE)
    assert "3 runs" in array.submit().out
    assert [row["state"] for row in array.wait()] == ["done"] * 3, array.said()
    assert len(array.jobs()) == 1
    here = done_here(sweep, THREE, 1)
    for number in range(3):
        expect_equal(array.results(number), here.results(number))
        environment = (array.folder / "runs" / array.status()[number]["hash"] / "environment.txt").read_text()
        assert f"SLURM_ARRAY_JOB_ID={array.jobs()[0]}" in environment
        assert "libmpi" in environment and "program   rankine-simulate " in environment
    refused = array.run("--via", "array", "--site", "test_slurm")
    assert refused.code == 2 and "Add --resume" in refused.err
    assert "Nothing to submit" in array.submit("--resume").out


def test_teams_in_one_allocation(sweep, srun_site):
    allocation = sweep(THREE)
    allocation.submit("--teams", 2, "--ranks", 2, via="allocation", site=srun_site)
    assert [row["state"] for row in allocation.wait()] == ["done"] * 3, allocation.said()
    assert "3 programs ended in" in allocation.said() and "--ntasks=4" in (allocation.folder / "jobs" / "001" / "script.slurm").read_text()
    began = [attempt["began"] for number in range(3) for attempt in allocation.attempts(number) if "began" in attempt]
    assert len(began) == 3


def test_a_job_is_queued_again_only_as_often_as_the_site_says(sweep, tmp_path):
    site = site_like_test_slurm(tmp_path, "requeue_limit = 5", "requeue_limit = 1")
    job = sweep(SIMULATION.format(steps=12, bond=16))
    job.submit("run.wall_time_limit=1e-3", site=site)
    assert [row["state"] for row in job.wait()] == ["stopped"], job.said()
    assert len([attempt for attempt in job.attempts() if "began" in attempt]) == 2
    assert "rankine-sweep run --resume goes on" in job.said()
    assert exit_code(job.jobs()[0]) == 75
    job.submit("--resume", site=site)
    assert [row["state"] for row in job.wait()] == ["done"], job.said()
    assert len(job.jobs()) == 2


def test_a_run_waits_in_one_job_at_a_time_and_a_job_that_is_gone_is_seen(sweep):
    waiting = sweep(THREE)
    waiting.submit("--sbatch=--hold")
    job = waiting.jobs()[0]
    assert [row["message"] for row in waiting.status()] == [f"job {job}_{task} pending" for task in (1, 2, 3)]
    assert "Nothing to submit" in waiting.submit("--resume").out
    slurm("scancel", job)
    wait_until(lambda: not waiting.unfinished_jobs())
    assert waiting.states() == ["waiting"] * 3
    assert f"job {job}_2 has ended without it; run --resume submits it again" in waiting.status()[1]["message"]


def test_a_run_that_another_holds_is_refused(sweep):
    held = sweep(SIMULATION.format(steps=16, bond=32))
    held.submit()
    wait_until(lambda: held.states() == ["running"], held.said)
    outcome = held.command("work", "sweep", "--run", held.status()[0]["hash"])
    assert outcome.code == 2 and "Cannot take run" in outcome.err and "Wait until that has ended" in outcome.err


def test_the_exit_code_of_a_failed_run_is_its_programs(sweep, tmp_path):
    text = tmp_path / "tokens.npy"
    text.write_bytes((STORIES / "test_tokens.npy").read_bytes())
    failing = sweep("# program: rankine-compress\n" + LANGUAGE_MODEL.replace(f"{STORIES}/test_tokens.npy", str(text)))
    failing.submit("--sbatch=--hold")
    text.unlink()
    slurm("scontrol", "release", failing.jobs()[0])
    row = failing.wait()[0]
    assert (row["state"], row["exit_code"]) == ("failed", 2), row
    assert "tokens.npy" in row["message"]
    assert exit_code(failing.jobs()[0]) == 2


@pytest.mark.parametrize("program", LONG)
def test_a_job_that_hits_its_limit_is_queued_again_and_finishes(sweep, limited, program):
    straight = done_here(sweep, LONG[program], 2)
    job = limited[program]
    wait_until(lambda: EARLY_SIGNAL in job.said(), job.said)
    rows = job.wait()
    assert [row["state"] for row in rows] == ["done"], job.said() + job.log()
    codes = [attempt["exit_code"] for attempt in job.attempts() if "ended" in attempt]
    assert len(codes) > 1 and set(codes[:-1]) == {75} and codes[-1] == 0, job.log()
    assert "stopped by SIGUSR1: kept " in job.log()
    assert exit_code(job.jobs()[0]) == 0
    expect_equal(job.results(), straight.results())
