"""Figure: how much faster slices are trained by several teams: measured, simulated and ideal."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from . import distill_labels as labels
from .distillation import Distillation
from .errors import InputError
from .frame import add_frame
from .style import EXACT, STYLE
from .wording import broken, count

_LEGEND_LETTERS = 80


def draw(results: list[Distillation]) -> Figure:
    """Speed-up and efficiency against teams; one line each for files that differ in their teams only. Raises InputError."""
    timed = [r for r in results if r.local is not None and r.seconds.get("local", 0.0) > 0.0]
    if not timed:
        raise InputError("none of the files tells how long its slices took. Give files of the modes local or hybrid.")
    groups = {label: curve for label, members in labels.group_by_run(timed).items() if (curve := _curves(members))}
    if not groups:
        raise InputError("speed-ups need a file of one team, or one with a simulated schedule. Add one with parallel.teams = 1.")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 6.6 + 0.25 * len(groups)), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2.4, 1.0]})
        handles = []
        for place, (label, (measured, simulated)) in enumerate(groups.items()):
            handles += _draw_group(upper, lower, measured, simulated, place, label if len(groups) > 1 else "")
        _finish(upper, lower)
        handles.append(Line2D([], [], color=EXACT, lw=1.4, ls="--", label="ideal"))
        upper.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2,
                     ncols=3 if len(groups) == 1 else 1)  # fmt: skip
        title = labels.title(timed, f"{labels.network(timed[0])}: speed-up of the training of slices")
        farthest = [_farthest(simulated) for _, simulated in groups.values() if simulated]
        add_frame(figure, title, "\n".join([_footer(timed), *farthest[:1], labels.footer(timed)]))
    return figure


def _curves(members: list[Distillation]) -> tuple[dict[int, list[float]], dict[int, float]] | None:
    """Measured speed-ups of each number of teams, and simulated ones; nothing where there is no single team."""
    alone = [r.seconds["local"] for r in members if r.local.teams == 1]
    measured: dict[int, list[float]] = {}
    if alone:
        for result in sorted(members, key=lambda r: r.local.teams):
            measured.setdefault(result.local.teams, []).append(float(np.mean(alone)) / result.seconds["local"])
    simulated: dict[int, float] = {}
    for result in sorted(members, key=lambda r: r.local.teams):  # that of one team was not disturbed by others
        seconds = dict(zip(result.local.simulated_teams.tolist(), result.local.simulated_seconds))
        if 1 in seconds and all(value > 0 for value in seconds.values()):
            simulated = {teams: seconds[1] / value for teams, value in sorted(seconds.items())}
            break
    return (measured, simulated) if measured or simulated else None


def _draw_group(upper, lower, measured, simulated, place: int, label: str) -> list[Line2D]:
    colour, marker = labels.COLOURS[place % len(labels.COLOURS)], labels.MARKERS[place % len(labels.MARKERS)]
    handles = []
    if simulated:
        teams = np.array(list(simulated), dtype=float)
        speed = np.array(list(simulated.values()))
        for panel, values in ((upper, speed), (lower, 100.0 * speed / teams)):
            panel.plot(teams, values, color=colour, lw=1.6, gid="simulated", zorder=3)
        handles.append(Line2D([], [], color=colour, lw=1.6, label=_name("simulated", label)))
    if measured:
        teams = np.array(list(measured), dtype=float)
        middle = np.array([np.mean(values) for values in measured.values()])
        ends = np.array([(min(values), max(values)) for values in measured.values()]).T
        look = {"color": colour, "marker": marker, "ms": 7.5, "mec": "white", "mew": 0.6, "ls": "none"}
        for panel, scale in ((upper, 1.0), (lower, 100.0 / teams)):
            bars = np.maximum(0.0, np.array([middle - ends[0], ends[1] - middle])) * scale
            panel.errorbar(teams, middle * scale, yerr=bars, fmt="none", ecolor=colour, elinewidth=1.1, capsize=3, zorder=4)
            panel.plot(teams, middle * scale, gid="measured", zorder=5, clip_on=False, **look)
        handles.append(Line2D([], [], label=_name("measured", label), **look))
    return handles


def _name(what: str, label: str) -> str:
    return labels.plain(broken(f"{what}: {label}" if label else what, _LEGEND_LETTERS))


def _finish(upper, lower) -> None:
    drawn = np.concatenate([line.get_xdata() for line in upper.lines if line.get_gid()])
    speeds = np.concatenate([line.get_ydata() for line in upper.lines if line.get_gid()])
    most = max(2.0, float(drawn.max()))
    upper.plot([1.0, most], [1.0, most], color=EXACT, lw=1.4, ls="--", zorder=2)
    lower.axhline(100.0, color=EXACT, lw=1.4, ls="--", zorder=2)
    upper.set_xscale("log", base=2)
    upper.set_yscale("log", base=2)
    room = most**0.04
    upper.set_xlim(1.0 / room, most * room)
    upper.set_ylim(min(1.0, float(speeds.min())) / room, max(most, float(speeds.max())) * room)
    for axis, first, last in ((upper.xaxis, 1.0, most), (upper.yaxis, float(speeds.min()), max(most, float(speeds.max())))):
        axis.set_major_locator(FixedLocator(_ticks(first, last)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    efficiencies = np.concatenate([line.get_ydata() for line in lower.lines if line.get_gid()])
    lower.set_ylim(0.0, max(110.0, 1.08 * float(efficiencies.max())))
    upper.set_ylabel("speed-up")
    lower.set_ylabel("efficiency (%)")
    lower.set_xlabel("teams (simulated: ranks, in teams of one or more)")


def _ticks(least: float, most: float) -> list[float]:
    """Powers of two, and the last place where it is none."""
    powers = [2.0**k for k in range(max(-20, int(np.floor(np.log2(min(least, 1.0))))), int(np.log2(most)) + 1)]
    if most <= 1.25 * powers[-1]:
        return powers if most == powers[-1] else [*powers[:-1], most]
    return [*powers, most] if float(most).is_integer() else powers


def _farthest(simulated: dict[int, float]) -> str:
    teams = max(simulated)
    efficiency = 100.0 * simulated[teams] / teams
    return f"simulated with {count(teams, 'team')}: {simulated[teams]:.3g} times as fast as with one, efficiency {efficiency:.0f} %"


def _footer(results: list[Distillation]) -> str:
    """What times are of, and on how many ranks."""
    ordered = sorted(results, key=lambda r: r.local.teams)
    ranks = dict.fromkeys(f"{count(r.local.teams, 'team')} on {count(r.n_ranks, 'rank')}" for r in ordered)
    return f"times include the teacher's passes · {', '.join(ranks)}"
