"""Words on a figure: angles, curve labels, title and the footer that says where the numbers come from."""

from fractions import Fraction
from math import pi

import numpy as np

from . import pauli
from .curves import Axis, Curve, Setup, lattice_name


def plain(text: str) -> str:
    """Text of the user's, free of matplotlib's mathematics."""
    return text.replace("$", r"\$")


def angle(theta: float) -> str:
    """Radians as matplotlib mathematics: a multiple of pi / 32 where it is one."""
    multiple = theta * 32 / pi
    if abs(multiple - round(multiple)) > 1e-7:
        return f"{theta:.6g}"
    if round(multiple) == 0:
        return "0"
    fraction = Fraction(round(multiple), 32)
    sign = "-" if fraction < 0 else ""
    factor = "" if abs(fraction.numerator) == 1 else str(abs(fraction.numerator))
    over = "" if fraction.denominator == 1 else f"/{fraction.denominator}"
    return rf"{sign}{factor}\pi{over}"


def curve_labels(curves: list[Curve], setups: list[Setup]) -> list[str]:
    """What tells each curve from the others: setup, angle, bond dimension, as far as they differ."""
    show_angle = len({curve.theta_h for curve in curves}) > 1
    show_dimension = len({curve.bond_dimension for curve in curves}) > 1
    labels = []
    for curve in curves:
        parts = [plain(curve.setup.label)] if len(setups) > 1 else []
        if show_angle:
            parts.append(rf"$\theta_h = {angle(curve.theta_h)}$")
        if show_dimension:
            parts.append(rf"$\chi = {curve.bond_dimension}$")
        if not parts:
            dimension = "" if curve.bond_dimension is None else rf", $\chi = {curve.bond_dimension}$"
            parts.append(f"simulation{dimension}")
        labels.append(", ".join(parts))
    return labels


def title(setups: list[Setup], axis: Axis) -> str:
    """The deck's title; for files with different titles, the observable and the depth."""
    titles = {simulation.title for setup in setups for simulation in setup.simulations}
    if len(titles) == 1 and (only := titles.pop()):
        return plain(only)
    steps = sorted({setup.step for setup in setups})
    depth = "" if axis is Axis.STEP else f" after {', '.join(map(str, steps))} steps"
    where = f" on {lattice_name(setups[0].simulations[0])}" if len(setups) == 1 else ""
    return f"Kicked Ising: ${pauli.symbol(setups[0].observable)}${depth}{where}"


def footer(setups: list[Setup], axis: Axis) -> str:
    """Definition of the observable, then circuit, bond dimension and program of every file drawn."""
    simulations = [simulation for setup in setups for simulation in setup.simulations]
    lines = [
        " · ".join(
            [*({lattice_name(s): None for s in simulations} if len(setups) == 1 else ()), *_circuit(setups, axis)]
        ),
        " · ".join([_dimensions(setups), *_programs(simulations), *_partial(simulations)]),
        *_left_out(setups),
    ]
    definition = pauli.definition(setups[0].observable)
    return "\n".join([definition, *lines] if definition else lines)


def _circuit(setups: list[Setup], axis: Axis) -> list[str]:
    first = setups[0].simulations[0]
    angles = {round(setup.simulations[0].theta_j, 9): setup.simulations[0].theta_j for setup in setups}
    steps = sorted({setup.step for setup in setups})
    if axis is Axis.STEP:
        steps = [max(int(setup.steps.max()) for setup in setups)]
    layer = " and a final RX layer" if any(s.final_rx_layer for setup in setups for s in setup.simulations) else ""
    return [
        first.circuit.replace("kicked-ising", "kicked Ising"),
        f"{', '.join(map(str, steps))} steps{layer}",
        ", ".join(rf"$\theta_J = {angle(theta)}$" for theta in angles.values()),
        *([rf"$\theta_h = {angle(setups[0].theta_h[0])}$"] if _single_angle(setups) else []),
    ]


def _single_angle(setups: list[Setup]) -> bool:
    return len(np.unique(np.concatenate([setup.theta_h for setup in setups]))) == 1


def _dimensions(setups: list[Setup]) -> str:
    values = np.unique(np.concatenate([setup.bond_dimension for setup in setups]))
    listed = ", ".join(map(str, values)) if len(values) <= 8 else f"{values[0]} to {values[-1]}"
    return rf"max bond dimension $\chi$ = {listed}"


def _programs(simulations) -> list[str]:
    return list({f"{s.program} {s.program_version}, commit {s.git_commit[:12]}": None for s in simulations})


def _left_out(setups: list[Setup]) -> list[str]:
    """What values at the step of the figure leave out; the first setup that leaves out anything says it."""
    texts = [
        simulation.observable(setup.observable).left_out(simulation.step_index(setup.step))
        for setup in setups for simulation in setup.simulations
    ]  # fmt: skip
    return [text for text in texts if text][:1]


def _partial(simulations) -> list[str]:
    return [f"PARTIAL RESULT (status {s.status})" for s in simulations if s.status != "complete"][:1]
