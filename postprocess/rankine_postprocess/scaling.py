"""Figure: predicted time and efficiency of jobs against ranks, strong and weak (scripts/study_scaling writes the numbers)."""

import csv
from collections import defaultdict
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .errors import InputError
from .frame import add_frame
from .style import EXACT, SETUP_COLOURS, STYLE

COLUMNS = {"case", "scaling", "ranks", "stage", "seconds", "fits"}
WALL = 0.5  # efficiency below which more ranks are of little use
_MARKERS = "osD^vP"


@dataclass(frozen=True)
class Curve:
    """One job on several numbers of ranks."""

    case: str
    is_weak: bool
    seconds: dict[int, float]  # of each number of ranks
    fits: dict[int, bool]  # into the memory of the machine

    def efficiency(self) -> dict[int, float]:
        """Of the fewest ranks the job is 1."""
        first = min(self.seconds)
        scale = {ranks: 1.0 if self.is_weak else first / ranks for ranks in self.seconds}
        return {ranks: scale[ranks] * self.seconds[first] / seconds for ranks, seconds in sorted(self.seconds.items())}

    def wall(self) -> int | None:
        """The fewest ranks of an efficiency below one half."""
        return next((ranks for ranks, part in self.efficiency().items() if part < WALL), None)


def read_scaling(path) -> list[Curve]:
    """Curves in the order of the file. Raises InputError."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'not a text file'}).") from error
    if not rows or not COLUMNS <= rows[0].keys():
        raise InputError(f"{path}: not a table of scalings (columns {', '.join(sorted(COLUMNS))}). Give one of scripts/study_scaling.")
    seconds: dict[tuple, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    fits: dict[tuple, dict[int, bool]] = defaultdict(dict)
    try:
        for row in rows:
            key, ranks = (row["case"], row["scaling"] == "weak"), int(row["ranks"])
            seconds[key][ranks] += float(row["seconds"])
            fits[key][ranks] = row["fits"] == "1"
    except ValueError as error:
        raise InputError(f"{path}: ranks and seconds are not all numbers ({error}).") from None
    return [Curve(case, is_weak, dict(values), fits[case, is_weak]) for (case, is_weak), values in seconds.items()]


def draw(curves: list[Curve]) -> Figure:
    """Time above, efficiency below; strong scaling left, weak right. Open markers: more memory than there is."""
    cases = list(dict.fromkeys(curve.case for curve in curves))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 7.4), layout="constrained")
        axes = figure.subplots(2, 2, sharex=True, sharey="row", gridspec_kw={"height_ratios": [1.5, 1.0]})
        for curve in curves:
            place = cases.index(curve.case)
            for panel, values in zip(axes[:, int(curve.is_weak)], (curve.seconds, curve.efficiency())):
                _draw_curve(panel, curve, values, place)
        _finish(axes)
        axes[0, 1].legend(loc="upper right", frameon=True, framealpha=1.0, edgecolor="none", fontsize=8.5)
        add_frame(figure, "Predicted scaling to thousands of ranks",
                  "Predictions of --check --machine, not measurements. Open markers: the job needs more memory than the ranks have.")  # fmt: skip
    return figure


def _draw_curve(panel, curve: Curve, values: dict[int, float], place: int) -> None:
    colour, marker = SETUP_COLOURS[place % len(SETUP_COLOURS)], _MARKERS[place % len(_MARKERS)]
    ranks = sorted(values)
    panel.plot(ranks, [values[r] for r in ranks], color=colour, lw=1.4, label=curve.case)
    for is_filled in (True, False):
        chosen = [r for r in ranks if curve.fits[r] == is_filled]
        panel.plot(chosen, [values[r] for r in chosen], ls="", marker=marker, ms=5, color=colour,
                   markerfacecolor=colour if is_filled else "white")  # fmt: skip


def _finish(axes) -> None:
    for panel, title in zip(axes[0], ("strong: the same job", "weak: a job that grows with the ranks")):
        panel.set(yscale="log", title=title)
    axes[0, 0].set_ylabel("predicted time (s)")
    axes[0, 0].set_ylim(top=30 * axes[0, 0].get_ylim()[1])  # room for the legend
    axes[1, 0].set_ylabel("efficiency")
    for panel in axes[1]:
        panel.set(xscale="log", xlabel="ranks", ylim=(0, 1.15))
        panel.axhline(WALL, color=EXACT, lw=1.2, ls="--")
        panel.xaxis.set_major_locator(FixedLocator([16, 64, 256, 1024, 4096]))
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        panel.xaxis.set_minor_locator(NullLocator())
