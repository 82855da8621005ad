"""The command that starts a program on its ranks, and the environment it gets."""

import os

from .site import Site

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def launch_command(site: Site, ranks: int, command: list[str], hosts: list[tuple[str, int]] = ()) -> list[str]:
    """`command` on so many ranks; `hosts` are nodes with the ranks each takes, where mpirun must be told.

    One rank on this machine needs no launcher.
    """
    if site.name == "here" and ranks == 1:
        return command
    if site.launcher == "srun":
        return ["srun", "--exact", f"--ntasks={ranks}", *site.launcher_options, *command]
    where = ["--host", ",".join(f"{name}:{number}" for name, number in hosts)] if hosts else []
    return ["mpirun", *where, "-n", str(ranks), *site.launcher_options, *command]


def program_environment(site: Site, threads: int) -> dict[str, str]:
    """What the user has set stands; threads of the BLAS are shared out otherwise."""
    environment = dict(site.environment) | dict(os.environ)
    if not any(name in os.environ for name in THREAD_VARIABLES):
        environment |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    return environment
