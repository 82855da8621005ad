"""What every result file begins with: HDF5, filetype, format version, status."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from .errors import InputError


@contextmanager
def opened(path: str | Path) -> Iterator[h5py.File]:
    """The file, for reading. Raises InputError for one that is missing or not HDF5."""
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file.")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: not a readable HDF5 file ({str(error).splitlines()[0]}).") from error


def filetype_of(path: str | Path) -> str:
    """What the file says it is; "none" where it says nothing. Raises InputError as `opened` does."""
    with opened(path) as file:
        return text(file.attrs.get("filetype", "none"))


def check_header(path: Path, file: h5py.File, filetype: str, format_version: int, allow_partial: bool) -> None:
    """Raises InputError for another file type or version, and for a status that is not "complete"."""
    found = text(file.attrs.get("filetype", "none"))
    if found != filetype:
        raise InputError(f"{path}: filetype is '{found}' (this command reads '{filetype}').")
    version = attribute(path, file, "format_version")
    if version != format_version:
        raise InputError(
            f"{path}: format_version is {version} (this command reads {format_version}). "
            "Use the post-processing of the version that wrote the file."
        )
    status = text(attribute(path, file, "status"))
    if status != "complete" and not allow_partial:
        raise InputError(f"{path}: status is '{status}', not 'complete'. Read it all the same with --allow-partial.")


def attribute(path: Path, holder: h5py.Group, name: str):
    """A scalar attribute that must be there."""
    value = holder.attrs.get(name)
    if value is None:
        raise InputError(f"{path}: the attribute '{name}' of {holder.name} is missing.")
    return value.item() if isinstance(value, (np.ndarray, np.generic)) and value.size == 1 else value


def text(value) -> str:
    """A string attribute or element, however h5py hands it over."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def text_dataset(file: h5py.File, name: str) -> str:
    """A string dataset, scalar or one element a line; empty when absent."""
    if name not in file:
        return ""
    return "\n".join(text(line) for line in np.ravel(file[name][()]))
