"""Figure: values at infinite bond dimension over the angle, with their uncertainty; below, how large it is and what is known of the error."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from . import pauli
from .extrapolated import Row
from .frame import add_frame
from .labels import plain
from .simulation import Simulation
from .style import EXACT, SETUP_COLOURS, STYLE
from .ticks import CompleteNumbers
from .wording import count

_MARKERS = "osD^vP"


def draw(rows: list[Row], simulations: list[Simulation], observable: str) -> Figure:
    """Rows as `extrapolated` makes them."""
    setups: dict[tuple, list[Row]] = {}
    for row in rows:
        if row.found is not None:
            setups.setdefault((row.label, row.step), []).append(row)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 6.8), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2.0, 1.3]})
        for number, ((label, step), found) in enumerate(setups.items()):
            name = "extrapolated" if len(setups) == 1 else f"{label}, {count(step, 'step')}"
            _draw_setup(upper, lower, found, name, {"color": SETUP_COLOURS[number % len(SETUP_COLOURS)], "marker": _MARKERS[number % len(_MARKERS)]})
        _finish(upper, lower, observable)
        add_frame(figure, _title(simulations, observable), _footer(rows, simulations, observable))
    return figure


def _draw_setup(upper, lower, rows: list[Row], name: str, look: dict) -> None:
    theta_h, value, error, last, exact = (
        np.array(column) for column in zip(*((row.theta_h, row.found.value, row.found.uncertainty, row.value, row.exact) for row in rows))
    )
    if np.isfinite(exact).any():
        upper.plot(theta_h, exact, ls="none", marker="D", ms=8.5, mfc="none", mec=EXACT, mew=1.4, gid="exact", zorder=2, label="exact")
        lower.plot(theta_h, _positive(np.abs(value - exact)), ls="none", marker="D", ms=5.5, mfc="none", mec=look["color"], gid="off",
                   label="|extrapolated − exact|")  # fmt: skip
    upper.plot(theta_h, last, color=look["color"], lw=1.2, ls=":", gid="largest", zorder=3, label=r"largest $\chi$")
    upper.errorbar(theta_h, value, yerr=error, ls="none", ms=4.5, capsize=2.5, elinewidth=1.1, label=plain(name), zorder=4, **look)
    lower.plot(theta_h, error, lw=1.4, ms=4, gid="uncertainty", label="uncertainty", **look)
    lower.plot(theta_h, _positive(np.abs(value - last)), lw=1.2, ls=":", color=look["color"], gid="moved", label=r"|extrapolated − largest $\chi$|")


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)


def _finish(upper, lower, observable: str) -> None:
    upper.set_ylabel(f"${pauli.symbol(observable)}$ at " + r"$\chi \to \infty$", fontsize=12)
    upper.yaxis.set_major_formatter(CompleteNumbers())
    lower.set_yscale("log")
    lower.yaxis.set_major_locator(LogLocator(numticks=7))
    lower.set_ylabel("error", fontsize=9.5)
    lower.set_xlabel(r"$\theta_h$ (rad)")
    lower.xaxis.set_major_locator(MaxNLocator(8))
    lower.xaxis.set_major_formatter(CompleteNumbers())
    entries: dict[str, object] = {}
    for panel in (upper, lower):
        for handle, name in zip(*panel.get_legend_handles_labels()):
            entries.setdefault(name, handle)
    upper.legend(entries.values(), entries.keys(), ncols=3, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.3, columnspacing=1.4)


def _title(simulations: list[Simulation], observable: str) -> str:
    titles = {simulation.title for simulation in simulations}
    only = titles.pop() if len(titles) == 1 else ""
    return plain(only) if only else f"${pauli.symbol(observable)}$ at infinite bond dimension"


def _footer(rows: list[Row], simulations: list[Simulation], observable: str) -> str:
    known = [row for row in rows if row.found is not None]
    missing = len(rows) - len(known)
    loops = max((row.loop_error for row in known), default=0.0)
    lines = [pauli.definition(observable)] if pauli.definition(observable) else []
    lines.append(r"extrapolated from max bond dimensions up to " + ", ".join(str(chi) for chi in sorted({row.bond_dimension for row in known}))
                 + "; bars: the uncertainty of truncation, within which the exact value lies in some 95 % of cases")  # fmt: skip
    if any(row.loop_error != 0.0 for row in known):
        lines.append("loops are ignored, which no bond dimension removes: " + (f"estimated error up to {loops:.0e}" if np.isfinite(loops) else "error not known"))
    if missing:
        lines.append(f"{count(missing, 'angle')} without a value: too few bond dimensions whose discarded weight falls")
    lines.append(" · ".join({plain(f"{one.program} {one.program_version}, commit {one.git_commit[:12]}"): None for one in simulations}))
    return "\n".join(lines)
