"""Files that are there as a whole or not at all, whenever the writer is killed."""

import os
from pathlib import Path


def write(path: Path, text: str) -> None:
    """By another name first, then renamed; an equal file is left alone. One writer at a time."""
    if path.exists() and path.read_text() == text:
        return
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.rename(path)


def append_line(path: Path, line: str) -> None:
    """One writer at a time. A line that a killed writer left unfinished is ended first, and stays unreadable."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (("\n" if is_torn else "") + line + "\n").encode())
    finally:
        os.close(descriptor)
