"""The result file as a table for the terminal, in plain ASCII."""

import numpy as np

from . import pauli
from .simulation import Observable, Simulation
from .text_table import aligned
from .wording import count


def header(simulation: Simulation, step_indices: list[int] | None = None) -> str:
    """What was computed and by what: a few lines of name and value; of these steps (default: the last)."""
    indices = [simulation.step_index()] if step_indices is None else step_indices
    layer = ", final RX layer" if simulation.final_rx_layer else ""
    coupling = "" if simulation.theta_j is None else f", theta_j = {simulation.theta_j:.12g} rad"
    ranks = count(simulation.n_ranks, "rank")
    lines = [
        ("title", simulation.title or "(none)"),
        ("lattice", f"{simulation.lattice}, {count(simulation.n_sites, 'site')}, {count(simulation.n_edges, 'edge')}"),
        ("circuit", f"{simulation.circuit}{coupling}{layer}"),
        ("status", simulation.status),
        ("program", f"{simulation.program} {simulation.program_version}, commit {simulation.git_commit}"),
        ("run", f"{simulation.created_utc}, {ranks} x {count(simulation.threads, 'thread')}"),
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
    angle = ["theta_h"] if simulation.uses_theta_h else []
    titles = [*angle, "max bond", "step", *_columns(simulation), "bond reached", "discarded weight", "fidelity"]
    rows = [_row(simulation, point, index) for point in _ordered(simulation) for index in step_indices]
    return aligned(titles, rows)


def _ordered(simulation: Simulation) -> list[int]:
    return [int(i) for i in np.lexsort((simulation.theta_h, simulation.max_bond_dimension))]


def _columns(simulation: Simulation) -> list[str]:
    """Short names of the observables, or the full ones where the short ones would clash."""
    short = [pauli.short_name(name) for name in simulation.observables]
    return short if len(set(short)) == len(short) else list(simulation.observables)


def _row(simulation: Simulation, point: int, index: int) -> list[str]:
    reached = simulation.bond_dimension[point, index]  # -1 where the point is not done
    values = (observable.values[point, index] for observable in simulation.observables.values())
    return [
        *([f"{simulation.theta_h[point]:.9f}"] if simulation.uses_theta_h else []),
        str(simulation.max_bond_dimension[point]),
        str(simulation.steps[index]),
        *(_number(value, ".14f") for value in values),
        str(reached) if reached >= 0 else "-",
        _number(simulation.discarded_weight[point, index], ".2e"),
        _number(simulation.fidelity[point, index], ".12f"),
    ]


def _number(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else "-"
