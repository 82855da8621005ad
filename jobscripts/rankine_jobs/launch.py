"""The command that starts a program on its ranks, and the environment it gets."""

import os

from .site import HERE, Site

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
# Whoever is root here, in a container for instance, means it.
AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def launch_command(site: Site, ranks: int, command: list[str], hosts: list[tuple[str, int]] = ()) -> list[str]:
    """`command` on so many ranks; `hosts` are nodes with the ranks each takes, where mpirun must be told.

    One rank on this machine needs no launcher. Steps of srun take their own cores and no memory of others, so that several run
    side by side in an allocation.
    """
    if site.name == HERE and ranks == 1:
        return command
    if site.launcher == "srun":
        share = ["--exact", "--mem=0", f"--ntasks={ranks}", f"--cpus-per-task={site.cores_per_rank}"]
        return ["srun", *share, *site.launcher_options, *command]
    where = ["--host", ",".join(f"{name}:{number}" for name, number in hosts)] if hosts else []
    return ["mpirun", *where, "-n", str(ranks), *site.launcher_options, *command]


def program_environment(site: Site, threads: int) -> dict[str, str]:
    """What the user has set stands; threads of the BLAS are shared out otherwise."""
    environment = (AS_ROOT if os.geteuid() == 0 else {}) | site.environment | os.environ
    if not any(name in os.environ for name in THREAD_VARIABLES):
        environment |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    return environment
