"""From a result file of rankine-simulate to a `Simulation`; refuses what it does not know."""

from pathlib import Path

import h5py
import numpy as np

from .errors import InputError
from .fields import document, integers, one_line, one_or_each, real_attribute, reals, subgroup, whole_attribute, words
from .inputs import read_inputs
from .own_process import in_own_process
from .result_header import check_header, opened
from .simulation import Observable, Simulation

FILETYPE = "rankine-simulate"
FORMAT_VERSION = 1
_LARGEST_ANGLE = 1e9  # float64 hardly knows the direction of a larger one
# Datasets of /results that are not observables; everything else of shape [points, measured steps] is one.
_BOOKKEEPING = {
    "theta_h", "max_bond_dimension", "steps", "site_z", "discarded_weight", "fidelity", "bond_dimension",
}  # fmt: skip
# Attributes of an observable that say what its values leave out; files of older versions lack them.
_LEFT_OUT = ("loops_ignored", "shortest_loop_ignored", "exact_flops")


def read_simulation(path: str | Path, *, allow_partial: bool = False) -> Simulation:
    """Read a result file of rankine-simulate. Raises InputError as rankine_postprocess.read does, and for another file type."""
    return in_own_process(_read_file, Path(path), allow_partial)


def _read_file(path: Path, allow_partial: bool) -> Simulation:
    with opened(path) as file:
        check_header(path, file, FILETYPE, FORMAT_VERSION, allow_partial)
        return _read_simulation(path, file)


def _read_simulation(path: Path, file: h5py.File) -> Simulation:
    results = subgroup(path, file, "results")
    # A gate list need not name the angle; the circuits that a deck can name all have it.
    uses_theta_h = "theta_h" in results or words(path, results, "circuit") != "gate-list"
    theta_h, steps = _read_axes(path, results, uses_theta_h)
    table = (len(theta_h), len(steps))
    n_sites = whole_attribute(path, results, "n_sites", 1)
    has_times = "timing/point_seconds" in file
    return Simulation(
        path=path,
        status=words(path, file, "status"),
        title=words(path, results, "title", ""),
        lattice=words(path, results, "lattice"),
        n_sites=n_sites,
        n_edges=whole_attribute(path, results, "n_edges"),
        circuit=words(path, results, "circuit"),
        theta_j=real_attribute(path, results, "theta_j") if "theta_j" in results.attrs else None,
        final_rx_layer="final_rx_layer" in results.attrs and bool(whole_attribute(path, results, "final_rx_layer")),
        program=words(path, file, "program"),
        program_version=words(path, file, "program_version"),
        git_commit=words(path, file, "git_commit"),
        created_utc=words(path, file, "created_utc"),
        n_ranks=whole_attribute(path, file, "n_ranks", 1),
        threads=whole_attribute(path, file, "threads", 1),
        theta_h=theta_h,
        max_bond_dimension=integers(path, results, "max_bond_dimension", table[:1], least=1),
        steps=steps,
        observables=_read_observables(path, results, table),
        discarded_weight=reals(path, results, "discarded_weight", table),
        fidelity=reals(path, results, "fidelity", table),
        bond_dimension=integers(path, results, "bond_dimension", table, least=-1),
        site_z=reals(path, results, "site_z", (*table, n_sites)) if "site_z" in results else None,
        point_seconds=reals(path, file, "timing/point_seconds", table[:1]) if has_times else None,
        effective_deck=document(path, file, "provenance/effective_deck"),
        log=document(path, file, "log"),
        uses_theta_h=uses_theta_h,
        inputs=read_inputs(path, file),
    )


def _read_axes(path: Path, results: h5py.Group, uses_theta_h: bool) -> tuple[np.ndarray, np.ndarray]:
    """The angle of each point (0 where no gate has one), and the measured steps."""
    if uses_theta_h:
        theta_h = reals(path, results, "theta_h", (None,), least=-_LARGEST_ANGLE, most=_LARGEST_ANGLE)
    else:
        theta_h = np.zeros(len(integers(path, results, "max_bond_dimension", (None,), least=1)))
    steps = integers(path, results, "steps", (None,), least=1)
    if not theta_h.size or not steps.size:
        raise InputError(f"{path}: the file holds no measured point.")
    if np.isnan(theta_h).any():
        raise InputError(f"{path}: /results/theta_h holds NaN. Run the deck again.")
    if (np.diff(steps) <= 0).any():
        raise InputError(f"{path}: /results/steps does not ascend. Run the deck again.")
    return theta_h, steps


def _read_observables(path: Path, results: h5py.Group, table: tuple[int, int]) -> dict[str, Observable]:
    observables = {}
    uncertainty = results.get("uncertainty")
    if not isinstance(uncertainty, h5py.Group):
        uncertainty = None
    for key, dataset in results.items():
        if key in _BOOKKEEPING or not isinstance(dataset, h5py.Dataset):
            continue
        name = words(path, dataset, "pauli_string", "") or one_line(key)
        observables[name] = Observable(
            name=name,
            values=reals(path, results, key, table),
            route=words(path, dataset, "route", "unknown"),
            long_name=words(path, dataset, "long_name", ""),
            **{left_out: one_or_each(path, dataset, left_out, table[1]) for left_out in _LEFT_OUT},
            uncertainty=reals(path, uncertainty, key, table) if key in (uncertainty or ()) else None,
        )
    return observables
