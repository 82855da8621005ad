"""From values at several bond dimensions to infinite bond dimension, with an uncertainty (docs/algorithms/extrapolation.md).

The error of a truncated value is nearly a multiple of its discarded weight w, and the factor changes slowly with w. Several
models of this are fitted to the last few bond dimensions; the estimate is their median, the uncertainty how far they reach.
"""

from dataclasses import dataclass

import numpy as np

FEWEST = 3  # bond dimensions whose discarded weight falls
_NOTHING = 1e-16  # a discarded weight that no observable feels beyond rounding
_OF_LAST_CHANGE = 0.1  # no uncertainty is below this part of the last change,
_OF_WEIGHT = 0.01  # nor below this part of the discarded weight
_FALL = 2.0  # neighbours are told apart by at least this factor between their discarded weights
_POWERS_OF_WEIGHT = (0.5, 2.0)
_POWERS_OF_DIMENSION = (0.5, 8.0)


@dataclass(frozen=True)
class Extrapolation:
    """A value at infinite bond dimension."""

    value: float
    uncertainty: float
    models: dict[str, float]  # name -> its value; empty where nothing is truncated any more


def extrapolate(
    bond_dimension: np.ndarray, value: np.ndarray, discarded_weight: np.ndarray, *, rounding: float = 1e-12
) -> Extrapolation | None:
    """Of one observable at one point, bond dimensions ascending; None where there is too little to go by.

    `discarded_weight` is that of all bond updates; `rounding` the error of a value that truncates nothing.
    """
    chi, v, w = (np.asarray(column, dtype=float) for column in _falling(bond_dimension, value, discarded_weight))
    if len(v) and w[-1] <= _NOTHING:
        return Extrapolation(float(v[-1]), float(np.hypot(np.sqrt(max(w[-1], 0.0)), rounding)), {})
    if len(v) < FEWEST:
        return None
    models = _models(chi, v, w)
    values = np.array(list(models.values()))
    estimate = float(np.median(values))
    parts = [np.abs(values - estimate).max(), _OF_LAST_CHANGE * (v[-1] - v[-2]), _OF_WEIGHT * w[-1], rounding]
    return Extrapolation(estimate, float(np.linalg.norm(parts)), models)


def _falling(*columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """From the last bond dimension back, those at which clearly more is discarded than at the one after."""
    columns = tuple(np.asarray(column, dtype=float) for column in columns)
    known = np.isfinite(columns).all(axis=0)
    columns = tuple(column[known] for column in columns)
    weight, kept = columns[-1], []
    for index in range(len(weight) - 1, -1, -1):
        if not kept or weight[index] > _FALL * weight[kept[-1]]:
            kept.append(index)
    return tuple(column[kept[::-1]] for column in columns)


def _models(chi: np.ndarray, v: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """What each model says, the value at the largest bond dimension among them."""

    def along(start: int, end: int) -> float:
        """From the last value along the slope between two others."""
        return v[-1] - (v[start] - v[end]) / (w[start] - w[end]) * w[-1]

    return {
        "none": v[-1],
        "linear, last 2": along(-2, -1),
        "linear, last 3": _linear(w[-3:], v[-3:]),
        "linear, last 4": _linear(w[-4:], v[-4:]),
        "linear, without the last but one": along(-3, -1),
        "linear, without the last": along(-3, -2),
        "power of the discarded weight": _power(w[-3:], v[-3:], _POWERS_OF_WEIGHT),
        "power of the bond dimension": _power(1.0 / chi[-3:], v[-3:], _POWERS_OF_DIMENSION),
    }


def _linear(w: np.ndarray, v: np.ndarray) -> float:
    """v = c + a w, least squares of the deviations relative to w; returns c."""
    design = np.stack([1.0 / w, np.ones_like(w)], axis=1)
    return float(np.linalg.lstsq(design, v / w, rcond=None)[0][0])


def _power(x: np.ndarray, v: np.ndarray, powers: tuple[float, float]) -> float:
    """v = c + a x^p through the last two of three points, with the p in range that comes closest to the first; returns c."""
    before, last = v[0] - v[1], v[1] - v[2]
    if last == 0.0:
        return float(v[2])
    p = np.linspace(*powers, 301)
    ratio = (x[0] ** p - x[1] ** p) / (x[1] ** p - x[2] ** p)
    best = p[np.argmin(np.abs(ratio - before / last))]
    return float(v[2] - last * x[2] ** best / (x[1] ** best - x[2] ** best))
