"""The runs of a folder: those of a sweep, finished or not, from what stands in their own folders (docs/sweeps.md); or result files.

The index of a sweep is not read: it is derived from the run folders, which are the truth.
"""

import fcntl
import json
from dataclasses import dataclass, field
from pathlib import Path

from .effective_deck import deck_values
from .errors import InputError
from .fields import one_line
from .result_folder import result_files
from .result_header import require_file

RUNS = "runs"
_MOST_LOG_BYTES = 20000
_RESULT = "result.h5"
_PARTIAL = ".partial"
_GOES_ON = 75  # exit code of a run that can go on
_SIGNALS_FROM_OUTSIDE = tuple(128 + signal for signal in (1, 2, 9, 10, 15))  # exit codes of programs that they ended


@dataclass(frozen=True)
class Run:
    """One run, whatever became of it."""

    name: str  # of its folder, or of its file
    state: str  # waiting, running, stopped, lost, failed, done; unreadable where its files are damaged
    result: Path  # complete where the state is done
    number: int | None = None  # in the order of the sweep, from 1
    program: str = ""
    parameters: dict[str, object] = field(default_factory=dict)  # keywords that the sweep varies
    deck: dict[str, object] = field(default_factory=dict)  # "section.keyword" -> value, as far as the deck names it
    message: str = ""
    exit_code: int | None = None
    attempts: int | None = None
    seconds: float | None = None  # of all attempts whose end is known
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
    """The runs of a sweep's folder in its order, without those that its deck does not have any more; else the result files in a
    folder and below; else the file itself. Raises InputError for one that is not there.
    """
    if not source.is_dir():
        require_file(source)
        return [_run_of_file(source, source.name)]
    folders = [folder for folder in sorted((source / RUNS).glob("*")) if (folder / "run.json").is_file()]
    if folders:
        runs = [_run_of_folder(folder) for folder in folders]
        return sorted((run for run in runs if run.number is not None or run.state == "unreadable"), key=lambda run: run.number or 0)
    files = [path for path in result_files(source) if path.suffix != _PARTIAL or not path.with_suffix("").exists()]
    return [_run_of_file(path, str(path.relative_to(source)).removesuffix(_PARTIAL).removesuffix(".h5")) for path in files]


def _run_of_file(path: Path, name: str) -> Run:
    """Its state is in the file, which is read later."""
    return Run(name, "done", path)


def _run_of_folder(folder: Path) -> Run:
    """Lines that a killed writer left unfinished do not count."""
    told = _object("\n".join(_lines(folder / "run.json")))
    if told is None or not isinstance(told.get("number"), int | None) or not isinstance(told.get("parameters"), dict):
        return Run(folder.name, "unreadable", folder / _RESULT, message="run.json is damaged.")
    notes = [note for line in _lines(folder / "attempts.jsonl") if (note := _object(line)) is not None]
    state, message = _outcome(folder, notes[-1] if notes else {})
    seconds = [note["seconds"] for note in notes if isinstance(note.get("seconds"), (int, float))]
    return Run(
        folder.name, state, folder / _RESULT, number=told.get("number"), program=str(told.get("program", "")),
        parameters=told["parameters"], deck=_deck_values(folder / "deck.toml"), message=one_line(message),
        exit_code=0 if state == "done" else notes[-1].get("exit_code") if notes else None, attempts=sum("began" in note for note in notes),
        seconds=sum(seconds) if seconds else None, started_utc=next((str(note["began"]) for note in notes if "began" in note), ""),
        ended_utc=str(notes[-1].get("ended", "")) if notes else "", log_file=folder / "log.txt",
    )  # fmt: skip


def _outcome(folder: Path, last: dict) -> tuple[str, str]:
    """State and message, by the last line of attempts.jsonl."""
    if (folder / _RESULT).is_file():
        return "done", ""
    if _is_claimed(folder / "claim"):
        return "running", ""
    if not last or "again" in last:
        return "waiting", ""
    if "began" in last:
        return "lost", "it ended without a word, and its rankine-sweep with it"
    code, message = last.get("exit_code"), str(last.get("message", ""))
    is_by_signal = code in _SIGNALS_FROM_OUTSIDE
    if code == _GOES_ON or (is_by_signal and last.get("was_asked")):
        return "stopped", message
    return ("lost" if is_by_signal else "failed"), message


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


def _deck_values(path: Path) -> dict[str, object]:
    """The keywords that the deck names; none where it cannot be read."""
    try:
        return deck_values(path, "\n".join(_lines(path)))
    except InputError:
        return {}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _object(text: str) -> dict | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
