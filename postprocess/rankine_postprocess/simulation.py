"""A finished simulation in memory: numpy arrays, and selection by observable, step and bond dimension."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import pauli
from .errors import InputError
from .from_file import FromFile
from .inputs import Inputs


@dataclass(frozen=True)
class Observable:
    """One measured quantity."""

    name: str  # "magnetization" or the literal Pauli string, "X13 X29"
    values: np.ndarray  # [points, measured steps], dimensionless; NaN where not measured
    route: str  # how it was read (docs/file_formats.md); one for each step, joined by commas, where they differ
    long_name: str
    loops_ignored: np.ndarray = field(default_factory=lambda: np.zeros(1, int))  # [measured steps] or [1]; 0: exact
    shortest_loop_ignored: np.ndarray = field(default_factory=lambda: np.zeros(1, int))  # likewise, sites; 0: exact
    exact_flops: np.ndarray = field(default_factory=lambda: np.zeros(1))  # likewise, of a reading that ignores nothing
    uncertainty: np.ndarray | None = None  # [points, measured steps], of the loop error; NaN where not known

    def left_out(self, index: int) -> str:
        """What the value after the measured step `index` leaves out, in words; empty when it is exact."""
        loops, shortest, flops = (
            values[index if len(values) > 1 else 0]
            for values in (self.loops_ignored, self.shortest_loop_ignored, self.exact_flops)
        )
        if loops == 0:
            return ""
        errors = np.full(1, np.nan) if self.uncertainty is None else self.uncertainty[:, index]
        estimate = f"up to {np.max(errors):.0e}" if np.isfinite(errors).all() else "not known"
        return (
            f"not exact: {loops} loop{'' if loops == 1 else 's'} of {shortest} or more sites ignored, "
            f"estimated error {estimate}, exact in {flops:.0e} flops"
        )


@dataclass(frozen=True)
class Simulation(FromFile):
    """The content of one result file; a point is one (max_bond_dimension, theta_h) of the deck."""

    path: Path
    status: str
    title: str
    lattice: str
    n_sites: int
    n_edges: int
    circuit: str
    theta_j: float | None  # radians; None where no gate has it
    final_rx_layer: bool  # one more layer of RX gates after the last step
    program: str
    program_version: str
    git_commit: str
    created_utc: str
    n_ranks: int
    threads: int
    theta_h: np.ndarray  # [points], radians; zeros where no gate has it (uses_theta_h)
    max_bond_dimension: np.ndarray  # [points]
    steps: np.ndarray  # [measured steps]
    observables: dict[str, Observable]
    discarded_weight: np.ndarray  # [points, measured steps], sum over all bond updates so far
    fidelity: np.ndarray  # [points, measured steps], product of (1 - discarded weight)
    bond_dimension: np.ndarray  # [points, measured steps], largest reached
    site_z: np.ndarray | None = None  # [points, measured steps, sites]
    point_seconds: np.ndarray | None = None  # [points]
    effective_deck: str = field(default="", repr=False)
    log: str = field(default="", repr=False)
    uses_theta_h: bool = True
    inputs: Inputs | None = field(default=None, repr=False)  # None in files of older versions

    @property
    def n_points(self) -> int:
        return len(self.theta_h)

    @property
    def last_step(self) -> int:
        """The last step with a measured value; before the end of the circuit only in partial files."""
        measured = np.zeros(len(self.steps), dtype=bool)
        for observable in self.observables.values():
            measured |= np.isfinite(observable.values).any(axis=0)
        return int(self.steps[measured][-1] if measured.any() else self.steps[-1])

    @property
    def bond_dimensions(self) -> list[int]:
        """The distinct values of max_bond_dimension, ascending."""
        return [int(chi) for chi in np.unique(self.max_bond_dimension)]

    def observable(self, name: str) -> Observable:
        """The observable of that name; factors of a Pauli string in any order. Raises InputError."""
        for candidate in self.observables.values():
            if pauli.same(candidate.name, name):
                return candidate
        present = ", ".join(f"'{known}'" for known in self.observables) or "none"
        raise InputError(f"{self.path}: no observable '{name}'. Present: {present}.")

    def step_index(self, step: int | None = None) -> int:
        """The column of `step`, or of the last measured step. Raises InputError."""
        wanted = self.last_step if step is None else step
        found = np.flatnonzero(self.steps == wanted)
        if not found.size:
            listed = ", ".join(str(known) for known in self.steps)
            raise InputError(f"{self.path}: step {wanted} was not measured. Measured steps: {listed}.")
        return int(found[0])

    def points(self, *, max_bond_dimension: int | None = None) -> np.ndarray:
        """Indices of the points, of one bond dimension if given, by ascending theta_h. Raises InputError."""
        chosen = np.arange(self.n_points)
        if max_bond_dimension is not None:
            chosen = chosen[self.max_bond_dimension == max_bond_dimension]
            if not chosen.size:
                listed = ", ".join(map(str, self.bond_dimensions))
                raise InputError(
                    f"{self.path}: no point with max_bond_dimension {max_bond_dimension}. Present: {listed}."
                )
        return chosen[np.argsort(self.theta_h[chosen], kind="stable")]

    def curve(
        self, observable: str, *, step: int | None = None, max_bond_dimension: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """theta_h (radians, ascending) and the observable at `step` (default: last measured).

        `max_bond_dimension` defaults to the largest in the file. Raises InputError.
        """
        chi = self.bond_dimensions[-1] if max_bond_dimension is None else max_bond_dimension
        chosen = self.points(max_bond_dimension=chi)
        values = self.observable(observable).values[chosen, self.step_index(step)]
        return self.theta_h[chosen], values
