"""The folder of one run, which is the truth about it: its files, its attempts, its state.

    deck.toml  run.json  result.h5 (when it is complete)  restart/  log.txt  attempts.jsonl  environment.txt  claim
"""

import contextlib
import json
import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from . import whole_files
from .claim import Claim, holder
from .clock import now_text, seconds_of, text_of
from .exit_codes import GOES_ON
from .runs import Run

BY_SIGNAL = 128  # and its number: exit code of a program that a signal ended
STILL_WRITTEN = "another run is writing it"  # a program's words: ranks of a killed attempt have not ended yet
FROM_OUTSIDE = {1: "SIGHUP", 2: "SIGINT", 9: "SIGKILL", 10: "SIGUSR1", 15: "SIGTERM"}


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"  # its claim is held
    STOPPED = "stopped"  # as it was asked to, with what it needs to go on
    LOST = "lost"  # it began and ended without a word
    FAILED = "failed"
    DONE = "done"


TO_DO = (State.WAITING, State.STOPPED, State.LOST)


@dataclass(frozen=True)
class Standing:
    """What is known of a run from its folder."""

    state: State
    message: str = ""
    exit_code: int | None = None
    attempts: int = 0
    seconds: float = 0.0  # of all attempts whose end is known
    started_utc: str | None = None
    ended_utc: str | None = None


@dataclass
class _Attempts:
    """The lines of attempts.jsonl, read in order."""

    number: int = 0
    seconds: float = 0.0
    began: str | None = None
    last: dict = field(default_factory=dict)  # the last line

    def read(self, line: dict) -> None:
        self.last = line
        if "began" in line:
            self.number += 1
            self.began = self.began or line["began"]
        self.seconds += line.get("seconds", 0.0)


class RunFolder:
    def __init__(self, path: Path):
        self.path = path
        self.result = path / "result.h5"
        self.restart = path / "restart"
        self.log = path / "log.txt"
        self.environment = path / "environment.txt"
        self._claim = path / "claim"
        self._attempts = path / "attempts.jsonl"
        self._description = path / "run.json"

    def write(self, run: Run, ranks: int | None) -> None:
        """Makes the folder, or brings it up to date; run.json comes last and says that it is whole.

        With ranks None those stay that it has. So does its name in texts: a run goes on only by the deck it began with.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        before = self.description() or {}
        name = before.get("folder", "")
        if not (name and os.path.isdir(name) and os.path.samefile(name, self.path)):
            name = str(self.path)
        whole_files.write(self.path / "deck.toml", run.deck_in(name))
        self._describe({"number": run.number, "hash": run.hash, "program": run.program, "parameters": run.parameters,
                        "ranks": ranks or before.get("ranks", 1), "folder": name})  # fmt: skip

    def leave_out(self) -> None:
        """The deck of the sweep does not have this run any more."""
        description = self.description()
        if description and description["number"] is not None:
            self._describe(description | {"number": None})

    def description(self) -> dict | None:
        """run.json; None while the folder is not whole."""
        try:
            return json.loads(self._description.read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _describe(self, description: dict) -> None:
        whole_files.write(self._description, json.dumps(description, indent=1) + "\n")

    def claim(self) -> Claim | None:
        """None if another has it."""
        return Claim.take(self._claim)

    def began(self, **facts) -> None:
        self._note(began=now_text(), **facts)

    def ended(self, exit_code: int, seconds: float, message: str, was_asked: bool) -> None:
        self._note(ended=now_text(), exit_code=exit_code, seconds=round(seconds, 3), message=message, was_asked=was_asked)

    def try_again(self) -> None:
        """A failed run waits again. By the holder of its claim."""
        self._note(again=now_text())

    def _note(self, **facts) -> None:
        whole_files.append_line(self._attempts, json.dumps(facts))

    def standing(self) -> Standing:
        """As others see it; for the holder of the claim `standing_unclaimed` tells what was before."""
        if self.result.exists():
            return self.standing_unclaimed()
        owner = holder(self._claim)
        if owner is None or self.result.exists():  # it may have been completed in between
            return self.standing_unclaimed()
        attempts = self._read_attempts()
        return Standing(State.RUNNING, owner, None, attempts.number, attempts.seconds, attempts.began)

    def standing_unclaimed(self) -> Standing:
        attempts = self._read_attempts()
        state, message = self._outcome(attempts)
        last, ended, seconds = attempts.last, attempts.last.get("ended"), attempts.seconds
        if state is State.DONE and not ended:  # it outlived its rankine-sweep
            completed = self.result.stat().st_mtime
            ended = text_of(completed)
            seconds += max(0.0, completed - seconds_of(last["began"])) if "began" in last else 0.0
        code = 0 if state is State.DONE else last.get("exit_code")
        return Standing(state, message, code, attempts.number, seconds, attempts.began, ended)

    def _outcome(self, attempts: _Attempts) -> tuple[State, str]:
        last = attempts.last
        if self.result.exists():
            return State.DONE, ""
        if not last or "again" in last:
            return State.WAITING, ""
        if "began" in last:
            return State.LOST, "it ended without a word, and its rankine-sweep with it"
        code, message = last["exit_code"], last["message"]
        signal = FROM_OUTSIDE.get(code - BY_SIGNAL)
        if code == GOES_ON or (signal and last["was_asked"]):
            return State.STOPPED, message
        return (State.LOST if signal or STILL_WRITTEN in message else State.FAILED), message

    def _read_attempts(self) -> _Attempts:
        attempts = _Attempts()
        with contextlib.suppress(FileNotFoundError):
            for line in self._attempts.read_text().splitlines():
                with contextlib.suppress(json.JSONDecodeError):  # its writer was killed
                    attempts.read(json.loads(line))
        return attempts
