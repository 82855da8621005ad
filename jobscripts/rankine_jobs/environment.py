"""What a run met where it was started: written beside its result, for the day it shall be explained."""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime

# Variables by their beginning; others may be private.
RECORDED = ("SLURM_", "OMP_", "OPENBLAS_", "OMPI_MCA_", "MKL_", "BLIS_", "LOADEDMODULES", "SPACK_ENV", "CONDA_DEFAULT_ENV")
LIBRARIES = ("mpi", "hdf5", "blas", "lapack", "scalapack", "petsc", "slepc", "torch", "metis")


def environment_text(program: str) -> str:
    """Modules, versions, processor, libraries the program finds, and variables of Slurm, MPI and BLAS."""
    modules = os.environ.get("LOADEDMODULES", "")
    parts = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "node": f"{platform.node()}, {os.cpu_count()} cores, {_processor()}",
        "system": platform.platform(),
        "modules": " ".join(modules.split(":")) or "none",
        "program": _first_line([program, "--version"]),
        "mpirun": _first_line(["mpirun", "--version"]),
        "slurm": _first_line(["sbatch", "--version"]),
    }
    lines = [f"{name}: {value}" for name, value in parts.items()]
    lines += ["", "[libraries]", *_libraries(program)]
    lines += ["", "[variables]", *(f"{name}={os.environ[name]}" for name in sorted(os.environ) if name.startswith(RECORDED))]
    return "\n".join(lines) + "\n"


def _first_line(command: list[str]) -> str:
    return (_output(command).splitlines() or ["not found"])[0]


def _output(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _libraries(program: str) -> list[str]:
    """Those that change numbers or speed, as the loader finds them here."""
    lines = [line.split(" (0x")[0].strip() for line in _output(["ldd", program]).splitlines()]
    return [line for line in lines if any(name in line.lower() for name in LIBRARIES)]


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    except OSError:
        return platform.machine()
