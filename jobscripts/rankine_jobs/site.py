"""A machine that runs jobs, as its site file describes it: how ranks are started there, and what a queue gives."""

import re
import tomllib
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path

from .errors import InputError, Problems

SITES = Path(__file__).parents[1] / "sites"
LAUNCHERS = ("srun", "mpirun")
HERE = "this_machine"


@dataclass(frozen=True)
class Queue:
    """What Slurm is asked for."""

    partition: str = ""
    account: str = ""
    options: list[str] = field(default_factory=list)  # more of sbatch
    wall_time: str = "01:00:00"
    largest_wall_time: str = ""
    signal_seconds: int = 120  # so long before its end a job is told to stop
    requeue_limit: int = 20  # so often a stopped job is queued again
    tasks_at_once: int = 0  # of an array; 0 for no limit
    largest_array: int = 1000


@dataclass(frozen=True)
class Node:
    """One node that a queue gives; without cores there is no queue."""

    cores: int = 0
    memory_gib: float = 0.0
    whole: bool = False  # jobs get no part of a node


@dataclass(frozen=True)
class Site:
    name: str = ""
    launcher: str = "mpirun"
    launcher_options: list[str] = field(default_factory=list)
    cores_per_rank: int = 1  # and threads of its BLAS
    setup: list[str] = field(default_factory=list)  # lines of shell: what the programs were built with
    environment: dict[str, str] = field(default_factory=dict)  # for programs, where the user sets nothing
    queue: Queue = field(default_factory=Queue)
    node: Node = field(default_factory=Node)


def known_sites() -> list[str]:
    return sorted(path.stem for path in SITES.glob("*.toml"))


def read_site(name: str) -> Site:
    """The site of this name among jobscripts/sites, or of this file; raises InputError with all its problems."""
    path = Path(name) if name.endswith(".toml") else SITES / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise InputError(f"Cannot read the site '{name}' ({error.strerror}; known are {', '.join(known_sites())}). "
                         "Name one of these, or a site file.") from error  # fmt: skip
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"Cannot parse the site file, {path} ({error}). Correct the TOML there.") from error
    problems = Problems()
    site = replace(_read_table(Site, table, "", str(path), problems), name=path.stem)
    problems.raise_if_any()
    _check(site, str(path), problems)
    problems.raise_if_any()
    return site


def seconds_of(wall_time: str) -> int:
    """Of Slurm's [days-]hours:minutes:seconds; raises ValueError."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", wall_time)
    if not found:
        raise ValueError(f"{wall_time!r} is no wall time")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _read_table(kind: type, table: dict, prefix: str, path: str, problems: Problems):
    """A dataclass from a table of the file; its keywords are the fields."""
    defaults, values = kind(), {}
    known = [one.name for one in fields(kind) if one.name != "name"]
    for key, value in table.items():
        default = getattr(defaults, key, None)
        if key not in known:
            problems.add(f"Unknown keyword {prefix}{key}", path, f"known are {', '.join(known)}", "Correct its name.")
        elif is_dataclass(default) and isinstance(value, dict):
            values[key] = _read_table(type(default), value, f"{key}.", path, problems)
        elif _fits(value, default):
            values[key] = value
        else:
            problems.add(f"Cannot use {prefix}{key} = {value!r}", path, f"it takes {_wanted(default)}", "Correct the value.")
    return kind(**values)


def _fits(value, default) -> bool:
    match default:
        case bool() | str():
            return type(value) is type(default)
        case int() | float():
            return type(value) in (int, type(default)) and value >= 0
        case list():
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case dict():
            return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    return False


def _wanted(default) -> str:
    names = {bool: "true or false", str: "a text", int: "a whole number", float: "a number", list: "a list of texts"}
    return names.get(type(default), "a table")


def _check(site: Site, path: str, problems: Problems) -> None:
    if site.launcher not in LAUNCHERS:
        problems.add(f'Cannot use launcher = "{site.launcher}"', path, "ranks are started by srun or mpirun", "Choose one of them.")
    if site.cores_per_rank == 0:
        problems.add("Cannot use cores_per_rank = 0", path, "a rank takes a core", "Give 1 or more.")
    queue = site.queue
    try:
        asked, largest = seconds_of(queue.wall_time), seconds_of(queue.largest_wall_time or queue.wall_time)
    except ValueError as error:
        problems.add("Cannot use a time of [queue]", path, str(error), "Write [days-]hours:minutes:seconds.")
        return
    if asked > largest:
        problems.add(f"Cannot ask for {queue.wall_time}", path, f"queue.largest_wall_time is {queue.largest_wall_time}", "Ask for less.")
    if queue.signal_seconds >= asked:
        problems.add(f"Cannot stop {queue.signal_seconds} s before the end of {queue.wall_time}", path,
                     "jobs would stop as they begin", "Ask for more time, or lower queue.signal_seconds.")  # fmt: skip
