"""How far a sweep is: a line that is rewritten on a terminal, else a line for each run that ended."""

import sys
import time
from collections import Counter

from .clock import duration
from .index import Row
from .run_folder import TO_DO, State
from .runs import describe

CLEAR = "\r\033[K"


class Progress:
    def __init__(self, n_teams: int):
        self._n_teams = n_teams
        self._is_terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._n_ended = 0
        self._seconds = 0.0  # of programs that ended

    def tell(self, text: str) -> None:
        """A line that stays."""
        print(f"{CLEAR if self._is_terminal else ''}{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def ended(self, row: Row, seconds: float, rows: list[Row]) -> None:
        self._n_ended += 1
        self._seconds += seconds
        state, message = row.standing.state, row.standing.message
        line = f"run {row.number} ({describe(row.parameters)}) {state} after {duration(seconds)}"
        if state is not State.DONE:
            self.tell(f"{line}: {message} [runs/{row.hash}]")
        elif not self._is_terminal:
            self.tell(f"{line}; {self._summary(rows)}")

    def show(self, rows: list[Row]) -> None:
        if self._is_terminal:
            print(f"{CLEAR}{self._summary(rows)}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._is_terminal:
            print(CLEAR, end="", file=sys.stderr, flush=True)

    def _summary(self, rows: list[Row]) -> str:
        states = Counter(row.standing.state for row in rows)
        counted = [f"{states[State.DONE]} of {len(rows)} done"]
        counted += [f"{states[state]} {state}" for state in State if states[state] and state not in (State.DONE, State.WAITING)]
        if self._n_ended:
            counted.append(f"{self._n_ended / (time.monotonic() - self._began):.2g} runs/s")
            counted.append(f"{duration(self._left(states))} left")
        return ", ".join(counted)

    def _left(self, states: Counter) -> float:
        """As long for each as for those before."""
        n_left = sum(states[state] for state in TO_DO) + states[State.RUNNING] / 2
        return n_left * self._seconds / self._n_ended / self._n_teams
