"""Figures: accuracy or perplexity of distilled networks against the numbers they keep, or against the samples they saw."""

from collections.abc import Callable

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from . import accuracy_tradeoff
from . import distill_labels as labels
from .distillation import MODES, Distillation
from .errors import InputError
from .frame import add_frame
from .perplexity_scale import drawable, scale_perplexity
from .style import EXACT, STYLE
from .ticks import CompleteNumbers
from .wording import broken

_LEGEND_LETTERS = 80
_APART = 2.0  # points between lines with bars at one place
_BARS = accuracy_tradeoff.INTERVALS | {"none": ""}


def draw_against_size(results: list[Distillation]) -> Figure:
    """A line a mode. Raises InputError for scores that cannot be compared."""
    scored = [r for r in _in_order(results) if None not in (r.after, r.network.parameters_before, r.network.parameters_after)]
    if not scored:
        raise InputError("none of the files has a score in the end and numbers to set it against.")
    figure = _draw(scored, labels.group_by_method(scored), lambda r: accuracy_tradeoff.kept_part(r.network), "size")
    panel = figure.axes[0]
    before = scored[0].network.parameters_before
    whole = "network" if scored[0].is_of_images else "selected weights"
    panel.set_xlabel(f"kept part of the numbers of the {whole} ({before:,})")
    panel.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    panel.xaxis.set_major_formatter(CompleteNumbers())
    kept = [accuracy_tradeoff.kept_part(r.network) for r in scored]
    room = max(0.06 * (max(kept) - min(kept)), 0.02)
    panel.set_xlim(min(kept) - room, max(kept) + room)
    return figure


def draw_against_samples(results: list[Distillation]) -> Figure:
    """A line for each mode and size. Raises InputError for scores that cannot be compared."""
    scored = [r for r in _in_order(results) if r.after is not None and labels.samples(r)]
    if not scored:
        raise InputError("none of the files has a score in the end and tells of how many samples.")
    figure = _draw(scored, labels.group_by_size(scored), labels.samples, "samples")
    panel = figure.axes[0]
    panel.set_xscale("log")
    counts = sorted({labels.samples(r) for r in scored})
    panel.set_xlim(counts[0] / 1.25, counts[-1] * 1.25)
    panel.xaxis.set_major_locator(FixedLocator(_spread(counts)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.set_xlabel("images" if scored[0].is_of_images else "windows of text")
    return figure


def _in_order(results: list[Distillation]) -> list[Distillation]:
    """Modes in one order, so that figures give them the same colours; compressions last."""
    return sorted(results, key=lambda r: MODES.index(r.mode) if r.mode else len(MODES))


def _spread(counts: list[int]) -> list[int]:
    """Those of the counts whose numbers do not run into each other on a logarithmic axis."""
    span = np.log(counts[-1] / counts[0]) or 1.0
    taken = [counts[-1]]
    for value in reversed(counts):
        if np.log(taken[-1] / value) > 0.09 * span:
            taken.append(value)
    return taken


def _draw(scored: list[Distillation], groups: dict[str, list], place_of: Callable[[Distillation], float], against: str) -> Figure:
    _require_one_protocol(scored)
    first = scored[0]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 4.9 + 0.22 * len(groups)), layout="constrained")
        panel = figure.subplots()
        handles, bars = [], {}
        for number, (label, members) in enumerate(groups.items()):
            look = {"color": labels.COLOURS[number % len(labels.COLOURS)], "marker": labels.MARKERS[number % len(labels.MARKERS)]}
            aside = (number - 0.5 * (len(groups) - 1)) * _APART if first.is_of_images else 0.0
            look["transform"] = panel.transData + ScaledTranslation(aside / 72.0, 0.0, figure.dpi_scale_trans)
            bars |= dict.fromkeys(_draw_group(panel, members, place_of, look))
            handles.append(Line2D([], [], lw=1.4, ms=6, label=labels.plain(broken(label, _LEGEND_LETTERS)),
                                  color=look["color"], marker=look["marker"]))  # fmt: skip
        before = dict.fromkeys(r.before for r in scored if r.before is not None)
        for value in before:
            panel.axhline(_height(first, value), color=EXACT, lw=1.4, ls="--", zorder=2, gid="original")
        if before:
            handles.append(Line2D([], [], color=EXACT, lw=1.4, ls="--", label="original"))
        _scale(panel, scored)
        panel.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        title = labels.title(scored, f"{labels.network(first)}: {first.metric} against {_in_words(against, first)}")
        apart = "bars at one place are drawn side by side" if first.is_of_images and len(groups) > 1 else ""
        add_frame(figure, title, "\n".join(filter(None, [*(_BARS[kind] for kind in bars), apart, labels.footer(scored)])))
    return figure


def _in_words(against: str, result: Distillation) -> str:
    return against if against == "size" else "images" if result.is_of_images else "text"


def _require_one_protocol(results: list[Distillation]) -> None:
    def protocol(result: Distillation) -> tuple:
        return result.metric, result.network.model, getattr(result.network, "architecture", ""), result.network.evaluation

    for other in results[1:]:
        if protocol(other) != protocol(results[0]):
            raise InputError(
                f"{other.path}: scored otherwise than {results[0].path} ({', '.join(filter(None, protocol(other)))}; "
                f"{', '.join(filter(None, protocol(results[0])))}). Draw them apart."
            )


def _height(result: Distillation, value: float) -> float:
    return 100.0 * value if result.is_of_images else drawable(value)


def _draw_group(panel, members: list[Distillation], place_of, look: dict) -> list[str]:
    """Files at one place are seeds of one point. Returns what the bars are."""
    points: dict[float, list[Distillation]] = {}
    for result in sorted(members, key=place_of):
        points.setdefault(place_of(result), []).append(result)
    values = np.array([np.mean([_height(r, r.after) for r in same]) for same in points.values()])
    bars = [_bar(same) for same in points.values()]
    reach = [np.maximum(0.0, values - [bar[0] for bar in bars]), np.maximum(0.0, [bar[1] for bar in bars] - values)]
    panel.errorbar(list(points), values, yerr=reach, fmt="none", ecolor=look["color"], elinewidth=1.1, capsize=3, zorder=3,
                   transform=look["transform"])  # fmt: skip
    panel.plot(list(points), values, lw=1.4, ms=6.5, mec="white", mew=0.5, gid="after", zorder=4, **look)
    return [bar[2] for bar in bars]


def _bar(same: list[Distillation]) -> tuple[float, float, str]:
    """Lower and upper end, and what they are."""
    if same[0].is_of_images and all(r.network.accuracy is not None for r in same):
        return accuracy_tradeoff.bar([r.network for r in same])
    values = [_height(r, r.after) for r in same]
    return min(values), max(values), "seeds" if len(same) > 1 else "none"


def _scale(panel, results: list[Distillation]) -> None:
    if results[0].is_of_images:
        panel.set_ylabel("accuracy (%)")
        panel.yaxis.set_major_locator(MaxNLocator(9))
        panel.yaxis.set_major_formatter(CompleteNumbers())
        return
    values = [drawable(value) for r in results for value in (r.before, r.after)]
    scale_perplexity(panel, values, drawable(results[0].before))
