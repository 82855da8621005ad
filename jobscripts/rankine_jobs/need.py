"""What a run needs of a machine, as its program's --check forecasts: ranks, cores and memory of a rank."""

import re
import subprocess
from dataclasses import dataclass

from .errors import InputError
from .site import Site

MIB = {"B": 2**-20, "KiB": 2**-10, "MiB": 1.0, "GiB": 2.0**10, "TiB": 2.0**20}
# What a job gets above the forecast: MPI's buffers, the page cache of files, the launcher.
SPARE_PART, SPARE_MIB = 1.1, 200


@dataclass(frozen=True)
class Need:
    """Of one run; `memory_mib` is of the largest rank."""

    ranks: int
    memory_mib: int


def need_of(check: list[str], site: Site, ranks: int, most: bool = False) -> Need:
    """Of a run whose command so far is `check` (program, deck, keywords).

    With ranks 0 they are chosen within a node of the site: the fewest (or the `most`, a power of two) whose memory a node has.
    More nodes are the user's to choose.
    """
    if ranks:
        return Need(ranks, _forecast(check, ranks))
    cores = max(site.node.cores // site.cores_per_rank, 1)
    powers = [2**i for i in range(cores.bit_length())]
    for tried in reversed(powers) if most else powers:
        need = Need(tried, _forecast(check, tried))
        if not site.node.memory_gib or need.ranks * need.memory_mib <= site.node.memory_gib * 1024:
            return need
    raise InputError(f"Cannot place {check[1]} on a node of the site {site.name} (it needs {need.memory_mib} MiB a rank on {need.ranks} "
                     f"ranks, and a node has {site.node.memory_gib} GiB). Name more ranks with --ranks, for several nodes.")  # fmt: skip


def _forecast(check: list[str], ranks: int) -> int:
    """MiB of the largest rank, with what it needs beside the forecast."""
    # The memory of the machine this is asked on says nothing about the one of the job.
    done = subprocess.run([*check, "parallel.memory_per_rank=1e6", "--check", "--ranks", str(ranks)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise InputError(f"Cannot use the deck {check[1]} ({check[0]} refuses it). Correct what it says:\n{done.stderr.strip()}")
    found = re.search(r"memory of the largest rank at most ([\d.]+) (B|KiB|MiB|GiB|TiB)", done.stdout)
    if not found:
        return SPARE_MIB
    return int(float(found[1]) * MIB[found[2]] * SPARE_PART) + SPARE_MIB
