"""What a run met where it was started: environment.txt beside its result, for the day it shall be explained."""

import functools
import os
import platform
import shutil
import socket
import subprocess

from .clock import now_text

# Variables by their beginnings; others may hold secrets.
RECORDED = ("SLURM_", "OMP_", "OPENBLAS_", "MKL_", "OMPI_", "PRTE_", "PMIX_MCA_", "UCX_", "RANKINE_", "LD_LIBRARY_PATH", "LOADEDMODULES")
LIBRARIES = ("mpi", "hdf5", "blas", "lapack", "petsc", "slepc", "torch", "metis")
LONGEST_ANSWER = 30.0  # s


def environment_text(command: list[str], program: str, environment: dict[str, str]) -> str:
    """Of a command that starts the program: node, modules, versions, libraries, variables of Slurm, MPI and BLAS."""
    variables = [f"{name}={value}" for name, value in sorted(environment.items()) if name.startswith(RECORDED)]
    return "\n".join([
        f"started   {now_text()}",
        f"node      {socket.gethostname()}",
        f"folder    {os.getcwd()}",
        f"command   {' '.join(command)}",
        f"modules   {' '.join(environment.get('LOADEDMODULES', '').split(':')) or 'none'}",
        *_of_installation(program), "", *variables, ""])  # fmt: skip


@functools.cache
def _of_installation(program: str) -> list[str]:
    """The same for all runs of a job; asking takes a while."""
    libraries = [line.split(" (0x")[0].strip() for line in _output("ldd", program)]
    versions = {"program": _first(program, "--version"), "mpirun": _first("mpirun", "--version"), "slurm": _first("sbatch", "--version")}
    return [
        f"system    {platform.platform()}",
        f"processor {os.cpu_count()} x {_processor()}",
        *(f"{name:9} {version}" for name, version in versions.items()),
        *(f"library   {line}" for line in libraries if any(name in line.lower() for name in LIBRARIES)),
    ]


def _first(*command: str) -> str:
    return next(iter(_output(*command)), "not found")


def _output(*command: str) -> list[str]:
    """Lines; none of a command that is not there or does not answer."""
    path = shutil.which(command[0])
    try:
        done = path and subprocess.run([path, *command[1:]], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LONGEST_ANSWER)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done else []


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), platform.machine())
    except OSError:
        return platform.machine()
