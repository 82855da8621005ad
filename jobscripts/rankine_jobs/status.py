"""What is done, running, stopped and failed: a table for people, JSON for programs."""

import json
from collections import Counter

from .clock import counted, duration
from .index import Row
from .run_folder import State
from .runs import describe


def as_json(rows: list[Row]) -> str:
    return json.dumps([row.values() for row in rows], indent=1)


def as_table(rows: list[Row]) -> str:
    lines = [("run", "folder", "state", "time", "tries", "parameters", "")]
    lines += [(str(row.number), row.hash, row.standing.state.value, duration(row.standing.seconds), str(row.standing.attempts),
               describe(row.parameters), row.standing.message) for row in rows]  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    table = ["  ".join([*(text.ljust(width) for text, width in zip(line, widths)), line[-1]]).rstrip() for line in lines]
    return "\n".join([*table, "", summary(rows)])


def summary(rows: list[Row]) -> str:
    states = Counter(row.standing.state for row in rows)
    return f"{counted(len(rows), 'run')}: " + ", ".join(f"{states[state]} {state}" for state in State if states[state])
