"""The panels below the observable: errors, measures of convergence, discarded weight, all logarithmic."""

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .curves import Convergence
from .style import StyledLine

FLOOR = 1e-17  # errors up to this are told apart no further


def draw_errors(panel, lines: list[StyledLine]) -> None:
    """Distance to the exact value where one is known (filled), else the measure of convergence (open).

    Against bond dimension the change between neighbours is shown in any case.
    """
    kinds = []
    for line in lines:
        curve, error = line.curve, line.curve.error
        measured, known = np.isfinite(curve.value), np.isfinite(error)
        everywhere = known.sum() == measured.sum()
        if known.any():
            kinds.append("exact")
            _log_line(panel, curve.x, error, line, gid="error", ls=line.style if everywhere else "none",
                      marker="o" if everywhere else "D", ms=3.6 if everywhere else 5.5)  # fmt: skip
        also_changes = curve.convergence is Convergence.TO_PREVIOUS
        if (also_changes or not everywhere) and np.isfinite(curve.measure).any():
            kinds.append(curve.convergence)
            style = "--" if line.style == "-" else line.style
            _log_line(panel, curve.x, curve.measure, line, gid="convergence", ls=style, marker="o", ms=4, mfc="white")
    _log_axis(panel)
    _label_errors(panel, list(dict.fromkeys(kinds)), lines)


def _label_errors(panel, kinds: list, lines: list[StyledLine]) -> None:
    """A single measure is named on the axis, several in the legend."""
    names = [_name(kind, lines) for kind in kinds]
    if len(kinds) == 1:
        panel.set_ylabel(names[0], fontsize=9.5)
        return
    panel.set_ylabel("error", fontsize=9.5)
    for kind, name in zip(kinds, names):
        if isinstance(kind, Convergence):
            look = {"ls": "--", "marker": "o", "mfc": "white"}
        elif any(line.get_gid() == "error" and line.get_linestyle() != "None" for line in panel.lines):
            look = {"ls": "-", "marker": "o"}
        else:
            look = {"ls": "none", "marker": "D"}
        panel.plot([], [], color="0.3", ms=4.5, label=name, gid="legend", **look)


def _name(kind, lines: list[StyledLine]) -> str:
    if kind == "exact":
        return "|simulation − exact|"
    largest = {int(line.curve.setup.bond_dimension.max()) for line in lines}
    if kind is Convergence.TO_LARGEST and len(largest) == 1:
        return rf"|difference to $\chi$ = {largest.pop()}|"
    return kind.value


def draw_discarded_weight(panel, lines: list[StyledLine]) -> None:
    """The sum over all bond updates up to the step drawn."""
    for line in lines:
        _log_line(panel, line.curve.x, line.curve.discarded_weight, line, gid="discarded weight", ls=line.style,
                  marker="s", ms=3.4)  # fmt: skip
    _log_axis(panel)
    panel.set_ylabel("discarded weight", fontsize=9.5)


def _log_line(panel, x, y, line: StyledLine, **how) -> None:
    """Values up to FLOOR, zero among them, leave a gap here; `_log_axis` marks them at the foot of the panel."""
    panel.plot(x, np.where(y > FLOOR, y, np.nan), color=line.colour, lw=1.2, mew=1.0, **how)
    below = y <= FLOOR
    if below.any():
        foot = np.full(below.sum(), FLOOR)
        panel.plot(x[below], foot, ls="none", marker="v", ms=6, color=line.colour, gid="floor", clip_on=False)


def _log_axis(panel) -> None:
    """Whole decades; errors up to FLOOR become triangles on a line of their own below all others."""
    floored = [line for line in panel.lines if line.get_gid() == "floor"]
    values = [np.asarray(line.get_ydata(), dtype=float) for line in panel.lines if line.get_gid() != "floor"]
    values = np.concatenate([*values, np.empty(0)])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if values.size else (FLOOR, FLOOR)
    bottom, top = np.floor(np.log10(low) + 1e-9), np.ceil(np.log10(high) - 1e-9)
    top = max(top, bottom + 1)
    margin = 0.06 * (top - bottom)
    ticks = 10.0 ** np.arange(top, bottom - 0.5, -max(1, np.ceil((top - bottom) / 5)))
    ticks = ticks[ticks > 2.0 * FLOOR] if floored else ticks
    level = 10.0 ** (bottom - 3.0 * margin)
    for line in floored:
        line.set_ydata(np.full(len(line.get_xdata()), level))
    panel.set_yscale("log")
    panel.set_ylim(10.0 ** (bottom - (4.5 if floored else 1.0) * margin), 10.0 ** (top + margin))
    panel.yaxis.set_major_locator(FixedLocator([level, *ticks] if floored else ticks))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: _power_of_ten(value, floored and value < 1.01 * level))
    )


def _power_of_ten(value: float, at_most_floor: bool) -> str:
    return r"$\leq 10^{-17}$" if at_most_floor else rf"$10^{{{round(np.log10(value))}}}$"
