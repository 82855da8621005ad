"""From a result file of rankine-simulate to a `Simulation`; refuses what it does not know."""

from pathlib import Path

import h5py
import numpy as np

from .errors import InputError
from .result_header import attribute, check_header, opened, text, text_dataset
from .simulation import Observable, Simulation

FILETYPE = "rankine-simulate"
FORMAT_VERSION = 1
# Datasets of /results that are not observables; everything else of shape [points, measured steps] is one.
_BOOKKEEPING = {
    "theta_h", "max_bond_dimension", "steps", "site_z", "discarded_weight", "fidelity", "bond_dimension",
}  # fmt: skip
# Attributes of an observable that say what its values leave out; files of older versions lack them.
_LEFT_OUT = ("loops_ignored", "shortest_loop_ignored", "exact_flops")


def read(path: str | Path, *, allow_partial: bool = False) -> Simulation:
    """Read a result file.

    Raises InputError for another file type or format version, for a file whose status is not
    "complete" (unless `allow_partial`), and for missing or misshapen content.
    """
    path = Path(path)
    with opened(path) as file:
        check_header(path, file, FILETYPE, FORMAT_VERSION, allow_partial)
        return _read_simulation(path, file)


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
        status=text(file.attrs["status"]),
        title=text(results.attrs.get("title", "")),
        lattice=text(attribute(path, results, "lattice")),
        n_sites=int(attribute(path, results, "n_sites")),
        n_edges=int(attribute(path, results, "n_edges")),
        circuit=text(attribute(path, results, "circuit")),
        theta_j=float(attribute(path, results, "theta_j")),
        final_rx_layer=bool(attribute(path, results, "final_rx_layer")),
        program=text(attribute(path, file, "program")),
        program_version=text(attribute(path, file, "program_version")),
        git_commit=text(attribute(path, file, "git_commit")),
        created_utc=text(attribute(path, file, "created_utc")),
        n_ranks=int(attribute(path, file, "n_ranks")),
        threads=int(attribute(path, file, "threads")),
        theta_h=theta_h,
        max_bond_dimension=_shaped(path, results, "max_bond_dimension", table[:1]).astype(int),
        steps=steps,
        observables=_read_observables(path, results, table),
        discarded_weight=_shaped(path, results, "discarded_weight", table),
        fidelity=_shaped(path, results, "fidelity", table),
        bond_dimension=_shaped(path, results, "bond_dimension", table),
        site_z=_array(path, results, "site_z", 3) if "site_z" in results else None,
        point_seconds=file["timing/point_seconds"][()] if "timing/point_seconds" in file else None,
        effective_deck=text_dataset(file, "provenance/effective_deck"),
        log=text_dataset(file, "log"),
    )


def _read_observables(path: Path, results: h5py.Group, table: tuple[int, int]) -> dict[str, Observable]:
    observables = {}
    uncertainty = results.get("uncertainty")
    if not isinstance(uncertainty, h5py.Group):
        uncertainty = None
    for key, dataset in results.items():
        if key in _BOOKKEEPING or not isinstance(dataset, h5py.Dataset):
            continue
        name = text(dataset.attrs.get("pauli_string", "")) or key
        observables[name] = Observable(
            name=name,
            values=_shaped(path, results, key, table).astype(float),
            route=text(dataset.attrs.get("route", "unknown")),
            long_name=text(dataset.attrs.get("long_name", "")),
            **{name: _per_step(path, dataset, name, table[1]) for name in _LEFT_OUT},
            uncertainty=_shaped(path, uncertainty, key, table) if key in (uncertainty or ()) else None,
        )
    return observables


def _per_step(path: Path, dataset: h5py.Dataset, name: str, n_steps: int) -> np.ndarray:
    """An attribute with one number for all measured steps, or one for each."""
    values = np.atleast_1d(dataset.attrs.get(name, 0))
    if values.dtype.kind not in "fiu" or values.shape not in ((1,), (n_steps,)):
        raise InputError(f"{path}: attribute {name} of {dataset.name} is not one number, nor one for each step.")
    return values


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
