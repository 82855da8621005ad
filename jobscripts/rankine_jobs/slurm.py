"""Slurm: the script of a job from its template, its submission, and what has become of jobs."""

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from string import Template

from .errors import InputError
from .need import Need
from .site import Site

TEMPLATES = Path(__file__).parents[1] / "templates"
TASK = "$SLURM_ARRAY_TASK_ID"


class ScriptTemplate(Template):
    """Filled at @name, since $name is the shell's."""

    delimiter = "@"


@dataclass(frozen=True)
class Job:
    """What one sbatch asks for: `teams` runs side by side, each as `need` says; `tasks` of an array, 0 for a single job.

    `work` is the shell's command that does it; in an array it names its run by TASK.
    """

    name: str
    folder: Path  # for its output
    work: str
    need: Need
    teams: int = 1
    tasks: int = 0
    options: tuple[str, ...] = ()


def script(job: Job, site: Site) -> str:
    """The text that sbatch gets."""
    return ScriptTemplate((TEMPLATES / "job.slurm").read_text()).substitute(
        directives="\n".join(f"#SBATCH {option}" for option in _options(job, site)),
        setup="\n".join(site.setup),
        work=job.work, limit=site.queue.requeue_limit)


def _options(job: Job, site: Site) -> list[str]:
    queue = site.queue
    array = f"--array=1-{job.tasks}" + (f"%{queue.tasks_at_once}" if queue.tasks_at_once else "")
    return [
        shlex.quote(f"--job-name={job.name}"),
        shlex.quote(f"--chdir={Path.cwd()}"),
        shlex.quote(f"--output={job.folder}/{'%A_%a' if job.tasks else '%j'}.txt"),
        "--open-mode=append",
        *([array] if job.tasks else []),
        *([f"--partition={queue.partition}"] if queue.partition else []),
        *([f"--account={queue.account}"] if queue.account else []),
        *_layout(job, site),
        f"--time={queue.wall_time}",
        f"--signal=B:USR1@{queue.signal_seconds}",
        "--requeue",
        *queue.options,
        *job.options,
    ]


def _layout(job: Job, site: Site) -> list[str]:
    """Nodes, ranks and memory: whole nodes, or cores and their memory."""
    ranks, width = job.need.ranks * job.teams, site.cores_per_rank
    cores = max(site.node.cores, width)
    nodes = -(-ranks * width // cores)
    if site.node.whole:
        return [f"--nodes={nodes}", f"--ntasks-per-node={-(-ranks // nodes)}", f"--cpus-per-task={width}", "--exclusive", "--mem=0"]
    memory = -(-job.need.memory_mib // width)
    return [*(["--nodes=1"] if nodes == 1 else []), f"--ntasks={ranks}", f"--cpus-per-task={width}", f"--mem-per-cpu={memory}M"]


def require() -> None:
    if shutil.which("sbatch") is None:
        raise InputError("Cannot submit a job (there is no sbatch here). Start this where Slurm is, or use --via here.")


def submit(text: str) -> str:
    """Hands the script to sbatch; the id of the job."""
    done = subprocess.run(["sbatch", "--parsable"], input=text, capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"Cannot submit a job ({done.stderr.strip()}). Correct the site file, and start again with --resume; --print shows the script.")
    return done.stdout.strip().partition(";")[0]


def states() -> dict[str, str] | None:
    """PENDING, RUNNING, ... of this user's jobs that have not ended, by id; tasks of arrays as ID_TASK. None without Slurm."""
    try:
        done = subprocess.run(["squeue", "--me", "--array", "--noheader", "--format=%i %T"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return None if done.returncode else dict(line.split() for line in done.stdout.splitlines())
