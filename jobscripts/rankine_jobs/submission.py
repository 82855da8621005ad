"""Runs handed to Slurm: jobs/001, 002, ... of a sweep, each with the script, the hashes of its runs, and the job's id and output."""

import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from . import slurm, whole_files
from .errors import InputError
from .index import Row
from .need import Need
from .run_folder import TO_DO, State
from .site import Site
from .sweep_folder import SweepFolder

COMMAND = Path(__file__).resolve().parents[1] / "rankine-sweep"


@dataclass(frozen=True)
class Request:
    """What is submitted, and how: a job a run, or `teams` in one allocation."""

    site: Site
    site_argument: str
    program: str
    need: Need
    teams: int = 0  # 0 for a job a run
    options: tuple[str, ...] = ()  # more of sbatch


class Submission:
    """One folder jobs/NNN: script.slurm, runs.txt, job.txt (the id, when there is one), and what the jobs print."""

    def __init__(self, path: Path):
        self.path = path
        self._runs = path / "runs.txt"
        self._job = path / "job.txt"

    def job_of_runs(self) -> dict[str, str]:
        """Ids by the hashes of runs: of the task in an array."""
        if not self._job.exists():
            return {}
        (job, kind), hashes = self._job.read_text().split(), self._runs.read_text().split()
        return {hash: f"{job}_{task}" if kind == "array" else job for task, hash in enumerate(hashes, 1)}

    def script(self, folder: SweepFolder, hashes: list[str], request: Request) -> str:
        is_array = not request.teams and len(hashes) > 1
        work = [sys.executable, str(COMMAND), "work", str(folder.path), "--site", request.site_argument, "--program", request.program]
        if request.teams:
            chosen = f"--teams {request.teams}"
        elif is_array:
            chosen = f'--run "$(sed -n "{slurm.TASK}p" {shlex.quote(str(self._runs))})"'
        else:
            chosen = f"--run {hashes[0]}"
        job = slurm.Job(folder.path.resolve().name, self.path, f"{shlex.join(work)} {chosen}", request.need, max(1, request.teams),
                        len(hashes) if is_array else 0, request.options)  # fmt: skip
        return slurm.script(job, request.site)

    def submit(self, folder: SweepFolder, hashes: list[str], request: Request) -> str:
        """The job's id."""
        text = self.script(folder, hashes, request)
        self.path.mkdir(parents=True)
        whole_files.write(self._runs, "\n".join(hashes) + "\n")
        whole_files.write(self.path / "script.slurm", text)
        job = slurm.submit(text)
        whole_files.write(self._job, f"{job} {'array' if '#SBATCH --array' in text else 'single'}\n")
        return job


def _submissions(folder: SweepFolder) -> list[Submission]:
    return [Submission(path.resolve()) for path in sorted((folder.path / "jobs").glob("[0-9]*"))]


def jobs_of_runs(folder: SweepFolder) -> dict[str, str]:
    """The last job each run was handed to, by hash."""
    return {hash: job for one in _submissions(folder) for hash, job in one.job_of_runs().items()}


def parts_of(folder: SweepFolder, hashes: list[str], request: Request) -> list[tuple[Submission, list[str]]]:
    """Submissions to make: one allocation, or arrays no longer than the site takes."""
    if not hashes:
        return []
    size = len(hashes) if request.teams else request.site.queue.largest_array
    if size < 1:
        raise InputError(f"Cannot submit an array of no jobs (queue.largest_array of the site {request.site.name} is 0). Give 1 or more.")
    last = max((int(one.path.name) for one in _submissions(folder)), default=0)
    lists = [hashes[first : first + size] for first in range(0, len(hashes), size)]
    jobs = folder.path.resolve() / "jobs"
    return [(Submission(jobs / f"{number:03}"), some) for number, some in enumerate(lists, last + 1)]


def waiting_for_none(folder: SweepFolder, rows: list[Row]) -> list[str]:
    """Hashes of runs that are to be done, and that no job in the queue will do."""
    jobs, states = jobs_of_runs(folder), slurm.states() or {}
    return [row.hash for row in rows if row.standing.state in TO_DO and jobs.get(row.hash) not in states]


def with_jobs(folder: SweepFolder, rows: list[Row]) -> list[Row]:
    """The rows, with what Slurm knows of their jobs; as they are where no Slurm answers."""
    jobs = jobs_of_runs(folder)
    states = slurm.states() if jobs else None
    if states is None:
        return rows
    return [replace(row, standing=_with_job(row.standing, jobs[row.hash], states)) if row.hash in jobs else row for row in rows]


def _with_job(standing, job: str, states: dict[str, str]):
    queued = states.get(job)
    if standing.state not in TO_DO:
        return standing
    if queued is None:
        if standing.state is not State.WAITING:
            return standing
        return replace(standing, message=f"job {job} has ended without it; run --resume submits it again")
    if queued == "RUNNING" and standing.state is State.LOST:  # the file system shows no locks of other nodes
        return replace(standing, state=State.RUNNING, message=f"job {job}")
    return replace(standing, message="; ".join(filter(None, [f"job {job} {queued.lower()}", standing.message])))
