"""Teams that take runs from the list: each has one program at a time, a process of its own, so that a crash stays alone.

Any number of processes may work on one folder at once, on any nodes: a run belongs to who holds its claim.
"""

import os
import sqlite3
import time
from collections import deque
from dataclasses import dataclass, field

from .bell import Bell
from .claim import Claim
from .errors import InputError
from .execution import Execution
from .index import Row
from .launch import launch_command, program_environment
from .program import find_program
from .progress import Progress
from .run_folder import TO_DO, RunFolder, Standing, State
from .site import Site
from .sweep_folder import SweepFolder

TICK = 1.0  # s between two looks when nothing happens
LOOKS = 3  # at runs that others hold, before these are left to them
LEAST_INDEX_INTERVAL = 5.0  # s
INDEX_PART = 0.05  # of the time that goes into the index


@dataclass(frozen=True)
class Means:
    """What programs are started with."""

    site: Site
    program: str = ""  # a path; else each run's program is looked for
    threads: int = 1
    overrides: tuple[str, ...] = ()  # further "section.key=value" for all
    hosts: tuple = ()  # of each team, where mpirun must be told: ((node, ranks), ...)
    only: str = ""  # the hash of the one run to do; else all


@dataclass
class Team:
    number: int
    row: Row | None = None
    execution: Execution | None = None
    busy: float = 0.0


@dataclass
class Outcome:
    """What one session has done."""

    rows: list[Row]
    was_stopped: bool
    ended: list[Row] = field(default_factory=list)  # by these teams
    seconds: float = 0.0
    busy: float = 0.0  # part of the teams' time in which programs ran


class Teams:
    def __init__(self, folder: SweepFolder, means: Means, n_teams: int, first: int = 0):
        self._folder, self._means = folder, means
        self._rows = {row.hash: row for row in folder.rows(means.only)}
        self._teams = [Team(number) for number in range(n_teams)]
        self._list = deque(row for row in self._rows.values() if row.standing.state is not State.DONE)
        self._held: deque[Row] = deque()  # by others, when last looked at
        self._ended: list[Row] = []
        self._progress = Progress(n_teams)
        self._stopping = False
        self._index_due = 0.0
        self._own_seconds = 0.0  # of this loop

    def run(self) -> Outcome:
        """Until no run is left to be taken, or it is asked to stop."""
        began = time.monotonic()
        with Bell() as bell:
            try:
                self._work(bell)
            except OSError:  # the folder has vanished, or its disk is full: what is under way keeps what it can
                self._abandon(bell)
                raise
        seconds = time.monotonic() - began
        self._rows = {row.hash: row for row in self._folder.rows(self._means.only)}
        self._write_index(at_end=True)
        return Outcome(list(self._rows.values()), self._stopping, self._ended, seconds, self._busy_part(seconds))

    def _busy_part(self, seconds: float) -> float:
        """Programs may have ended, unnoticed, while this loop was at work."""
        busy = sum(team.busy for team in self._teams) / len(self._teams)
        return max(0.0, busy - self._own_seconds) / seconds

    def _work(self, bell: Bell) -> None:
        self._fill()
        while self._active() or self._wait_for_held(bell):
            names = bell.wait(TICK)
            woken = time.monotonic()
            for name in names:
                self._stop(name)
            self._reap()
            self._fill()
            self._progress.show(list(self._rows.values()))
            self._write_index()
            self._own_seconds += time.monotonic() - woken
        self._progress.close()

    def _abandon(self, bell: Bell) -> None:
        for team in self._active():
            team.execution.ask_to_stop()
        while any(not team.execution.has_ended() for team in self._active()):
            for name in bell.wait(TICK):
                self._stop(name)

    def _active(self) -> list[Team]:
        return [team for team in self._teams if team.execution]

    def _fill(self) -> None:
        for team in self._teams:
            if team.execution or self._stopping:
                continue
            if not (taken := self._take_next()):
                return
            self._start(team, *taken)

    def _take_next(self) -> tuple[Row, Claim] | None:
        """The next run that nobody has and that is to be done."""
        while self._list:
            row = self._list.popleft()
            claim = self._folder.folder(row.hash).claim()
            if claim is None:
                self._held.append(row)
                continue
            row.standing = self._folder.folder(row.hash).standing_unclaimed()
            if row.standing.state in TO_DO:
                return row, claim
            claim.release()
        return None

    def _wait_for_held(self, bell: Bell) -> bool:
        """Looks once more at what others held, who may only have looked at it themselves."""
        if not self._held or self._stopping:
            return False
        for _ in range(LOOKS):
            for name in bell.wait(0.1):
                self._stop(name)
            self._list, self._held = self._held, deque()
            self._fill()
            if self._active():
                return True
        return False

    def _start(self, team: Team, row: Row, claim: Claim) -> None:
        folder = self._folder.folder(row.hash)
        team.row, team.execution = row, Execution(folder, claim)
        program = self._program(row.program)
        team.execution.start(self._command(folder, program, team), program, program_environment(self._means.site, self._means.threads))
        before = row.standing
        row.standing = Standing(State.RUNNING, "", None, before.attempts + 1, before.seconds, before.started_utc)

    def _command(self, folder: RunFolder, program: str, team: Team) -> list[str]:
        ranks = folder.description()["ranks"]
        hosts = self._means.hosts[team.number] if self._means.hosts else []
        command = [program, str(folder.path / "deck.toml"), f"output.file={folder.result}",
                   f"run.directory={folder.restart}", *self._means.overrides]  # fmt: skip
        return launch_command(self._means.site, ranks, command, hosts)

    def _program(self, name: str) -> str:
        try:
            return self._means.program or find_program(name)
        except InputError:
            return name  # the run fails with words of its own

    def _reap(self) -> None:
        for team in self._active():
            if not team.execution.has_ended():
                continue
            row, seconds = team.row, team.execution.seconds
            row.standing = team.execution.finish()
            team.execution, team.busy = None, team.busy + seconds
            self._ended.append(row)
            self._progress.ended(row, seconds, list(self._rows.values()))
            if row.standing.state is State.STOPPED and "SLURM_JOB_END_TIME" in os.environ:
                self._stopping = True  # the job's time is over

    def _stop(self, signal_name: str) -> None:
        self._progress.tell(f"asked to stop by {signal_name}: handed to {len(self._active())} running programs"
                            + ("" if self._stopping else "; a second signal ends them at once"))  # fmt: skip
        self._stopping = True
        for team in self._active():
            team.execution.ask_to_stop()

    def _write_index(self, at_end: bool = False) -> None:
        began = time.monotonic()
        if began < self._index_due and not at_end:
            return
        mine = {team.row.hash for team in self._active()}
        for row in self._rows.values():
            if not at_end and row.hash not in mine and row.standing.state is not State.DONE:
                row.standing = self._folder.folder(row.hash).standing()
        try:
            write = self._folder.update_index if self._means.only else self._folder.write_index
            write(list(self._rows.values()))
        except (OSError, sqlite3.Error, InputError) as error:
            self._progress.tell(f"the index is not written ({error}); rankine-sweep status makes it again")
        ended = time.monotonic()
        self._index_due = ended + max(LEAST_INDEX_INTERVAL, (ended - began) / INDEX_PART)
