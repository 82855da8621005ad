"""Reading in a process of its own: libhdf5 may crash on a damaged file, which no exception tells."""

from collections.abc import Callable
from multiprocessing import get_context

from .errors import InputError


def in_own_process(read: Callable, path, *arguments):
    """What `read(path, *arguments)` returns or raises; InputError where it ends the process."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send_outcome, args=(sender, read, path, *arguments))
    child.start()
    sender.close()
    try:
        outcome = receiver.recv()
    except EOFError:
        raise InputError(f"{path}: HDF5 crashed while reading it (the file is damaged). Run the deck again.") from None
    finally:
        child.join()
        receiver.close()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _send_outcome(sender, read: Callable, *arguments) -> None:
    try:
        outcome = read(*arguments)
    except Exception as error:
        outcome = error
    sender.send(outcome)
