"""Figure: accuracy of compressed image networks against the numbers they keep, method by method."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from . import compression_labels, image_labels
from .errors import InputError
from .frame import add_frame
from .image_result import ImageResult
from .labels import plain
from .style import EXACT, STYLE
from .ticks import CompleteNumbers
from .wording import broken

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9", "#5B3F8C", "#333333", "#E69F00", "#7A9E9F")
_MARKERS = "osD^vP*Xh<>p"
_LEGEND_LETTERS = 80
INTERVALS = {
    "paired": "bars: 95 % intervals of the difference to the original on the same images (Agresti and Min)",
    "single": "bars: 95 % intervals of the accuracy (Clopper and Pearson)",
    "seeds": "bars: smallest and largest of the seeds; points: their mean",
}


def draw(results: list[ImageResult]) -> Figure:
    """A line a method; seeds of one training become one point. Raises InputError for scores that cannot be compared."""
    scored = [r for r in results if r.accuracy is not None and None not in (r.parameters_before, r.parameters_after)]
    if not scored:
        raise InputError("none of the files has an accuracy after compression and numbers to set it against.")
    _require_one_protocol(scored)
    groups = image_labels.group_by_method(scored)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 4.9 + 0.22 * len(groups)), layout="constrained")
        panel = figure.subplots()
        handles, kinds = [], {}
        for place, (label, members) in enumerate(groups.items()):
            look = {"color": _COLOURS[place % len(_COLOURS)], "marker": _MARKERS[place % len(_MARKERS)]}
            kinds |= dict.fromkeys(_draw_method(panel, members, look))
            handles.append(Line2D([], [], ls="-", lw=1.4, ms=6, label=plain(broken(label, _LEGEND_LETTERS)), **look))
        handles += _draw_originals(panel, scored)
        _finish(panel, scored)
        panel.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        title = compression_labels.title(scored, f"{image_labels.network(scored[0])}: accuracy against size")
        add_frame(figure, title, "\n".join([*(INTERVALS[kind] for kind in kinds), compression_labels.footer(scored)]))
    return figure


def _require_one_protocol(results: list[ImageResult]) -> None:
    first = results[0]
    for other in results[1:]:
        if (other.model, other.architecture, other.evaluation) != (first.model, first.architecture, first.evaluation):
            raise InputError(
                f"{other.path}: scored otherwise than {first.path} ({_protocol(other)}; {_protocol(first)}). Draw them apart."
            )


def _protocol(result: ImageResult) -> str:
    return ", ".join(filter(None, [result.architecture, result.model, result.evaluation]))


def kept_part(result: ImageResult) -> float:
    """Of the numbers of the whole network."""
    return result.parameters_after / result.parameters_before


def _draw_method(panel, members: list[ImageResult], look: dict) -> list[str]:
    """Returns what the bars are."""
    points: dict[float, list[ImageResult]] = {}
    for result in sorted(members, key=kept_part):
        points.setdefault(kept_part(result), []).append(result)
    values = [np.mean([100.0 * r.accuracy.value for r in same]) for same in points.values()]
    bars = [bar(same) for same in points.values()]
    low, high = (np.maximum(0.0, [sign * (value - ends[end]) for value, ends in zip(values, bars)])
                 for end, sign in ((0, 1.0), (1, -1.0)))  # fmt: skip
    panel.errorbar(list(points), values, yerr=[low, high], fmt="none", ecolor=look["color"], elinewidth=1.1, capsize=3, zorder=3)
    panel.plot(list(points), values, lw=1.4, ms=6.5, mec="white", mew=0.5, gid="after", zorder=4, **look)
    for result in members:
        if result.setting("train.epochs", 0) and result.accuracy_re_estimated is not None:
            panel.plot([kept_part(result)], [100.0 * result.accuracy_re_estimated], ls="none", ms=6.5, mfc="none", mew=1.2,
                       gid="untrained", **look)  # fmt: skip
    return [ends[2] for ends in bars]


def bar(same: list[ImageResult]) -> tuple[float, float, str]:
    """Lower and upper end in percent, and what they are."""
    values = [100.0 * r.accuracy.value for r in same]
    first = same[0]
    if len(same) > 1:
        return min(values), max(values), "seeds"
    if first.difference is not None and first.accuracy_before is not None:
        return *(100.0 * (first.accuracy_before + end) for end in (first.difference.low, first.difference.high)), "paired"
    return 100.0 * first.accuracy.low, 100.0 * first.accuracy.high, "single"


def _draw_originals(panel, results: list[ImageResult]) -> list[Line2D]:
    """The network that was read; of training from scratch the mean of the dense twins."""
    before = {r.accuracy_before for r in results if r.accuracy_before is not None}
    twins = [r.accuracy.value for r in results if r.is_from_scratch and r.setting("method.form") == "dense"]
    if not before and twins:
        before = {float(np.mean(twins))}
    for value in before:
        panel.axhline(100.0 * value, color=EXACT, lw=1.4, ls="--", zorder=2, gid="original")
    more = []
    if any(line.get_gid() == "untrained" for line in panel.lines):
        more = [Line2D([], [], ls="none", marker="o", ms=6, mfc="none", mec="0.3", label="before training")]
    label = "mean of the dense twins" if twins else "original"
    return ([Line2D([], [], color=EXACT, lw=1.4, ls="--", label=label)] if before else []) + more


def _finish(panel, results: list[ImageResult]) -> None:
    kept = [kept_part(r) for r in results]
    panel.set_xlabel(f"kept part of the numbers of the network ({results[0].parameters_before:,})")
    panel.set_ylabel("accuracy (%)")
    room = 0.06 * max(max(kept) - min(kept), 0.05)
    panel.set_xlim(min(kept) - room, max(kept) + room)
    panel.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    panel.xaxis.set_major_formatter(CompleteNumbers())
    panel.yaxis.set_major_locator(MaxNLocator(9))
    panel.yaxis.set_major_formatter(CompleteNumbers())
