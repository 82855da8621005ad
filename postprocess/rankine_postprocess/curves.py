"""Which curves a figure shows: from result files to lines with their error measures, no drawing.

Files of the same physical setup (lattice, circuit, depth) are merged, so that a sweep may be one file
or many. A curve runs along one axis (theta_h, step or bond dimension) at fixed values of the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from . import catalogue
from .simulation import Simulation


class Axis(Enum):
    """What the curves run along."""

    THETA_H = "theta_h"
    STEP = "step"
    BOND_DIMENSION = "bond-dimension"


class Convergence(Enum):
    """The measure of accuracy used where no exact value is known; the value is its name on a figure."""

    TO_LARGEST = r"|difference to largest $\chi$|"
    TO_PREVIOUS = r"|change from previous $\chi$|"
    INFIDELITY = "1 − fidelity (truncation)"


@dataclass(frozen=True, eq=False)
class Setup:
    """All samples of one observable in one physical setup, flat: entry i is one point at one step."""

    label: str
    simulations: list[Simulation]
    observable: str
    step: int  # the step curves against theta_h and bond dimension are taken at
    theta_h: np.ndarray
    bond_dimension: np.ndarray  # the deck's max_bond_dimension
    steps: np.ndarray
    value: np.ndarray
    exact: np.ndarray  # NaN where not known
    discarded_weight: np.ndarray
    fidelity: np.ndarray

    @property
    def reference(self) -> catalogue.Reference | None:
        """What is known about the observable at `step`."""
        return catalogue.find(self.simulations[0], self.observable, self.step)


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of the figure; arrays run along the axis, ascending."""

    setup: Setup
    theta_h: float | None  # None: varies along the curve
    bond_dimension: int | None
    x: np.ndarray
    value: np.ndarray
    exact: np.ndarray
    discarded_weight: np.ndarray
    measure: np.ndarray  # of kind `convergence`; NaN where it does not apply
    convergence: Convergence

    @property
    def error(self) -> np.ndarray:
        """|simulation - exact|; NaN where nothing exact is known."""
        return np.abs(self.value - self.exact)


def gather(simulations: list[Simulation], observable: str, step: int | None) -> list[Setup]:
    """The setups among the files, small lattices first. Raises InputError (observable, step)."""
    groups: dict[tuple, list[Simulation]] = {}
    for simulation in simulations:
        index = simulation.step_index(step)
        setup = (simulation.lattice, simulation.n_sites, simulation.circuit, round(simulation.theta_j, 9),
                 simulation.final_rx_layer, int(simulation.steps[index]))  # fmt: skip
        copy = 0  # the same point twice means that the files are to be compared, not merged
        while any(_overlap(simulation, member) for member in groups.get((*setup, copy), [])):
            copy += 1
        groups.setdefault((*setup, copy), []).append(simulation)
    labels = _labels(list(groups.items()))
    setups = [_setup(label, members, observable, key[-2]) for label, (key, members) in zip(labels, groups.items())]
    return sorted(setups, key=lambda setup: _size(setup.simulations[0]))


def default_axis(setups: list[Setup]) -> Axis:
    """theta_h if there are several angles, else step, else bond dimension."""
    for axis, attribute in ((Axis.THETA_H, "theta_h"), (Axis.STEP, "steps"), (Axis.BOND_DIMENSION, "bond_dimension")):
        if any(len(np.unique(getattr(setup, attribute))) > 1 for setup in setups):
            return axis
    return Axis.THETA_H


def curves(setups: list[Setup], axis: Axis) -> list[Curve]:
    """The lines of a figure against `axis`."""
    make = {
        Axis.THETA_H: _against_theta_h,
        Axis.STEP: _against_step,
        Axis.BOND_DIMENSION: _against_bond_dimension,
    }[axis]
    return [curve for setup in setups for curve in make(setup)]


def _against_theta_h(setup: Setup) -> Iterator[Curve]:
    for chi in np.unique(setup.bond_dimension):
        chosen = (setup.bond_dimension == chi) & (setup.steps == setup.step)
        measure, kind = _distance(setup)
        yield _curve(setup, chosen, setup.theta_h, measure, kind, bond_dimension=int(chi))


def _against_step(setup: Setup) -> Iterator[Curve]:
    """One line per angle, or per bond dimension for a single angle; of several angles only the largest chi."""
    angles, dimensions = np.unique(setup.theta_h), np.unique(setup.bond_dimension)
    for angle in angles:
        for chi in dimensions if len(angles) == 1 else dimensions[-1:]:
            chosen = (setup.theta_h == angle) & (setup.bond_dimension == chi)
            measure, kind = _distance(setup)
            if len(angles) > 1 and kind is Convergence.TO_LARGEST:
                measure, kind = 1.0 - setup.fidelity, Convergence.INFIDELITY
            if chosen.any():
                yield _curve(setup, chosen, setup.steps, measure, kind, theta_h=angle, bond_dimension=int(chi))


def _against_bond_dimension(setup: Setup) -> Iterator[Curve]:
    for angle in np.unique(setup.theta_h):
        chosen = (setup.theta_h == angle) & (setup.steps == setup.step)
        change = np.full(setup.value.shape, np.nan)
        order = np.flatnonzero(chosen)[np.argsort(setup.bond_dimension[chosen])]
        change[order[1:]] = np.abs(np.diff(setup.value[order]))
        yield _curve(setup, chosen, setup.bond_dimension, change, Convergence.TO_PREVIOUS, theta_h=angle)


def _curve(setup, chosen, x, measure, convergence, *, theta_h=None, bond_dimension=None) -> Curve:
    order = np.flatnonzero(chosen)[np.argsort(x[chosen], kind="stable")]
    columns = (x, setup.value, setup.exact, setup.discarded_weight, measure)
    return Curve(setup, theta_h, bond_dimension, *(column[order] for column in columns), convergence)


def _distance(setup: Setup) -> tuple[np.ndarray, Convergence]:
    """Per sample: how far from the same sample at the largest bond dimension; without a sweep, 1 - fidelity."""
    largest = setup.bond_dimension.max()
    if (setup.bond_dimension == largest).all():
        return 1.0 - setup.fidelity, Convergence.INFIDELITY
    best = {
        (angle, step): value
        for angle, step, chi, value in zip(setup.theta_h, setup.steps, setup.bond_dimension, setup.value)
        if chi == largest
    }
    nearest = np.array([best.get(sample, np.nan) for sample in zip(setup.theta_h, setup.steps)])
    distance = np.where(setup.bond_dimension < largest, np.abs(setup.value - nearest), np.nan)
    return distance, Convergence.TO_LARGEST


def _setup(label: str, members: list[Simulation], observable: str, step: int) -> Setup:
    parts = [_flatten(simulation, observable) for simulation in members]
    columns = [np.concatenate(column) for column in zip(*parts)]
    return Setup(label, members, observable, step, *columns)


def _flatten(simulation: Simulation, observable: str) -> tuple[np.ndarray, ...]:
    value = simulation.observable(observable).values
    exact = np.full(value.shape, np.nan)
    for index, step in enumerate(simulation.steps):
        reference = catalogue.find(simulation, observable, int(step))
        if reference:
            exact[:, index] = reference.exact(simulation.theta_h)
    columns = (
        simulation.theta_h[:, None], simulation.max_bond_dimension[:, None], simulation.steps[None, :],
        value, exact, simulation.discarded_weight, simulation.fidelity,
    )  # fmt: skip
    return tuple(np.broadcast_to(column, value.shape).ravel() for column in columns)


def _overlap(first: Simulation, second: Simulation) -> bool:
    points = set(zip(first.theta_h, first.max_bond_dimension))
    return not points.isdisjoint(zip(second.theta_h, second.max_bond_dimension))


def _size(simulation: Simulation) -> float:
    return float("inf") if simulation.lattice == "infinite-heavy-hex" else simulation.n_sites


def lattice_name(simulation: Simulation) -> str:
    """The lattice as a reader knows it."""
    if simulation.lattice == "infinite-heavy-hex":
        return "infinite heavy-hex"
    name = simulation.lattice.replace("edge-list", "edge list")
    return f"{name[0].upper()}{name[1:]}, {simulation.n_sites} qubits"


def _labels(groups: list[tuple[tuple, list[Simulation]]]) -> list[str]:
    """Lattice names, with the depth where it differs and the file name where that is not enough."""
    depths = {key[-2] for key, _ in groups}
    labels = [lattice_name(members[0]) + (f", {key[-2]} steps" if len(depths) > 1 else "") for key, members in groups]
    return [
        f"{label} ({members[0].path.stem})" if labels.count(label) > 1 else label
        for label, (_, members) in zip(labels, groups)
    ]
