"""Figure: the feature error of every slice of a network, before, after the fit and after its training."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from . import distill_labels as labels
from .distillation import DIVERGED, FIT_KEPT, Distillation
from .errors import InputError
from .frame import add_frame
from .perplexity_scale import drawable, scale_perplexity
from .style import EXACT, STYLE
from .ticks import CompleteNumbers

_SERIES = {
    "error_before": ("plain decomposition", {"color": "0.45", "marker": "s", "mfc": "white", "mew": 1.2, "ms": 5.5}),
    "error_fit": ("fit", {"color": "#E69F00", "marker": "D", "ms": 5.5}),
    "error_after": ("after training", {"color": "#0072B2", "marker": "o", "ms": 6.5}),
}
_MARKS = {
    FIT_KEPT: ("fit kept: training made it no better", {"marker": "o", "ms": 11, "mfc": "none", "mec": "#5B3F8C", "mew": 1.5}),
    DIVERGED: ("diverged: fit kept", {"marker": "X", "ms": 11, "mfc": "none", "mec": "#D55E00", "mew": 1.5}),
}
LEAST, MOST = 1e-16, 100.0  # errors on a figure
_MOST_NAMES = 64


def draw(result: Distillation) -> Figure:
    """Errors of slices in the order of the network, and the scores with each alone. Raises InputError."""
    require_slices(result)
    is_scored = any(one.score is not None for one in result.slices)
    with matplotlib.rc_context(STYLE):
        height = 5.4 + (2.0 if is_scored else 0.0)
        figure = Figure(figsize=(min(12.0, 7.4 + 0.09 * len(result.slices)), height), layout="constrained")
        heights = [2.0, 1.0] if is_scored else [1.0]
        panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
        handles = _draw_errors(panels[0], result)
        if is_scored:
            _draw_scores(panels[1], result)
        name_slices(figure, panels[-1], result)
        panels[0].legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.2)
        title = labels.title([result], f"{labels.network(result)}: feature error of its slices, {labels.size(result)}")
        add_frame(figure, title, f"{_outcome(result)}\n{labels.footer([result])}")
    return figure


def require_slices(result: Distillation) -> None:
    if not result.slices:
        raise InputError(f"{result.path}: the file holds no slice (distill.mode is '{result.mode}').")


def _draw_errors(panel, result: Distillation) -> list[Line2D]:
    handles = []
    for name, (label, look) in _SERIES.items():
        values = np.array([getattr(one, name) for one in result.slices])
        if np.isfinite(values).any():
            panel.plot(range(len(values)), drawable_errors(result, values), lw=1.0, gid=name, label=label, zorder=3, **look)
            handles.append(panel.lines[-1])
    for outcome, (label, look) in _MARKS.items():
        marked = [k for k, one in enumerate(result.slices) if one.outcome == outcome]
        if marked:
            values = [result.slices[k].error_after for k in marked]
            panel.plot(marked, drawable_errors(result, values), ls="none", gid=outcome, label=label, zorder=4, **look)
            handles.append(panel.lines[-1])
    if scale_errors(panel):
        handles.append(Line2D([], [], color=EXACT, lw=1.2, ls="--", label="means of the channels"))
    panel.set_ylabel("feature error")
    return handles


def scale_errors(panel) -> bool:
    """A logarithmic axis for what is drawn; returns whether 1 is on it, which is drawn too."""
    panel.set_yscale("log")
    drawn = [value for line in panel.lines for value in line.get_ydata() if np.isfinite(value)]
    if not drawn:
        return False
    low, high = min(drawn), max(drawn)
    has_one = high > 0.5
    if has_one:
        panel.axhline(1.0, color=EXACT, lw=1.2, ls="--", zorder=2)
        low, high = min(low, 1.0), max(high, 1.0)
    room = max((high / low) ** 0.06, 1.15)
    panel.set_ylim(low / room, high * room)
    if high / low < 50.0:  # decades alone would be too few numbers
        panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.yaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return has_one


def drawable_errors(result: Distillation, errors) -> np.ndarray:
    """Those that have no room on a logarithmic axis stand at its ends: the lower one is not far from what has."""
    known = np.concatenate([[getattr(one, name) for name in _SERIES] + list(one.errors) for one in result.slices])
    known = known[(known > LEAST) & (known <= MOST)]
    errors = np.asarray(errors, dtype=float)
    foot = known.min() / 3.0 if known.size else LEAST
    return np.where(errors <= LEAST, foot, np.minimum(errors, MOST))


def beyond(errors) -> str:
    """What the footer says of errors that have no room on the axis."""
    errors = np.asarray(errors)
    notes = [f"errors above {MOST:g} are drawn there" if np.any(errors > MOST) else "",
             "errors of 0 are drawn at the foot" if np.any(errors <= LEAST) else ""]  # fmt: skip
    return " · ".join(filter(None, notes))


def _draw_scores(panel, result: Distillation) -> None:
    """Of the network with each slice alone replaced."""
    scores = [np.nan if one.score is None else one.score for one in result.slices]
    values = 100.0 * np.array(scores) if result.is_of_images else np.array([drawable(score) for score in scores])
    before = None if result.before is None else 100.0 * result.before if result.is_of_images else drawable(result.before)
    if before is not None:
        panel.axhline(before, color=EXACT, lw=1.2, ls="--", zorder=2, gid="original")
    panel.plot(range(len(values)), values, color="#009E73", marker="^", ms=6, lw=1.0, gid="score", zorder=3)
    if result.is_of_images:
        panel.yaxis.set_major_locator(MaxNLocator(5))
        panel.yaxis.set_major_formatter(CompleteNumbers())
    else:
        scale_perplexity(panel, [*values, before], before)
    panel.set_ylabel("accuracy with this\nslice alone (%)" if result.is_of_images else "perplexity with\nthis slice alone")


def name_slices(figure: Figure, panel, result: Distillation) -> None:
    """At the horizontal axis; upright where they are many or long."""
    count = len(result.slices)
    names = [one.name for one in result.slices]
    short, prefix = labels.short_names(names), labels.shared_prefix(names)
    places = range(0, count, -(-count // _MOST_NAMES))
    letters = max(len(short[place]) for place in places)
    is_upright = letters * len(places) * 0.085 > 0.8 * figure.get_figwidth()
    panel.set_xticks(places, [short[place] for place in places], rotation=90 if is_upright else 0, fontsize=8.5)
    panel.set_xlim(-0.6, count - 0.4)
    panel.set_xlabel(f"slice ({labels.plain(prefix)}*)" if prefix else "slice")


def _outcome(result: Distillation) -> str:
    """The scores of the whole network, stage by stage."""
    stages = {"": result.before, "fit ": result.fitted, "slices ": result.assembled, "end ": result.after}
    scores = [f"{name}{labels.score(result, value)}" for name, value in stages.items() if value is not None]
    words = f"mode {result.mode}" + (f" · {result.metric} " + " → ".join(scores) if scores else "")
    drawn = [getattr(one, name) for one in result.slices for name in _SERIES]
    meaning = "feature error: squared error over the variance around the means of the channels, on samples not trained on"
    return "\n".join(filter(None, [words, meaning, beyond(drawn)]))
