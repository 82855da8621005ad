"""What is known, measured or published about each observable of the kicked Ising experiment.

An entry holds for one lattice, observable, number of steps and final layer, at theta_j = -pi/2. All
signs are those of the literal Pauli strings. The paper draws Figs. 3c and 4a negated, but the measured
values kept in reference/quantum are not, so nothing is flipped anywhere. Sources: reference/quantum/README.md.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import pi

import numpy as np

from . import pauli
from .curve_file import read_curve_file
from .simulation import Simulation

W10 = "X13 X29 X31 Y9 Y30 Z8 Z12 Z17 Z28 Z32"
W17 = "X37 X41 X52 X56 X57 X58 X62 X79 Y75 Z38 Z40 Z42 Z63 Z72 Z80 Z90 Z91"
W17_MODIFIED = "X37 X41 X52 X56 X57 X58 X62 X79 Y38 Y40 Y42 Y63 Y72 Y80 Y90 Y91 Z75"

SAME_ANGLE = 1e-9  # radians
_THETA_J = -pi / 2
_INTERPOLATION_POINTS = 12
_BEYOND_THE_GRID = 2e-4  # radians; the grids end at 1.5707, just short of pi/2


@dataclass(frozen=True)
class Experiment:
    """Measured points of one figure of the paper."""

    figure: str
    theta_h: np.ndarray
    unmitigated: np.ndarray
    mitigated: np.ndarray


@dataclass(frozen=True)
class Reference:
    """One entry of the catalogue; file names are relative to reference/quantum."""

    lattice: str
    observable: str
    steps: int
    final_rx_layer: bool = False
    grid_file: str | None = None  # exact, dense enough to interpolate
    points_file: str | None = None  # exact, at a few angles
    figure: str | None = None  # of the experiment's points
    published_spread: float | None = None  # between published simulations, where nothing exact is known

    def exact_grid(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The exact curve, theta_h and value, where one is known."""
        return _curve(self.grid_file) if self.grid_file else None

    def exact_points(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The exact values at single angles, where known."""
        return _curve(self.points_file) if self.points_file else None

    def exact(self, theta_h: np.ndarray) -> np.ndarray:
        """The exact values at `theta_h`; NaN where none is known."""
        theta_h = np.asarray(theta_h, dtype=float)
        values = np.full(theta_h.shape, np.nan)
        if self.grid_file:
            grid, value = _curve(self.grid_file)
            inside = (theta_h >= grid[0] - SAME_ANGLE) & (theta_h <= grid[-1] + _BEYOND_THE_GRID)
            values[inside] = [_interpolate(grid, value, angle) for angle in theta_h[inside]]
        if self.points_file:
            for angle, value in zip(*_curve(self.points_file)):
                values[np.abs(theta_h - angle) <= SAME_ANGLE] = value
        return values

    def experiment(self) -> Experiment | None:
        """The experiment's points, where there are any."""
        return _experiment(self.figure) if self.figure else None


CATALOGUE = (
    Reference("eagle", pauli.MAGNETIZATION, 5, grid_file="kim2023_fig3a_exact.txt",
              points_file="exact_magnetization_eagle_5_steps.csv", figure="3a"),
    Reference("osprey", pauli.MAGNETIZATION, 5, points_file="exact_magnetization_osprey_5_steps.csv"),
    Reference("condor", pauli.MAGNETIZATION, 5, points_file="exact_magnetization_condor_5_steps.csv"),
    Reference("infinite-heavy-hex", pauli.MAGNETIZATION, 5,
              points_file="exact_magnetization_infinite_5_steps.csv"),
    Reference("eagle", W10, 5, grid_file="kim2023_fig3b_exact.txt", figure="3b"),
    Reference("eagle", W17, 5, points_file="exact_w17_5_steps.csv", figure="3c"),
    Reference("eagle", W17_MODIFIED, 5, final_rx_layer=True,
              points_file="exact_modified_w17_5_steps.csv", figure="4a"),
    Reference("eagle", "Z62", 5, points_file="exact_z62_5_steps.csv"),
    Reference("eagle", "Z62", 9, points_file="exact_z62_9_steps.csv"),
    # No exact value is known; four published simulation methods differ by up to 0.045.
    Reference("eagle", "Z62", 20, figure="4b", published_spread=0.045),
)  # fmt: skip


def find(simulation: Simulation, observable: str, step: int) -> Reference | None:
    """The entry that holds for `observable` after `step` steps of this simulation."""
    if simulation.circuit != "kicked-ising" or abs((simulation.theta_j or 0) - _THETA_J) > SAME_ANGLE:
        return None
    # The final layer follows the last step only; earlier measurements come before it.
    final_layer = simulation.final_rx_layer and step == simulation.steps[-1]
    for entry in CATALOGUE:
        if (entry.lattice, entry.steps, entry.final_rx_layer) == (simulation.lattice, step, final_layer):
            if pauli.same(entry.observable, observable):
                return entry
    return None


def _resource(name: str):
    return resources.files(__package__).joinpath("reference", "quantum", name)


@cache
def _curve(name: str) -> tuple[np.ndarray, np.ndarray]:
    return read_curve_file(_resource(name))


def _interpolate(grid: np.ndarray, value: np.ndarray, angle: float) -> float:
    """The polynomial through the nearest grid points; they are so dense that it adds rounding only."""
    nearest = np.sort(np.argsort(np.abs(grid - angle))[:_INTERPOLATION_POINTS])
    offset = angle - grid[nearest]
    if np.abs(offset).min() <= SAME_ANGLE:
        return value[nearest][np.abs(offset).argmin()]
    gaps = grid[nearest][:, None] - grid[nearest][None, :] + np.eye(len(nearest))
    weights = 1.0 / (gaps.prod(axis=1) * offset)
    return weights @ value[nearest] / weights.sum()


@cache
def _experiment(figure: str) -> Experiment:
    if figure == "3a":
        rows = _csv("kim2023_fig3a_experiment_Mz.csv")
        columns = ("theta_h", "Mz_unmitigated", "Mz_mitigated")
    else:
        rows = [row for row in _csv("kim2023_experiment_selected.csv") if row["figure"] == figure]
        columns = ("theta_h", "unmitigated", "mitigated_selected")
    return Experiment(figure, *(np.array([float(row[column]) for row in rows]) for column in columns))


def _csv(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_resource(name).read_text(encoding="utf-8").splitlines()))
