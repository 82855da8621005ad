"""Simulations at several bond dimensions, extrapolated point by point: one row for each setup and angle, as text."""

from dataclasses import dataclass

import numpy as np

from . import pauli
from .curves import Setup, gather
from .errors import InputError
from .extrapolation import FEWEST, Extrapolation, extrapolate
from .simulation import Simulation
from .text_table import aligned

_ROUNDING = {"complex64": 1e-5}  # of values from site tensors of this precision; of others:
_FINEST_ROUNDING = 1e-12


@dataclass(frozen=True)
class Row:
    """One setup at one angle."""

    label: str  # of the setup
    step: int
    theta_h: float  # radians
    bond_dimension: int  # the largest
    value: float  # at the largest bond dimension
    discarded_weight: float  # likewise
    found: Extrapolation | None  # None with too few bond dimensions
    loop_error: float  # estimate of what ignored loops add, which no bond dimension removes; 0 where none is ignored
    exact: float  # NaN where not known


def extrapolated(simulations: list[Simulation], observable: str, step: int | None = None) -> list[Row]:
    """Setups as `curves.gather` finds them, angles ascending. Raises InputError where nothing can be extrapolated."""
    rows = [_row(setup, angle) for setup in gather(simulations, observable, step) for angle in np.unique(setup.theta_h)]
    if all(row.found is None for row in rows):
        raise InputError(
            f"{simulations[0].path}: extrapolating takes at least {FEWEST} bond dimensions at the same angle, each with less than half the "
            "discarded weight of the one before. Add values to state.max_bond_dimension."
        )
    return rows


def _row(setup: Setup, angle: float) -> Row:
    chosen = np.flatnonzero((setup.theta_h == angle) & (setup.steps == setup.step) & np.isfinite(setup.value))
    chosen = chosen[np.argsort(setup.bond_dimension[chosen])]
    chi, value, weight = (column[chosen] for column in (setup.bond_dimension, setup.value, setup.discarded_weight))
    rounding = max(_ROUNDING.get(_precision(simulation), _FINEST_ROUNDING) for simulation in setup.simulations)
    last = chosen[-1:] if chosen.size else np.empty(0, int)
    return Row(
        setup.label, setup.step, float(angle), int(chi[-1]) if last.size else 0, *(float(column[-1]) if last.size else np.nan for column in (value, weight)),
        extrapolate(chi, value, weight, rounding=rounding), _loop_error(setup, angle), float(setup.exact[last][0]) if last.size else np.nan,
    )  # fmt: skip


def _precision(simulation: Simulation) -> str:
    return next((name for name in _ROUNDING if f'"{name}"' in simulation.effective_deck), "")


def _loop_error(setup: Setup, angle: float) -> float:
    """The largest estimate at this angle; NaN where loops are ignored and no estimate is known."""
    found = [0.0]
    for simulation in setup.simulations:
        index, observable = simulation.step_index(setup.step), simulation.observable(setup.observable)
        if observable.left_out(index):
            points = simulation.theta_h == angle
            found += [np.nan] if observable.uncertainty is None else list(observable.uncertainty[points, index])
    return float(np.max(found))


def report(rows: list[Row], observable: str) -> str:
    """A table for the terminal, in plain ASCII."""
    titles, cells = columns(rows)
    return "\n".join([f"{pauli.short_name(observable)} at infinite bond dimension", "", aligned(titles, cells), *_notes(rows)])


def columns(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells of a table."""
    several = len({(row.label, row.step) for row in rows}) > 1
    with_exact = any(np.isfinite(row.exact) for row in rows)
    titles = [*["setup", "step"] * several, "theta_h", "max bond", "discarded", "value there", "extrapolated", "+-",
              *["ignored loops"] * _ignore_loops(rows), *["exact", "off by"] * with_exact]  # fmt: skip
    return titles, [_cells(row, several, _ignore_loops(rows), with_exact) for row in rows]


def _ignore_loops(rows: list[Row]) -> bool:
    return any(row.loop_error != 0.0 for row in rows)


def _cells(row: Row, several: bool, with_loops: bool, with_exact: bool) -> list[str]:
    found = row.found
    return [
        *[row.label, str(row.step)] * several, f"{row.theta_h:.9f}", str(row.bond_dimension), f"{row.discarded_weight:.2e}", f"{row.value:+.10f}",
        f"{found.value:+.10f}" if found else "-", f"{found.uncertainty:.1e}" if found else "-",
        *[f"{row.loop_error:.1e}" if np.isfinite(row.loop_error) else "not known"] * with_loops,
        *[_number(row.exact, "+.10f"), _number(found.value - row.exact if found else np.nan, "+.1e")] * with_exact,
    ]  # fmt: skip


def _number(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else "-"


def _notes(rows: list[Row]) -> list[str]:
    notes = []
    known = [row for row in rows if row.found and np.isfinite(row.exact)]
    if known:
        within = sum(abs(row.found.value - row.exact) <= row.found.uncertainty + row.loop_error for row in known)
        notes.append(f"exact values within the uncertainty: {within} of {len(known)}")
    if any(row.found is None for row in rows):
        notes.append(f"-: fewer than {FEWEST} bond dimensions, each with less than half the discarded weight of the one before")
    if _ignore_loops(rows):
        notes.append("ignored loops: an estimate of what they add to the error; no bond dimension removes it")
    return ["", *notes] if notes else []
