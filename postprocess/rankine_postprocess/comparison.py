"""A measured curve against a reference curve, angle by angle."""

from dataclasses import dataclass

import numpy as np

from .catalogue import SAME_ANGLE
from .errors import InputError
from .simulation import Simulation


@dataclass(frozen=True)
class Comparison:
    """Values at the angles both curves have, and the angles only one of them has."""

    theta_h: np.ndarray
    simulated: np.ndarray
    reference: np.ndarray
    only_simulated: np.ndarray
    only_reference: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        return np.abs(self.simulated - self.reference)


def compare(
    simulation: Simulation,
    reference: tuple[np.ndarray, np.ndarray],
    observable: str,
    *,
    step: int | None = None,
    max_bond_dimension: int | None = None,
) -> Comparison:
    """Match the simulated curve with the reference's by theta_h. Raises InputError if no angle agrees."""
    theta_h, value = simulation.curve(observable, step=step, max_bond_dimension=max_bond_dimension)
    measured = np.isfinite(value)
    theta_h, value = theta_h[measured], value[measured]
    reference_theta_h, reference_value = reference
    same = np.abs(theta_h[:, None] - reference_theta_h[None, :]) <= SAME_ANGLE
    mine, theirs = np.nonzero(same)
    if not mine.size:
        raise InputError(f"{simulation.path}: no theta_h in common with the reference (tolerance {SAME_ANGLE:g} rad).")
    return Comparison(
        theta_h=theta_h[mine],
        simulated=value[mine],
        reference=reference_value[theirs],
        only_simulated=theta_h[~same.any(axis=1)],
        only_reference=reference_theta_h[~same.any(axis=0)],
    )


def report(comparison: Comparison) -> str:
    """The comparison as text: the table, the unmatched angles, the largest and mean difference."""
    rows = zip(comparison.theta_h, comparison.simulated, comparison.reference, comparison.difference)
    lines = [f"{'theta_h':>12}  {'simulated':>18}  {'reference':>18}  {'|difference|':>12}"]
    lines += [f"{angle:12.9f}  {mine:18.14f}  {theirs:18.14f}  {gap:12.3e}" for angle, mine, theirs, gap in rows]
    for angles, place in (
        (comparison.only_simulated, "in the reference"),
        (comparison.only_reference, "in the simulation"),
    ):
        if angles.size:
            lines.append(f"not {place} ({angles.size}): " + _listed(angles))
    worst = comparison.theta_h[comparison.difference.argmax()]
    lines.append(f"points compared          {comparison.theta_h.size}")
    lines.append(f"largest |difference|     {comparison.difference.max():.3e} at theta_h = {worst:.9f}")
    lines.append(f"mean |difference|        {comparison.difference.mean():.3e}")
    return "\n".join(lines)


def _listed(angles: np.ndarray, most: int = 8) -> str:
    shown = ", ".join(f"{angle:.9g}" for angle in angles[:most])
    return shown + (", ..." if angles.size > most else "")
