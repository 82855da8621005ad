"""Who works on a run: a locked file with its owner's words, as src/files/output_lock.cpp makes them.

The lock is inherited by the programs that are started under it, and ends with the last of them: a run whose rankine-sweep was
killed stays claimed for as long as its program lives, on any node. Nothing has to be removed after a crash.
"""

import errno
import fcntl
import os
import socket
from pathlib import Path

from .clock import now_text

WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class Claim:
    """Held from `take` to `release`, and by the programs that got its descriptor."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> "Claim | None":
        """None if another has it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if _is_held(descriptor, fcntl.LOCK_EX):
            os.close(descriptor)
            return None
        claim = cls(descriptor)
        claim._write(_describe_self() + "\n")
        return claim

    def release(self) -> None:
        self._write("")  # where there are no locks, the words are all there is
        os.close(self.descriptor)

    def _write(self, text: str) -> None:
        try:
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, text.encode(), 0)
        except OSError:
            return  # a full disk shows when results are saved; the lock holds without its words


def holder(path: Path) -> str | None:
    """The owner's words of a claim that is held; None for one that is not."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except PermissionError:  # of another user: its words must do
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _owner(descriptor) or "one that has just begun" if _is_held(descriptor, fcntl.LOCK_SH) else None
    finally:
        os.close(descriptor)


def _is_held(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        return False
    except OSError as error:
        if error.errno in WITHOUT_LOCKS:
            return _is_alive(_owner(descriptor))
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return True


def _owner(descriptor: int) -> str:
    return os.pread(descriptor, 512, 0).decode(errors="replace").partition("\n")[0]


def _is_alive(owner: str) -> bool:
    """Where a file system knows no locks: unless it is a process of this host that has ended."""
    words = owner.split()
    if len(words) < 4 or not words[1].isdigit():
        return False
    return words[3] != socket.gethostname() or Path(f"/proc/{words[1]}").exists()


def _describe_self() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} (rankine-sweep, since {now_text()})"
