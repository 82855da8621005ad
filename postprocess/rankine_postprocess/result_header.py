"""What every result file begins with: HDF5, filetype, format version, status."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from .errors import InputError
from .fields import one_line, whole_attribute, words


_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def opened(path: str | Path) -> Iterator[h5py.File]:
    """The file, for reading. Raises InputError for one that is missing, not HDF5 or damaged.

    Nothing but reading belongs inside: whatever goes wrong there is put down to the file, because
    h5py raises nearly any exception over damaged content.
    """
    require_file(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except InputError:
        raise
    except Exception as error:
        reason = one_line(str(error).split("\n")[0]) or type(error).__name__
        raise InputError(f"{path}: not a readable HDF5 file ({reason}).") from error


def is_hdf5(path: str | Path) -> bool:
    """Whether the file begins as HDF5 does."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_SIGNATURE)) == _SIGNATURE
    except (OSError, ValueError):
        return False


def require_file(path: str | Path) -> None:
    """Raises InputError for what is not there or no ordinary file."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        looked = "" if os.path.isabs(path) else f" It was looked for in {os.path.abspath(os.curdir)}."
        raise InputError(f"{path}: no such file.{looked}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be opened ({getattr(error, 'strerror', error)}).") from error
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: not a file{' but a folder' if stat.S_ISDIR(mode) else ''}. Name a result file.")


def check_header(path: Path, file: h5py.File, filetype: str, format_version: int, allow_partial: bool) -> None:
    """Raises InputError for another file type or version, and for a status that is not "complete"."""
    found = words(path, file, "filetype", "none")
    if found != filetype:
        raise InputError(f"{path}: filetype is '{found}' (this command reads '{filetype}').")
    check_version_and_status(path, file, format_version, allow_partial)


def check_version_and_status(path: Path, file: h5py.File, format_version: int, allow_partial: bool) -> None:
    """What `check_header` checks of any file type."""
    version = whole_attribute(path, file, "format_version")
    if version != format_version:
        raise InputError(
            f"{path}: format_version is {version} (this command reads {format_version}). "
            "Use the post-processing of the version that wrote the file."
        )
    status = words(path, file, "status")
    if status != "complete" and not allow_partial:
        raise InputError(f"{path}: status is '{status}', not 'complete'. Read it all the same with --allow-partial.")
