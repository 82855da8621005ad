"""What runs need of a machine, as their program's --check forecasts: ranks of a run, memory of a rank."""

import re
from dataclasses import dataclass

from .errors import InputError
from .program import check_runs
from .runs import Run
from .site import Site

MIB = {"B": 2**-20, "KiB": 1 / 1024, "MiB": 1, "GiB": 1024, "TiB": 1024**2}
FORECAST = re.compile(r"memory of the largest rank at most ([\d.]+) (\w+)")
SPARE_PART, SPARE_MIB = 0.1, 200  # above the forecast: buffers of MPI and of files
WHATEVER_IS_HERE = ("parallel.memory_per_rank=1e6",)  # the memory of this machine says nothing about the job's


@dataclass(frozen=True)
class Need:
    """Of each run; memory of the largest rank of the largest run."""

    ranks: int
    memory_mib: int


def need_of(program: str, runs: list[Run], site: Site, ranks: int = 0, as_many: bool = False) -> Need:
    """Of runs that get as many ranks each. Raises InputError for decks that are refused, and runs that no node has memory for.

    With ranks 0 they are chosen within a node of the site: as few as its memory allows, or `as_many`, by powers of two. To spread
    a run over several nodes is the user's choice.
    """
    if ranks:
        return _forecast(program, runs, ranks)
    powers = [2**power for power in range(max(site.node.cores // site.cores_per_rank, 1).bit_length())]
    for tried in reversed(powers) if as_many else powers:
        need = _forecast(program, runs, tried)
        if not site.node.memory_gib or tried * need.memory_mib <= site.node.memory_gib * 1024:
            return need
    raise InputError(f"Cannot place a run on a node of the site {site.name} (it needs {need.memory_mib} MiB a rank on {tried} ranks, and a "
                     f"node has {site.node.memory_gib} GiB). Name more ranks with --ranks, for several nodes.")  # fmt: skip


def _forecast(program: str, runs: list[Run], ranks: int) -> Need:
    texts = check_runs(program, runs, ranks, WHATEVER_IS_HERE).values()
    found = [float(number) * MIB[unit] for text in texts for number, unit in FORECAST.findall(text)]
    return Need(ranks, int(max(found, default=0) * (1 + SPARE_PART)) + SPARE_MIB)
