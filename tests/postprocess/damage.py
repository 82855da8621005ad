"""Damages a result file in one of the ways that disks, transfers and other programs do; by a random number only."""

import random
from pathlib import Path

import h5py
import numpy as np

NUMBERS = (np.nan, np.inf, -np.inf, 0, -1, 1e300, -1e300, 1e-300, 2**62, -(2**62), 5e-324)
ATTRIBUTES = (0, -1, 2**62, np.nan, 1e300, "x", "", b"\xff\xfe", np.zeros(3), np.array([], float), ["a", "b"], 1 + 2j,
              h5py.Empty("f"), np.bool_(True), np.void(b"abc"), r"$\frac{$", "a\nb\x1b[2J")  # fmt: skip
TEXTS = ("", "[[[", "a = 1", "x\ny = [1", "[method]\nform = 3\nsites = [1]\noutliers = 'x'", "method = 3", r"$\bad{",
         "layer x", "weight", "[ranks]\nparameter_ratio = 'a'", "é" * 5000)  # fmt: skip
TYPES = ("f4", "i1", "u8", bool, complex, "V5", "S4", [("r", "f8"), ("i", "f8")], h5py.ref_dtype, h5py.string_dtype(),
         h5py.vlen_dtype(float))  # fmt: skip


def damage(path: Path, chance: random.Random) -> str:
    """Changes the file; returns what was done."""
    way = chance.choice([_bytes] * 7 + [_attribute] * 3 + [_numbers] * 5 + [_type] * 2 + [_shape] * 2 + [_removal] * 2)
    return way(path, chance)


def _bytes(path: Path, chance: random.Random) -> str:
    """Bits flipped, the end missing, a hole of zeros."""
    content = bytearray(path.read_bytes())
    how = chance.choice(["bit", "bit", "bytes", "end", "hole"])
    if how == "bit":
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif how == "bytes":
        for _ in range(chance.randrange(1, 40)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    elif how == "end":
        del content[chance.randrange(len(content)) :]
    else:
        start = chance.randrange(len(content))
        length = len(content[start : start + chance.randrange(1, 600)])
        content[start : start + length] = bytes(length)
    path.write_bytes(content)
    return how


def _attribute(path: Path, chance: random.Random) -> str:
    with h5py.File(path, "a") as file:
        holder, name = chance.choice(_contents(file)[1])
        if chance.random() < 0.3:
            del file[holder].attrs[name]
            return f"{holder} loses {name}"
        value = chance.choice(ATTRIBUTES)
        file[holder].attrs[name] = value
        return f"{holder}: {name} = {value!r}"


def _numbers(path: Path, chance: random.Random) -> str:
    """One value, or all of them, become what they never are."""
    with h5py.File(path, "a") as file:
        name = chance.choice(_contents(file)[0])
        values = np.array(file[name][()])
        if values.dtype.kind not in "fiu":
            text = chance.choice(TEXTS)
            _replace(file, name, np.full(values.shape, text, dtype=object), h5py.string_dtype())
            return f"{name} = {text[:20]!r}"
        value = chance.choice(NUMBERS)
        if values.dtype.kind in "iu":
            value = int(np.clip(np.nan_to_num(value), -(2**62), 2**62))
        if values.ndim == 0 or chance.random() < 0.3:
            values = np.full_like(values, value)
        else:
            values.ravel()[chance.randrange(values.size)] = value
        _replace(file, name, values)
        return f"{name} has {value}"


def _type(path: Path, chance: random.Random) -> str:
    with h5py.File(path, "a") as file:
        name = chance.choice(_contents(file)[0])
        shape, kind = file[name].shape, chance.choice(TYPES)
        del file[name]
        file.create_dataset(name, shape, dtype=kind)
        return f"{name} is {kind}"


def _shape(path: Path, chance: random.Random) -> str:
    with h5py.File(path, "a") as file:
        name = chance.choice(_contents(file)[0])
        old = file[name]
        kind = h5py.string_dtype() if old.dtype == object else old.dtype
        shapes = [(0,), (), (*old.shape, 1), tuple(2 * n for n in old.shape) or (2,), (2**40,), (2**20,) * 3, None]
        shape = chance.choice(shapes)
        del file[name]
        if shape is None:
            file[name] = h5py.Empty("f8")
        else:
            file.create_dataset(name, shape, dtype=kind, chunks=True if np.prod(shape, dtype=float) > 1e6 else None)
        return f"{name} has shape {shape}"


def _removal(path: Path, chance: random.Random) -> str:
    """Something is gone, or is a group in place of a dataset."""
    with h5py.File(path, "a") as file:
        parts = chance.choice(_contents(file)[0]).split("/")
        name = "/".join(parts[: chance.randrange(1, len(parts) + 1)])
        del file[name]
        if chance.random() < 0.4:
            file.create_group(name)
        return f"{name} is gone"


def _replace(file: h5py.File, name: str, values, dtype=None) -> None:
    del file[name]
    file.create_dataset(name, data=values, dtype=dtype)


def _contents(file: h5py.File) -> tuple[list[str], list[tuple[str, str]]]:
    """Names of datasets; and attributes with what they belong to."""
    datasets, attributes = [], [("/", name) for name in file.attrs]

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            datasets.append(name)
        attributes.extend((name, attribute) for attribute in item.attrs)

    file.visititems(visit)
    return datasets, attributes
