"""Reading in a process of its own: libhdf5 may crash on a damaged file or never come back, which no exception tells."""

import os
import resource
from collections.abc import Callable
from multiprocessing import get_context

from .errors import InputError

_LEAST_SECONDS = 3  # of a processor's time
_SLOWEST_READING = 5e6  # bytes in a second of it


def in_own_process(read: Callable, path, *arguments):
    """What `read(path, *arguments)` returns or raises; InputError where it ends the process."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send_outcome, args=(sender, read, path, *arguments), daemon=True)
    child.start()
    sender.close()
    try:
        outcome = receiver.recv()
    except EOFError:
        raise InputError(f"{path}: HDF5 cannot read it and crashes (the file is damaged). Run the deck again.") from None
    finally:
        child.join()
        receiver.close()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _send_outcome(sender, read: Callable, path, *arguments) -> None:
    try:
        _limit_time(path)
        outcome = read(path, *arguments)
    except Exception as error:
        outcome = error
    sender.send(outcome)


def _limit_time(path) -> None:
    """Of the processor, not of the clock: a slow disk is no fault of the file."""
    size = os.path.getsize(path) if os.path.isfile(path) else 0
    seconds = _LEAST_SECONDS + int(size / _SLOWEST_READING)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))
