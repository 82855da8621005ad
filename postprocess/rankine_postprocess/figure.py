"""Draws the curves: the observable above, what is known of its error below on a logarithmic scale."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator

from . import labels, pauli
from .curves import Axis, Setup, curves, default_axis, gather
from .error_panel import draw_discarded_weight, draw_errors
from .errors import InputError
from .frame import add_frame
from .legends import add_colour_bar, add_legends
from .simulation import Simulation
from .style import EXACT, EXPERIMENT, STYLE, StyledLine, style_lines
from .ticks import CompleteNumbers
from .wording import shortened


@dataclass(frozen=True)
class Overlay:
    """A further curve over theta_h, such as a published simulation."""

    label: str
    theta_h: np.ndarray  # radians
    value: np.ndarray


def draw(
    simulations: list[Simulation],
    observable: str,
    *,
    step: int | None = None,
    axis: Axis | None = None,
    overlays: list[Overlay] | None = None,
) -> Figure:
    """The figure of one observable of one or several result files. Raises InputError."""
    setups = gather(simulations, observable, step)
    axis = axis or default_axis(setups)
    if overlays and axis is not Axis.THETA_H:
        raise InputError(f"an overlay is a curve over theta_h (this figure is against {axis.value}).")
    with matplotlib.rc_context(STYLE):
        lines, scale = style_lines(curves(setups, axis), setups, axis)
        rows = [2.0, 1.1, 0.9] if axis is Axis.BOND_DIMENSION else [2.2, 1.0]
        figure = Figure(figsize=(7.6, 2.05 * sum(rows) + 0.8 if len(rows) > 2 else 6.8), layout="constrained")
        panels = figure.subplots(len(rows), 1, sharex=True, gridspec_kw={"height_ratios": rows})
        _draw_background(panels[0], setups, axis, overlays or [], lines)
        _draw_values(panels[0], lines, axis)
        draw_errors(panels[1], lines)
        if axis is Axis.BOND_DIMENSION:
            draw_discarded_weight(panels[2], lines)
        _finish(figure, panels, setups, lines, axis)
        if scale is not None:
            add_colour_bar(figure, panels, scale, lines, axis)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write the figure in the format its suffix names. Raises InputError."""
    if not Path(path).name or str(path).endswith("/") or Path(path).is_dir():
        raise InputError(f"'{path}': the figure cannot be written (it is no name of a file). Name one, figure.png.")
    try:
        with matplotlib.rc_context(STYLE):
            figure.savefig(path)
    except (OSError, ValueError, RuntimeError, MemoryError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{path}: the figure cannot be written ({reason}).") from error


# The upper panel


def _draw_background(panel, setups: list[Setup], axis: Axis, overlays: list[Overlay], lines: list[StyledLine]) -> None:
    """What the simulation is measured against: exact values, experiment, published spread, overlays."""
    if axis is not Axis.THETA_H:
        _draw_exact_samples(panel, lines, axis)
        return
    drawn = []
    for setup in setups:
        reference = setup.reference
        if reference is None or reference in drawn:
            continue
        drawn.append(reference)
        where = f" ({labels.plain(setup.label.split(',')[0])})" if len(setups) > 1 else ""
        _draw_exact(panel, reference, where)
        _draw_experiment(panel, reference, where)
        if reference.published_spread:
            _draw_spread(panel, setup, reference.published_spread)
    for overlay, dashes in zip(overlays, ((4, 2), (1, 1.5), (6, 2, 1, 2), (2, 2)) * len(overlays)):
        panel.plot(overlay.theta_h, overlay.value, color="0.35", lw=1.1, dashes=dashes,
                   label=labels.plain(shortened(overlay.label)), gid="overlay", zorder=2.5)  # fmt: skip


def _draw_exact(panel, reference, where: str) -> None:
    if (grid := reference.exact_grid()) is not None:
        panel.plot(*grid, color=EXACT, alpha=0.65, lw=5, solid_capstyle="round", label=f"exact{where}",
                   gid="exact", zorder=2)  # fmt: skip
    elif (points := reference.exact_points()) is not None:
        _exact_diamonds(panel, *points)


def _exact_diamonds(panel, x, value) -> None:
    panel.plot(x, value, ls="none", marker="D", ms=8, mfc="none", mec="0.15", mew=1.3, label="exact", gid="exact",
               zorder=5)  # fmt: skip


def _draw_exact_samples(panel, lines: list[StyledLine], axis: Axis) -> None:
    """Exact values along steps as diamonds, along bond dimensions as levels."""
    known = set()
    for line in lines:
        curve = line.curve
        mask = np.isfinite(curve.exact)
        if axis is Axis.BOND_DIMENSION and mask.any():
            panel.axhline(curve.exact[mask][0], color=line.colour, lw=1.0, ls="--", alpha=0.8, gid="exact", zorder=2)
        elif axis is Axis.STEP:
            known |= set(zip(curve.x[mask], curve.exact[mask]))
    if known:
        _exact_diamonds(panel, *np.array(sorted(known)).T)
    if any(line.get_gid() == "exact" for line in panel.lines) and axis is Axis.BOND_DIMENSION:
        panel.plot([], [], color="0.3", lw=1.0, ls="--", label="exact", gid="legend")


def _draw_experiment(panel, reference, where: str) -> None:
    experiment = reference.experiment()
    if experiment is None:
        return
    panel.plot(experiment.theta_h, experiment.mitigated, ls="none", marker="o", ms=6.5, mfc=EXPERIMENT, mec="white",
               mew=0.7, label=f"experiment, mitigated{where}", gid="experiment", zorder=4)  # fmt: skip
    panel.plot(experiment.theta_h, experiment.unmitigated, ls="none", marker="o", ms=6, mfc="none", mec=EXPERIMENT,
               mew=1.1, alpha=0.5, label=f"experiment, unmitigated{where}", gid="experiment", zorder=3.5)  # fmt: skip


def _draw_spread(panel, setup: Setup, spread: float) -> None:
    """A band as wide as the published simulations differ, around the largest bond dimension's curve."""
    best = curves([setup], Axis.THETA_H)[-1]
    panel.fill_between(best.x, best.value - spread / 2, best.value + spread / 2, color="#56B4E9", alpha=0.3, lw=0,
                       label=f"published spread ({spread:g})", gid="spread", zorder=1.5)  # fmt: skip


def _draw_values(panel, lines: list[StyledLine], axis: Axis) -> None:
    for line in lines:
        marker = "o" if len(line.curve.x) <= 60 else None
        panel.plot(line.curve.x, line.curve.value, color=line.colour, ls=line.style, lw=1.3, marker=marker, ms=3.6,
                   label=line.label, gid="simulation", zorder=3)  # fmt: skip
    symbol = pauli.symbol(lines[0].curve.setup.observable)
    panel.set_ylabel(f"${symbol}$", fontsize=13)
    panel.yaxis.set_major_formatter(CompleteNumbers())


# Axes and title


def _finish(figure: Figure, panels, setups: list[Setup], lines: list[StyledLine], axis: Axis) -> None:
    _finish_x(panels[-1], lines, axis)
    add_frame(figure, labels.title(setups, axis), labels.footer(setups, axis))
    figure.align_ylabels(panels)
    add_legends(panels, lines)


def _finish_x(panel, lines: list[StyledLine], axis: Axis) -> None:
    if axis is Axis.THETA_H:
        panel.set_xlabel(r"$\theta_h$ (rad)")
        panel.xaxis.set_major_locator(MaxNLocator(5))
        panel.xaxis.set_major_formatter(CompleteNumbers())
        low, high = panel.get_xlim()
        if high - low > np.pi / 4:
            panel.xaxis.set_major_locator(MultipleLocator(np.pi / 8))
            panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${labels.angle(value)}$"))
    elif axis is Axis.STEP:
        panel.set_xlabel("Trotter step")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    else:
        panel.set_xlabel(r"max bond dimension $\chi$")
        panel.set_xscale("log", base=2)
        ticks = np.unique(np.concatenate([line.curve.x for line in lines]))
        panel.xaxis.set_major_locator(FixedLocator(ticks))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
