"""Writes result files as docs/file_formats.md describes those of rankine-simulate, with chosen values."""

from dataclasses import dataclass, field
from math import pi
from pathlib import Path

import h5py
import numpy as np

SIZES = {"eagle": (127, 144), "osprey": (433, 504), "condor": (1121, 1320), "infinite-heavy-hex": (5, 6)}


@dataclass
class Deck:
    """What the file is about; the points are every bond dimension x every theta_h."""

    theta_h: list[float] = field(default_factory=lambda: [0.0, 0.3, pi / 4])
    max_bond_dimension: list[int] = field(default_factory=lambda: [16])
    steps: list[int] = field(default_factory=lambda: [5])
    lattice: str = "eagle"
    title: str = "Eagle, kicked Ising, five steps"
    theta_j: float = -pi / 2
    final_rx_layer: bool = False
    loops_ignored: list[int] | None = None  # of every observable, for each step; of loops of four sites


def write(path: Path, deck: Deck, observables: dict, *, status: str = "complete", **root_attributes) -> Path:
    """`observables`: name -> function of (theta_h, max_bond_dimension, step) giving the value."""
    points = [(chi, theta) for chi in deck.max_bond_dimension for theta in deck.theta_h]
    with h5py.File(path, "w") as file:
        header = {
            "filetype": "rankine-simulate", "format_version": 1, "program": "rankine-simulate",
            "program_version": "0.1.0", "git_commit": "0123abc", "created_utc": "2025-01-02T03:04:05Z",
            "n_ranks": 2, "threads": 1, "status": status,
        }  # fmt: skip
        file.attrs.update(header | root_attributes)
        file["provenance/effective_deck"] = f'title = "{deck.title}"  # deck\n'
        file["log"] = "step 1 of 5\nstep 2 of 5\n"
        _dataset(file, "timing/point_seconds", np.full(len(points), 0.5), "time of each point", "s", ["points"])
        _write_results(file.create_group("results"), deck, points, observables)
    return path


def _write_results(results: h5py.Group, deck: Deck, points: list, observables: dict) -> None:
    n_sites, n_edges = SIZES[deck.lattice]
    results.attrs.update(
        {
            "lattice": deck.lattice,
            "n_sites": n_sites,
            "n_edges": n_edges,
            "circuit": "kicked-ising",
            "theta_j": deck.theta_j,
            "final_rx_layer": int(deck.final_rx_layer),
            "title": deck.title,
        }  # fmt: skip
    )
    both = ["points", "measured steps"]
    _dataset(results, "theta_h", np.array([theta for _, theta in points]), "RX angle", "rad", ["points"])
    _dataset(results, "max_bond_dimension", np.array([chi for chi, _ in points]), "limit", "1", ["points"])
    _dataset(results, "steps", np.array(deck.steps), "Trotter steps", "1", ["measured steps"])
    for name, value in observables.items():
        table = np.array([[value(theta, chi, step) for step in deck.steps] for chi, theta in points], dtype=float)
        dataset = _dataset(results, name.replace(" ", "_"), table, f"expectation value of {name}", "1", both)
        dataset.attrs["route"] = "mean-field"
        dataset.attrs["pauli_string"] = name
        if deck.loops_ignored is not None:
            ignored = np.array(deck.loops_ignored)
            dataset.attrs.update({"loops_ignored": ignored, "shortest_loop_ignored": 4 * (ignored > 0),
                                  "exact_flops": 1e13 * ignored})  # fmt: skip
            _dataset(results, f"uncertainty/{name.replace(' ', '_')}", np.where(ignored > 0, 0.02, 0.0) + 0 * table,
                     "estimate", "1", both)  # fmt: skip
    discarded = np.array([[discarded_weight(theta, chi, step) for step in deck.steps] for chi, theta in points])
    _dataset(results, "discarded_weight", discarded, "sum over all bond updates", "1", both)
    _dataset(results, "fidelity", np.exp(-discarded), "product of 1 - discarded weight", "1", both)
    reached = np.array([[min(chi, 2**step) for step in deck.steps] for chi, _ in points])
    _dataset(results, "bond_dimension", reached, "largest bond dimension reached", "1", both)
    site_z = np.zeros((len(points), len(deck.steps), n_sites))
    _dataset(results, "site_z", site_z, "<Z> of each site", "1", [*both, "sites"])


def discarded_weight(theta: float, chi: int, step: int) -> float:
    """Of a realistic size: nothing while 2^step <= chi, then falling with chi and growing with depth."""
    return 0.0 if 2**step <= chi else 3.0 * np.sin(theta) ** 2 * (step / 20) ** 2 * (4.0 / chi) ** 2.2


def _dataset(group: h5py.Group, name: str, values, long_name: str, units: str, dims: list[str]) -> h5py.Dataset:
    dataset = group.create_dataset(name, data=values)
    dataset.attrs["long_name"] = long_name
    dataset.attrs["units"] = units
    dataset.attrs["dims"] = dims
    return dataset
