"""The result file as a table for the terminal, in plain ASCII."""

import numpy as np

from . import pauli
from .simulation import Simulation


def header(simulation: Simulation) -> str:
    """What was computed and by what: a few lines of name and value."""
    layer = ", final RX layer" if simulation.final_rx_layer else ""
    coupling = "" if simulation.theta_j is None else f", theta_j = {simulation.theta_j:.12g} rad"
    lines = [
        ("title", simulation.title or "(none)"),
        ("lattice", f"{simulation.lattice}, {simulation.n_sites} sites, {simulation.n_edges} edges"),
        ("circuit", f"{simulation.circuit}{coupling}{layer}"),
        ("status", simulation.status),
        ("program", f"{simulation.program} {simulation.program_version}, commit {simulation.git_commit}"),
        ("run", f"{simulation.created_utc}, {simulation.n_ranks} ranks x {simulation.threads} threads"),
    ]
    lines += [
        (column, f"{observable.name} (route: {observable.route})")
        for column, observable in zip(_columns(simulation), simulation.observables.values())
    ]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)


def table(simulation: Simulation, step_indices: list[int]) -> str:
    """One row per point and step: the angle, the observables, and how far they can be trusted."""
    titles = [*(["theta_h"] if simulation.uses_theta_h else []), "max bond", "step", *_columns(simulation), "bond reached", "discarded weight", "fidelity"]
    rows = [_row(simulation, point, index) for point in _ordered(simulation) for index in step_indices]
    widths = [max(len(cell) for cell in column) for column in zip(titles, *rows)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths)).rstrip() for row in (titles, rule, *rows)
    )


def _ordered(simulation: Simulation) -> list[int]:
    return [int(i) for i in np.lexsort((simulation.theta_h, simulation.max_bond_dimension))]


def _columns(simulation: Simulation) -> list[str]:
    """Short names of the observables, or the full ones where the short ones would clash."""
    short = [pauli.short_name(name) for name in simulation.observables]
    return short if len(set(short)) == len(short) else list(simulation.observables)


def _row(simulation: Simulation, point: int, index: int) -> list[str]:
    values = (observable.values[point, index] for observable in simulation.observables.values())
    return [
        *([f"{simulation.theta_h[point]:.9f}"] if simulation.uses_theta_h else []),
        str(simulation.max_bond_dimension[point]),
        str(simulation.steps[index]),
        *(_number(value, ".14f") for value in values),
        _number(simulation.bond_dimension[point, index], ".0f"),
        _number(simulation.discarded_weight[point, index], ".2e"),
        _number(simulation.fidelity[point, index], ".12f"),
    ]


def _number(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else "-"
