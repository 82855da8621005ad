"""What a Slurm job has: nodes, tasks and cores, and how teams share them."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

Hosts = tuple[tuple[str, int], ...]  # nodes, with the ranks each takes


@dataclass(frozen=True)
class Allocation:
    nodes: tuple[str, ...]
    tasks_per_node: tuple[int, ...]
    cores_per_task: int

    @classmethod
    def of_job(cls, environment: Mapping[str, str]) -> "Allocation":
        names = subprocess.run(["scontrol", "show", "hostnames", environment["SLURM_JOB_NODELIST"]],
                               capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
        tasks = environment.get("SLURM_TASKS_PER_NODE", f"1(x{len(names)})")
        return cls(tuple(names), parse_counts(tasks), int(environment.get("SLURM_CPUS_PER_TASK", "1")))

    @property
    def n_tasks(self) -> int:
        return sum(self.tasks_per_node)

    def hosts_of_teams(self, n_teams: int, ranks: int) -> tuple[Hosts, ...]:
        """Each team's nodes, one team's ranks behind the other's. On one node mpirun needs to be told none."""
        if len(self.nodes) == 1:
            return ()
        places = [node for node, n_tasks in zip(self.nodes, self.tasks_per_node) for _ in range(n_tasks)]
        teams = ([places[(team * ranks + rank) % len(places)] for rank in range(ranks)] for team in range(n_teams))
        return tuple(tuple((node, team.count(node)) for node in dict.fromkeys(team)) for team in teams)


def parse_counts(text: str) -> tuple[int, ...]:
    """Slurm's "4(x2),3": 4, 4, 3."""
    counts = []
    for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", text):
        counts += [int(count)] * int(times or 1)
    return tuple(counts)
