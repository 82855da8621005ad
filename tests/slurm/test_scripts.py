"""Site files and the scripts made with them; no Slurm is needed."""

import subprocess
from dataclasses import replace

import pytest

from conftest import Sweep
from rankine_jobs import slurm
from rankine_jobs.errors import InputError
from rankine_jobs.launch import launch_command
from rankine_jobs.need import Need
from rankine_jobs.run_folder import Standing, State
from rankine_jobs.site import known_sites, read_site
from rankine_jobs.slurm import Job, script
from rankine_jobs.submission import jobs_of_runs, waiting_for_none, with_jobs
from rankine_jobs.sweep_folder import SweepFolder

DECK = '[lattice]\nname = "eagle"\n[circuit]\nsteps = 2\ntheta_h = [0.3]\n'
THREE = DECK + '[sweep.product]\n"circuit.steps" = [1, 2, 3]\n'
QUEUES = sorted(set(known_sites()) - {"this_machine"})


def printed(sweep: Sweep, *arguments) -> str:
    """The scripts, which are shell that can be read, and nothing else is written."""
    outcome = sweep.run("--print", *arguments)
    assert outcome.code == 0, outcome
    assert not sweep.folder.exists()
    assert subprocess.run(["bash", "-n"], input=outcome.out, text=True).returncode == 0
    return outcome.out


@pytest.mark.parametrize("site", QUEUES)
@pytest.mark.parametrize("via", ["array", "allocation"])
def test_scripts_of_every_site(sweep, site, via):
    text = printed(sweep(THREE), "--via", via, "--site", site)
    assert text.count("#!/bin/bash") == 1
    queue = read_site(site).queue
    assert f"--time={queue.wall_time}\n" in text and f"--signal=B:USR1@{queue.signal_seconds}\n" in text
    assert f"-lt {queue.requeue_limit} ]" in text
    assert all(line in text for line in read_site(site).setup)
    assert ("--array=1-3" in text) == (via == "array") and ("--teams 3" in text) == (via == "allocation")


def test_one_run_is_no_array(sweep):
    text = printed(sweep(DECK), "--via", "array", "--site", "shared_nodes", "--ranks", 4)
    assert "--array" not in text and "--run " in text
    assert "#SBATCH --nodes=1\n#SBATCH --ntasks=4\n#SBATCH --cpus-per-task=1\n#SBATCH --mem-per-cpu=" in text


def test_whole_nodes_are_filled(sweep):
    assert "--nodes=1\n#SBATCH --ntasks-per-node=128\n" in printed(sweep(DECK), "--via", "array", "--site", "whole_nodes")
    assert "--nodes=3\n#SBATCH --ntasks-per-node=100\n" in printed(sweep(DECK), "--via", "array", "--site", "whole_nodes", "--ranks", 300)
    assert "--exclusive\n#SBATCH --mem=0\n" in printed(sweep(THREE), "--via", "allocation", "--site", "whole_nodes")


def test_long_sweeps_are_split_and_options_come_last(sweep, tmp_path):
    site = tmp_path / "small.toml"
    site.write_text('[queue]\nlargest_array = 2\ntasks_at_once = 5\noptions = ["--qos=low"]\n[node]\ncores = 4\n')
    text = printed(sweep(THREE), "--via", "array", "--site", site, "--sbatch=--time=00:10:00")
    assert text.count("#!/bin/bash") == 2 and "--array=1-2%5\n" in text and "/jobs/002/" in text
    assert text.index("--time=01:00:00") < text.index("--qos=low") < text.index("--time=00:10:00")


def test_runs_that_no_node_holds_are_refused(sweep, tmp_path):
    site = tmp_path / "tiny.toml"
    site.write_text("[node]\ncores = 2\nmemory_gib = 0.1\n")
    outcome = sweep(DECK).run("--via", "array", "--site", site)
    assert outcome.code == 2 and "Cannot place a run on a node of the site tiny" in outcome.err and "--ranks" in outcome.err


def test_a_deck_that_is_refused_is_not_submitted(sweep):
    refused = sweep(DECK.replace("eagle", "eagel"))
    outcome = refused.run("--via", "array")
    assert outcome.code == 2 and 'eagel' in outcome.err and not refused.folder.exists()


def test_memory_and_ranks_of_a_rank_with_several_cores(tmp_path):
    file = tmp_path / "wide.toml"
    file.write_text('launcher = "srun"\ncores_per_rank = 4\n[node]\ncores = 32\n')
    site = read_site(str(file))
    text = script(Job("name", tmp_path, "true", Need(4, 1000), teams=2), site)
    assert "--ntasks=8\n#SBATCH --cpus-per-task=4\n#SBATCH --mem-per-cpu=250M\n" in text
    assert launch_command(site, 4, ["program"]) == ["srun", "--exact", "--mem=0", "--ntasks=4", "--cpus-per-task=4", "program"]


def test_ranks_stay_when_a_sweep_goes_on(sweep):
    begun = sweep(DECK)
    assert begun.run("--ranks", 2, "run.wall_time_limit=1e-3").code == 75
    text = begun.run("--resume", "--via", "array", "--site", "shared_nodes", "--print").out
    assert "--ntasks=2\n" in text


def test_nothing_is_written_where_there_is_no_slurm(sweep, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    alone = sweep(DECK)
    outcome = alone.run("--via", "array")
    assert outcome.code == 2 and "there is no sbatch here" in outcome.err and not alone.folder.exists()


def test_what_the_queue_says_of_a_run(sweep, monkeypatch):
    begun = sweep(THREE)
    assert begun.run("run.wall_time_limit=1e-3").code == 75
    folder = SweepFolder(begun.folder)
    hashes = [row.hash for row in folder.rows()]
    for number, job in enumerate(["7 array", "8 single"], 1):
        path = begun.folder / "jobs" / f"{number:03}"
        path.mkdir(parents=True)
        (path / "runs.txt").write_text("\n".join(hashes if number == 1 else hashes[2:]))
        (path / "job.txt").write_text(job)
    assert list(jobs_of_runs(folder).values()) == ["7_1", "7_2", "8"]

    def shown(states: dict | None, *standings: State) -> list[tuple[str, str]]:
        monkeypatch.setattr(slurm, "states", lambda: states)
        rows = [replace(row, standing=Standing(state, "words")) for row, state in zip(folder.rows(), standings)]
        return [(row.standing.state.value, row.standing.message) for row in with_jobs(folder, rows)]

    words = [State.STOPPED, State.LOST, State.WAITING]
    assert shown(None, *words) == [("stopped", "words"), ("lost", "words"), ("waiting", "words")]
    assert shown({"7_1": "PENDING", "7_2": "RUNNING"}, *words) == [
        ("stopped", "job 7_1 pending; words"), ("running", "job 7_2"),
        ("waiting", "job 8 has ended without it; run --resume submits it again")]  # fmt: skip
    assert shown({"7_1": "RUNNING"}, State.DONE, State.FAILED) == [("done", "words"), ("failed", "words")]
    monkeypatch.setattr(slurm, "states", lambda: {"7_1": "PENDING", "8": "RUNNING"})
    assert waiting_for_none(folder, folder.rows()) == [hashes[1]]


@pytest.mark.parametrize("text, words", [
    ("nodes = 3\n", "Unknown keyword nodes"),
    ("[queue]\nwall_time = 3\n", "Cannot use queue.wall_time = 3"),
    ('[queue]\nwall_time = "3 h"\n', "'3 h' is no wall time"),
    ('[queue]\nwall_time = "02:00:00"\nlargest_wall_time = "01:00:00"\n', "Ask for less"),
    ('[queue]\nwall_time = "00:01:00"\nsignal_seconds = 60\n', "jobs would stop as they begin"),
    ('launcher = "aprun"\n', "ranks are started by srun or mpirun"),
    ("cores_per_rank = 0\n", "a rank takes a core"),
    ("setup = [1]\n", "it takes a list of texts"),
    ("launcher = \n", "Correct the TOML there"),
])  # fmt: skip
def test_site_files_that_are_refused(tmp_path, text, words):
    file = tmp_path / "site.toml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read_site(str(file))
    assert words in str(error.value) and str(file) in str(error.value)


def test_a_site_that_is_not_there():
    with pytest.raises(InputError, match="known are plain_slurm, shared_nodes"):
        read_site("nowhere")
