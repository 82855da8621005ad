"""What the programs write about their end: the error, or how they were stopped."""

import re
from pathlib import Path

ERROR = re.compile(r"^(?:\d\d:\d\d:\d\d )?(?:rank \d+: )?error: (.*(?:\n  .*)*)", re.MULTILINE)
STOPPED = re.compile(r"^(?:\d\d:\d\d:\d\d )?(stopped by .*)", re.MULTILINE)
MOST_BYTES = 65536


def error_in(text: str) -> str:
    """The last error, in one line; else the last line there is."""
    if errors := ERROR.findall(text):
        return "; ".join(line.strip() for line in errors[-1].splitlines()).replace("input:;", "input:")
    return _last_line(text)


def stop_in(text: str) -> str:
    """How a run says it was stopped; else the last line there is."""
    stops = STOPPED.findall(text)
    return stops[-1] if stops else _last_line(text)


def text_since(path: Path, offset: int) -> str:
    """The end of a log, from an offset on."""
    with open(path, "rb") as file:
        file.seek(max(offset, path.stat().st_size - MOST_BYTES))
        return file.read().decode(errors="replace")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if any(map(str.isalnum, line))]
    return lines[-1] if lines else ""
