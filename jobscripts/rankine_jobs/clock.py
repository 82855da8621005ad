"""Times as they stand in the files of a sweep, UTC, "2026-01-31T12:00:00Z"; durations and numbers for people."""

import time
from datetime import UTC, datetime


def now_text() -> str:
    return text_of(time.time())


def text_of(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def counted(number: int, name: str) -> str:
    """ "1 run", "2 runs"."""
    return f"{number} {name}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """For people: "0.4 s", "12 min", "3.5 h"."""
    if seconds < 120:
        return f"{seconds:.{1 if seconds < 10 else 0}f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
