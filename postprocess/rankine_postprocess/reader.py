"""From a result file of rankine-simulate to a `Simulation`; refuses what it does not know."""

from pathlib import Path

import h5py
import numpy as np

from .errors import InputError
from .simulation import Observable, Simulation

FILETYPE = "rankine-simulate"
FORMAT_VERSION = 1
# Datasets of /results that are not observables; everything else of shape [points, measured steps] is one.
_BOOKKEEPING = {
    "theta_h", "max_bond_dimension", "steps", "site_z", "discarded_weight", "fidelity", "bond_dimension",
}  # fmt: skip


def read(path: str | Path, *, allow_partial: bool = False) -> Simulation:
    """Read a result file.

    Raises InputError for another file type or format version, for a file whose status is not
    "complete" (unless `allow_partial`), and for missing or misshapen content.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    try:
        with h5py.File(path, "r") as file:
            _check_header(path, file, allow_partial)
            return _read_simulation(path, file)
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a readable HDF5 file ({reason}).") from error


def _check_header(path: Path, file: h5py.File, allow_partial: bool) -> None:
    filetype = _text(file.attrs.get("filetype", "none"))
    if filetype != FILETYPE:
        raise InputError(f"{path}: filetype is '{filetype}' (this command reads '{FILETYPE}').")
    version = _scalar(path, file, "format_version")
    if version != FORMAT_VERSION:
        raise InputError(
            f"{path}: format_version is {version} (this command reads {FORMAT_VERSION}). "
            "Use the post-processing of the version that wrote the file."
        )
    status = _text(_scalar(path, file, "status"))
    if status != "complete" and not allow_partial:
        raise InputError(f"{path}: status is '{status}', not 'complete'. Read it all the same with --allow-partial.")


def _read_simulation(path: Path, file: h5py.File) -> Simulation:
    results = file.get("results")
    if not isinstance(results, h5py.Group):
        raise InputError(f"{path}: the group /results is missing.")
    theta_h = _array(path, results, "theta_h", 1).astype(float)
    steps = _array(path, results, "steps", 1).astype(int)
    table = (len(theta_h), len(steps))
    if 0 in table:
        raise InputError(f"{path}: the file holds no measured point.")
    return Simulation(
        path=path,
        status=_text(file.attrs["status"]),
        title=_text(results.attrs.get("title", "")),
        lattice=_text(_scalar(path, results, "lattice")),
        n_sites=int(_scalar(path, results, "n_sites")),
        n_edges=int(_scalar(path, results, "n_edges")),
        circuit=_text(_scalar(path, results, "circuit")),
        theta_j=float(_scalar(path, results, "theta_j")),
        final_rx_layer=bool(_scalar(path, results, "final_rx_layer")),
        program=_text(_scalar(path, file, "program")),
        program_version=_text(_scalar(path, file, "program_version")),
        git_commit=_text(_scalar(path, file, "git_commit")),
        created_utc=_text(_scalar(path, file, "created_utc")),
        n_ranks=int(_scalar(path, file, "n_ranks")),
        threads=int(_scalar(path, file, "threads")),
        theta_h=theta_h,
        max_bond_dimension=_shaped(path, results, "max_bond_dimension", table[:1]).astype(int),
        steps=steps,
        observables=_read_observables(path, results, table),
        discarded_weight=_shaped(path, results, "discarded_weight", table),
        fidelity=_shaped(path, results, "fidelity", table),
        bond_dimension=_shaped(path, results, "bond_dimension", table),
        site_z=_array(path, results, "site_z", 3) if "site_z" in results else None,
        point_seconds=file["timing/point_seconds"][()] if "timing/point_seconds" in file else None,
        effective_deck=_text_dataset(file, "provenance/effective_deck"),
        log=_text_dataset(file, "log"),
    )


def _read_observables(path: Path, results: h5py.Group, table: tuple[int, int]) -> dict[str, Observable]:
    observables = {}
    for key, dataset in results.items():
        if key in _BOOKKEEPING or not isinstance(dataset, h5py.Dataset):
            continue
        name = _text(dataset.attrs.get("pauli_string", "")) or key
        observables[name] = Observable(
            name=name,
            values=_shaped(path, results, key, table).astype(float),
            route=_text(dataset.attrs.get("route", "unknown")),
            long_name=_text(dataset.attrs.get("long_name", "")),
        )
    return observables


def _shaped(path: Path, group: h5py.Group, name: str, shape: tuple[int, ...]) -> np.ndarray:
    array = _array(path, group, name, len(shape))
    if array.shape != shape:
        raise InputError(f"{path}: {group.name}/{name} has shape {array.shape}, expected {shape}.")
    return array


def _array(path: Path, group: h5py.Group, name: str, dimensions: int) -> np.ndarray:
    dataset = group.get(name)
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != dimensions or dataset.dtype.kind not in "fiu":
        raise InputError(f"{path}: {group.name}/{name} is missing or not a numeric array with {dimensions} axes.")
    return dataset[()]


def _scalar(path: Path, holder: h5py.Group, name: str):
    value = holder.attrs.get(name)
    if value is None:
        raise InputError(f"{path}: the attribute '{name}' of {holder.name} is missing.")
    return value.item() if isinstance(value, (np.ndarray, np.generic)) and value.size == 1 else value


def _text(value) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _text_dataset(file: h5py.File, name: str) -> str:
    """A string dataset, scalar or one element a line; empty when absent."""
    if name not in file:
        return ""
    return "\n".join(_text(line) for line in np.ravel(file[name][()]))
