"""The result file as a table for the terminal, in plain ASCII."""

import numpy as np

from . import pauli
from .simulation import Observable, Simulation


def header(simulation: Simulation, step_indices: list[int] | None = None) -> str:
    """What was computed and by what: a few lines of name and value; of these steps (default: the last)."""
    indices = [simulation.step_index()] if step_indices is None else step_indices
    layer = ", final RX layer" if simulation.final_rx_layer else ""
    lines = [
        ("title", simulation.title or "(none)"),
        ("lattice", f"{simulation.lattice}, {simulation.n_sites} sites, {simulation.n_edges} edges"),
        ("circuit", f"{simulation.circuit}, theta_j = {simulation.theta_j:.12g} rad{layer}"),
        ("status", simulation.status),
        ("program", f"{simulation.program} {simulation.program_version}, commit {simulation.git_commit}"),
        ("run", f"{simulation.created_utc}, {simulation.n_ranks} ranks x {simulation.threads} threads"),
    ]
    lines += [
        (column, f"{observable.name} (route: {observable.route}){_left_out(observable, indices)}")
        for column, observable in zip(_columns(simulation), simulation.observables.values())
    ]
    lines.append(("note", "fidelity estimates what truncation cost; it does not see ignored loops"))
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)


def _left_out(observable: Observable, indices: list[int]) -> str:
    """What the worst of these steps leaves out."""
    loops = np.broadcast_to(observable.loops_ignored, observable.values.shape[1:])
    worst = max(indices, key=lambda index: loops[index])
    return f"; {observable.left_out(worst)}" if observable.left_out(worst) else ""


def table(simulation: Simulation, step_indices: list[int]) -> str:
    """One row per point and step: the angle, the observables, and how far they can be trusted."""
    titles = ["theta_h", "max bond", "step", *_columns(simulation), "bond reached", "discarded weight", "fidelity"]
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
        f"{simulation.theta_h[point]:.9f}",
        str(simulation.max_bond_dimension[point]),
        str(simulation.steps[index]),
        *(_number(value, ".14f") for value in values),
        _number(simulation.bond_dimension[point, index], ".0f"),
        _number(simulation.discarded_weight[point, index], ".2e"),
        _number(simulation.fidelity[point, index], ".12f"),
    ]


def _number(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else "-"
