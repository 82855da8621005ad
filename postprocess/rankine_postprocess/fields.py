"""Attributes and datasets of a result file, each checked to be what docs/file_formats.md says it is.

A shape has None for an axis of any length. NaN stands for what is not done and passes every check.
"""

import os
from pathlib import Path

import h5py
import numpy as np

from .errors import InputError

_LARGEST_WHOLE = 2**53
_LARGEST_REAL = float(np.finfo(float).max)
_MOST_PACKED = 2000  # no filter of HDF5 makes data smaller than by this factor


def words(path: Path, holder: h5py.Group | h5py.Dataset, name: str, default: str | None = None) -> str:
    """A text attribute, in one line. Without a default it must be there."""
    value = _attribute(path, holder, name, default)
    if not isinstance(value, (str, bytes)):
        raise InputError(f"{path}: the attribute '{name}' of {holder.name} is not a text. {_DAMAGED}")
    return one_line(_decoded(value))


def whole_attribute(path: Path, holder: h5py.Group | h5py.Dataset, name: str, least: int = 0) -> int:
    """An integer attribute."""
    value = _attribute(path, holder, name)
    if not isinstance(value, int) or not least <= value <= _LARGEST_WHOLE:
        raise InputError(f"{path}: the attribute '{name}' of {holder.name} is not an integer from {least}. {_DAMAGED}")
    return value


def real_attribute(path: Path, holder: h5py.Group | h5py.Dataset, name: str) -> float:
    """A finite real attribute."""
    value = _attribute(path, holder, name)
    if not isinstance(value, (int, float)) or not np.isfinite(value):
        raise InputError(f"{path}: the attribute '{name}' of {holder.name} is not a finite number. {_DAMAGED}")
    return float(value)


def one_or_each(path: Path, holder: h5py.Group | h5py.Dataset, name: str, length: int) -> np.ndarray:
    """A real attribute with one value for all of something, or one for each; 0 where it is absent."""
    values = np.atleast_1d(np.asarray(_attribute(path, holder, name, 0)))
    if values.dtype.kind not in "fiu" or values.shape not in ((1,), (length,)):
        raise InputError(f"{path}: the attribute '{name}' of {holder.name} is not one number, nor {length}. {_DAMAGED}")
    return values


def reals(
    path: Path, group: h5py.Group, name: str, shape: tuple, *, least: float = -_LARGEST_REAL, most: float = _LARGEST_REAL
) -> np.ndarray:
    """A dataset of real numbers within bounds, as float64."""
    values = _dataset(path, group, name, shape, "fiu", "real numbers")[()].astype(float)
    with np.errstate(invalid="ignore"):
        outside = (values < least) | (values > most)
    if outside.any():
        raise InputError(f"{path}: {_place(group, name)} holds {values[outside].flat[0]:g}, which cannot be. {_DAMAGED}")
    return values


def integers(path: Path, group: h5py.Group, name: str, shape: tuple, *, least: int = 0) -> np.ndarray:
    """A dataset of integers of at least `least`, as int64."""
    values = _dataset(path, group, name, shape, "iu", "integers")[()]
    outside = (values < least) | (values > _LARGEST_WHOLE)
    if np.any(outside):
        raise InputError(f"{path}: {_place(group, name)} holds {values[outside].flat[0]}, which cannot be. {_DAMAGED}")
    return values.astype(np.int64)


def texts(path: Path, group: h5py.Group, name: str, shape: tuple) -> list[str]:
    """A dataset of texts of one axis, each in one line."""
    return [one_line(_decoded(value)) for value in _dataset(path, group, name, shape, "OS", "texts")[()]]


def real(path: Path, group: h5py.Group, name: str, *, least: float = 0.0, most: float = _LARGEST_REAL) -> float | None:
    """A scalar dataset; None where it is absent or NaN."""
    value = float(reals(path, group, name, (), least=least, most=most)) if name in group else np.nan
    return None if np.isnan(value) else value


def whole(path: Path, group: h5py.Group, name: str, *, least: int = 0) -> int:
    """A scalar integer dataset, which must be there."""
    return int(integers(path, group, name, (), least=least))


def numbers_or_texts(path: Path, dataset: h5py.Dataset) -> np.ndarray:
    """A dataset of any shape: integers, real or complex numbers, truth values, or texts (as objects)."""
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    if dataset.shape is None or not (is_text or dataset.dtype.kind in "biufc"):
        raise InputError(f"{path}: {dataset.name} holds neither numbers nor texts. {_DAMAGED}")
    _require_content(path, dataset)
    values = np.asarray(dataset[()])
    if not is_text:
        return values
    return np.array([_decoded(value) for value in np.ravel(values)], dtype=object).reshape(values.shape)


def any_attribute(holder: h5py.Group | h5py.Dataset, name: str) -> int | float | str | list | None:
    """An attribute as Python has it; None for what is no number, text or list of these."""
    try:
        value = _attribute(Path(), holder, name)
    except (InputError, OSError, TypeError, ValueError):
        return None
    if isinstance(value, (str, bytes)):
        return one_line(_decoded(value))
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "iuf":
            return value.tolist()
        return [one_line(_decoded(one)) for one in np.ravel(value)] if value.dtype.kind in "OSU" and _are_texts(value) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _are_texts(values: np.ndarray) -> bool:
    return all(isinstance(value, (str, bytes)) for value in np.ravel(values))


def document(path: Path, file: h5py.File, name: str) -> str:
    """A text of several lines, scalar or one element a line; empty where it is absent."""
    if name not in file:
        return ""
    dataset = file[name]
    shape = (None,) if isinstance(dataset, h5py.Dataset) and dataset.ndim == 1 else ()
    return "\n".join(_decoded(line) for line in np.ravel(_dataset(path, file, name, shape, "OS", "texts")[()]))


def subgroup(path: Path, group: h5py.Group, name: str) -> h5py.Group:
    """A group, which must be there."""
    found = group.get(name)
    if not isinstance(found, h5py.Group):
        raise InputError(f"{path}: the group {_place(group, name)} is missing. {_DAMAGED}")
    return found


def one_line(text: str) -> str:
    """The text without line ends and whatever else cannot be shown."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


_DAMAGED = "Run the deck again."


def _attribute(path: Path, holder, name: str, default=None):
    """A single value, as Python has it; arrays of one element count as such."""
    value = holder.attrs.get(name, default)
    if value is None:
        raise InputError(f"{path}: the attribute '{name}' of {holder.name} is missing. {_DAMAGED}")
    return value.item() if isinstance(value, (np.ndarray, np.generic)) and value.size == 1 else value


def _decoded(value) -> str:
    """A text as h5py hands it over, free of what is not UTF-8."""
    as_bytes = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return as_bytes.decode("utf-8", "replace")


def _dataset(path: Path, group: h5py.Group, name: str, shape: tuple, kinds: str, what: str) -> h5py.Dataset:
    dataset = group.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise InputError(f"{path}: the dataset {_place(group, name)} is missing. {_DAMAGED}")
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    if dataset.dtype.kind not in kinds or is_text != (what == "texts") or dataset.shape is None:
        raise InputError(f"{path}: {_place(group, name)} does not hold {what}. {_DAMAGED}")
    if len(dataset.shape) != len(shape) or any(n not in (None, m) for n, m in zip(shape, dataset.shape)):
        expected = f"({', '.join('any' if n is None else str(n) for n in shape)})"
        raise InputError(f"{path}: {_place(group, name)} has shape {dataset.shape}, expected {expected}. {_DAMAGED}")
    _require_content(path, dataset)
    return dataset


def _require_content(path: Path, dataset: h5py.Dataset) -> None:
    if dataset.nbytes > _MOST_PACKED * os.path.getsize(path):
        raise InputError(f"{path}: {dataset.name} is larger than the file can hold. {_DAMAGED}")


def _place(group: h5py.Group, name: str) -> str:
    return f"{group.name.rstrip('/')}/{name}"
