"""The runs of a folder: those of a sweep, finished or not, from what stands in their own folders (docs/sweeps.md); or result files.

The index of a sweep is not read: it is derived from the run folders, which are the truth.
"""

import fcntl
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from .errors import InputError
from .fields import one_line

RUNS = "runs"
_MOST_LOG_BYTES = 20000
_STOPPED = 75  # exit code of a run that can go on


@dataclass(frozen=True)
class Run:
    """One run, whatever became of it."""

    name: str  # of its folder, or of its file
    state: str  # waiting, running, stopped, lost, failed, done; unreadable where its files are damaged
    result: Path  # complete where the state is done
    number: int | None = None  # in the order of the sweep, from 0
    program: str = ""
    parameters: dict[str, object] = field(default_factory=dict)  # keywords that the sweep varies
    deck: dict[str, object] = field(default_factory=dict)  # "section.keyword" -> value, as far as the deck names it
    message: str = ""
    exit_code: int | None = None
    attempts: int | None = None
    started_utc: str = ""
    ended_utc: str = ""
    log_file: Path | None = None

    def last_log_lines(self, most: int = 12) -> list[str]:
        """The end of what the run printed; empty where nothing is known."""
        try:
            with open(self.log_file or "", "rb") as file:
                file.seek(max(0, file.seek(0, 2) - _MOST_LOG_BYTES))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []
        return [one_line(line.rpartition("\r")[2].expandtabs()) for line in lines if line.strip()][-most:]


def runs_of(source: Path) -> list[Run]:
    """The runs of a sweep's folder in its order; else the result files in a folder and below; else the file itself."""
    if not source.is_dir():
        return [_run_of_file(source, source.name)]
    folders = [folder for folder in sorted((source / RUNS).glob("*")) if (folder / "run.json").is_file()]
    if folders:
        return sorted((_run_of_folder(folder) for folder in folders), key=lambda run: (run.number is None, run.number or 0))
    files = sorted(path for path in source.rglob("*.h5") if path.is_file())
    return [_run_of_file(path, str(path.relative_to(source).with_suffix(""))) for path in files]


def _run_of_file(path: Path, name: str) -> Run:
    return Run(name, "done", path)


def _run_of_folder(folder: Path) -> Run:
    result = folder / "result.h5"
    try:
        told = _json(folder / "run.json")
        attempts = [_parsed(folder, line) for line in _lines(folder / "attempts.jsonl")]
        deck = _values(folder)
    except InputError as error:
        return Run(folder.name, "unreadable", result, message=str(error))
    last = attempts[-1] if attempts else {}
    state = _state(folder, result, last)
    return Run(
        folder.name, state, result, number=told.get("number"), program=str(told.get("program", "")),
        parameters=dict(told.get("parameters", {})), deck=deck, message="" if state == "done" else one_line(str(last.get("message") or "")),
        exit_code=last.get("exit_code"), attempts=len(attempts), started_utc=str(last.get("started_utc") or ""),
        ended_utc=str(last.get("ended_utc") or ""), log_file=folder / "log.txt",
    )  # fmt: skip


def _state(folder: Path, result: Path, last: dict) -> str:
    if result.is_file():
        return "done"
    if _is_claimed(folder / "claim"):
        return "running"
    if not last:
        return "waiting"
    code = last.get("exit_code")
    return "lost" if code is None else "stopped" if code == _STOPPED else "failed"


def _is_claimed(path: Path) -> bool:
    """Whether a living process holds the lock of this run."""
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _values(folder: Path) -> dict[str, object]:
    """The keywords that the merged deck names."""
    try:
        sections = tomllib.loads((folder / "deck.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / 'deck.toml'}: cannot be read ({one_line(str(error))}).") from error
    return {f"{section}.{keyword}": value for section, values in sections.items() if isinstance(values, dict) for keyword, value in values.items()}


def _json(path: Path) -> dict:
    return _parsed(path.parent, "\n".join(_lines(path)))


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({one_line(str(error))}).") from error


def _parsed(folder: Path, text: str) -> dict:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"{folder}: run.json or attempts.jsonl is damaged ({one_line(str(error))}).") from error
    return found if isinstance(found, dict) else {}
