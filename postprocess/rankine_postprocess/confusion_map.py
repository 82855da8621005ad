"""Figure: which class images were taken for, the recall of each, and of an inspection what it misses."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import compression_labels, image_labels
from .errors import InputError
from .frame import add_frame
from .image_result import ImageResult, Share
from .style import STYLE

_MOST_TEXTS = 24  # classes whose cells still have room for a number
_MOST_CLASSES = 2000
_TWO_SIDED_95 = 1.959963984540054  # standard deviations


def draw(result: ImageResult) -> Figure:
    """Confusion matrix, recalls, and with a good class missed defects and false alarms. Raises InputError."""
    if result.confusion is None or not result.images:
        raise InputError(f"{result.path}: the file holds no confusion matrix.")
    classes = len(result.confusion)
    if classes > _MOST_CLASSES:
        raise InputError(f"{result.path}: {classes} classes are too many for a figure.")
    inspects = result.missed_defects is not None and result.false_alarms is not None
    with matplotlib.rc_context(STYLE):
        side = min(9.0, max(3.9, 0.46 * classes))
        figure = Figure(figsize=(2.4 + 1.75 * side + (1.6 if inspects else 0), 1.5 + side), layout="constrained")
        panels = figure.subplots(1, 3 if inspects else 2, gridspec_kw={"width_ratios": [1.25, 0.8, 0.62][: 3 if inspects else 2]})
        _draw_confusion(figure, panels[0], result)
        _draw_recall(panels[1], result)
        if inspects:
            _draw_rates(panels[2], result)
        title = compression_labels.title([result], f"{image_labels.network(result)}: which images are found")
        add_frame(figure, title, f"{_outcome(result)}\n{compression_labels.footer([result])}")
    return figure


def _outcome(result: ImageResult) -> str:
    parts = []
    if result.accuracy is not None:
        parts.append(f"accuracy {_percent(result.accuracy)} (Clopper and Pearson)")
    if result.macro_miss_rate is not None:
        parts.append(f"macro miss rate {100 * result.macro_miss_rate:.2f} %")
    if result.auc is not None:
        parts.append(f"area under the curve {result.auc.value:.4f} ({result.auc.low:.4f} to {result.auc.high:.4f})")
    return " · ".join([*parts, "bars of recall: Wilson's 95 % intervals"])


def _percent(share: Share) -> str:
    return f"{100 * share.value:.2f} % ({100 * share.low:.2f} to {100 * share.high:.2f})"


def _draw_confusion(figure: Figure, panel, result: ImageResult) -> None:
    counts = result.confusion
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    panel.imshow(parts, cmap="Blues", vmin=0, vmax=1, aspect="auto", gid="confusion")
    panel.grid(False)
    panel.tick_params(length=0)
    panel.set_xlabel("taken for")
    panel.set_ylabel("class")
    _name_classes(panel.xaxis, result)
    _name_classes(panel.yaxis, result)
    if len(counts) <= _MOST_TEXTS:
        for (row, column), number in np.ndenumerate(counts):
            panel.text(column, row, f"{number}" if number < 100_000 else f"{number:.1e}", ha="center", va="center",
                       fontsize=9 if len(counts) <= 12 else 7, color="white" if parts[row, column] > 0.55 else "0.15",
                       alpha=1.0 if number else 0.35)  # fmt: skip


def _name_classes(axis, result: ImageResult) -> None:
    classes, good = len(result.confusion), result.setting("data.good_class", -1)
    every = max(1, -(-classes // 40))
    shown = range(0, classes, every)
    axis.set_ticks(shown, [f"{c} good" if c == good else f"{c}" for c in shown], fontsize=9 if classes <= 24 else 7)


def _draw_recall(panel, result: ImageResult) -> None:
    totals, found = result.confusion.sum(axis=1), result.confusion.diagonal()
    places = np.flatnonzero(totals)
    recall = 100.0 * found[places] / totals[places]
    low, high = wilson(found[places], totals[places])
    panel.barh(places, recall, height=0.62, color="#56B4E9", alpha=0.55, gid="recall")
    panel.errorbar(recall, places, xerr=[np.maximum(0, recall - 100 * low), np.maximum(0, 100 * high - recall)], fmt="o", ms=4,
                   color="#0072B2", capsize=2.5, elinewidth=1.1)  # fmt: skip
    panel.set_ylim(len(totals) - 0.5, -0.5)
    least = float(100 * low.min())
    panel.set_xlim(max(0.0, np.floor(least / 10 - 0.5) * 10) if least > 30 else 0.0, 101.0)
    panel.set_xlabel("recall (%)")
    panel.grid(axis="y", visible=False)
    panel.xaxis.set_major_locator(MaxNLocator(5))
    _name_classes(panel.yaxis, result)


def wilson(events: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the score interval of a proportion, 95 %."""
    z2 = _TWO_SIDED_95**2
    part = events / trials
    centre = (part + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _TWO_SIDED_95 * np.sqrt(part * (1 - part) / trials + z2 / (4.0 * trials**2)) / (1 + z2 / trials)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def _draw_rates(panel, result: ImageResult) -> None:
    """Both with the interval of the file."""
    rates = {"missed\ndefects": (result.missed_defects, "#D55E00"), "false\nalarms": (result.false_alarms, "#8C6D1F")}
    for place, (rate, colour) in enumerate(rates.values()):
        value = 100 * rate.value
        ends = [[max(0.0, value - 100 * rate.low)], [max(0.0, 100 * rate.high - value)]]
        panel.bar([place], [value], width=0.55, color=colour, alpha=0.4, gid="rate")
        panel.errorbar([place], [value], yerr=ends, fmt="o", ms=5, color=colour, capsize=4, elinewidth=1.3)
        panel.annotate(f"{value:.1f} %", (place, value), xytext=(7, 4), textcoords="offset points", fontsize=9, color="0.2")
    panel.set_xticks([0, 1], list(rates), fontsize=9.5)
    panel.set_xlim(-0.6, 1.8)
    panel.set_ylim(0.0, min(105.0, 1.15 * max(1.0, *(100 * rate.high for rate, _ in rates.values()))))
    panel.set_ylabel("rate at the threshold (%), bars: Clopper and Pearson", fontsize=9)
    panel.grid(axis="x", visible=False)
