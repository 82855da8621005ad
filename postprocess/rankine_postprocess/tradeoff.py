"""Figure: perplexity against what is kept, in bytes and in numbers, method by method."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from . import compression_labels as labels
from .compression import Compression
from .errors import InputError
from .frame import add_frame
from .perplexity_scale import drawable, scale_perplexity
from .style import EXACT, STYLE
from .ticks import CompleteNumbers
from .wording import broken

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9", "#5B3F8C", "#333333",
            "#E69F00", "#7A9E9F")  # fmt: skip
_LEGEND_LETTERS = 70  # to a column
_MARKERS = "osD^vP*Xh<>p"
_MARKER_SIZES = {"*": 10, "P": 7.5, "X": 7.5, "D": 5.8}


def draw(compressions: list[Compression]) -> Figure:
    """One marker a file, hollow before healing. Raises InputError for scores that cannot be compared."""
    scored = [c for c in compressions if None not in (c.perplexity_after, c.bytes_after, c.parameters_after, c.parameters_before)]
    if not scored:
        raise InputError("none of the files has a perplexity after compression. Set evaluate.text in their decks.")
    _require_one_protocol(scored)
    groups = labels.group_by_method(scored)
    with matplotlib.rc_context(STYLE):
        columns = 2 if max(map(len, groups)) <= _LEGEND_LETTERS else 1
        legend_height = 0.5 + 0.19 * -(-(len(groups) + 2) // columns)
        figure = Figure(figsize=(10.4, 4.6 + legend_height), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=[4.6, legend_height])
        in_numbers = [c for c in scored if not _is_counted_in_bytes(c)]
        by_bytes = figure.add_subplot(grid[0, 0] if in_numbers else grid[0, :])
        panels = [by_bytes, figure.add_subplot(grid[0, 1], sharey=by_bytes)] if in_numbers else [by_bytes]
        legend = figure.add_subplot(grid[1, :])
        handles = []
        for place, (label, members) in enumerate(groups.items()):
            marker = _MARKERS[place % len(_MARKERS)]
            look = {"color": _COLOURS[place % len(_COLOURS)], "marker": marker, "ms": _MARKER_SIZES.get(marker, 6.5)}
            members = sorted(members, key=lambda c: c.bytes_after)
            _draw_group(by_bytes, members, [_mebibytes(c) for c in members], look)
            counted = [c for c in members if not _is_counted_in_bytes(c)]
            _draw_group(panels[-1], counted, [_kept_numbers(c) for c in counted], look)
            handles.append(Line2D([], [], ls="none", label=labels.plain(broken(label, 2 * _LEGEND_LETTERS)), **look))
        _finish(figure, panels, scored, in_numbers)
        _draw_legend(legend, scored, handles, columns)
    return figure


def _require_one_protocol(compressions: list[Compression]) -> None:
    first = compressions[0]
    for other in compressions[1:]:
        if (other.model, other.evaluation) != (first.model, first.evaluation):
            raise InputError(
                f"{other.path}: scored otherwise than {first.path} (model {other.model}, {other.evaluation}; "
                f"model {first.model}, {first.evaluation}). Draw them apart."
            )


def _is_counted_in_bytes(compression: Compression) -> bool:
    return any(weight.is_counted_in_bytes for weight in compression.weights.values())


def _mebibytes(compression: Compression) -> float:
    return compression.bytes_after / 2**20


def _kept_numbers(compression: Compression) -> float:
    return compression.parameters_after / compression.parameters_before


def _draw_group(panel, members: list[Compression], kept: list[float], look: dict) -> None:
    if not members:
        return
    after = [drawable(c.perplexity_after) for c in members]
    panel.plot(kept, after, ls="-", lw=0.9, mec="white", mew=0.5, gid="after", zorder=4, **look)
    for c, x, y in zip(members, kept, after):
        if c.perplexity_unhealed is not None:
            panel.plot([x], [drawable(c.perplexity_unhealed)], ls="none", mfc="none", mew=1.2, gid="unhealed", **look)
            panel.annotate("", (x, y), xytext=(x, drawable(c.perplexity_unhealed)), zorder=3,
                           arrowprops={"arrowstyle": "-", "color": look["color"], "lw": 0.8, "ls": ":"})  # fmt: skip


def _finish(figure: Figure, panels, compressions: list[Compression], in_numbers: list[Compression]) -> None:
    first = compressions[0]
    values = [value for c in compressions for value in (c.perplexity_before, c.perplexity_unhealed, c.perplexity_after)]
    scale_perplexity(panels[0], map(drawable, values), drawable(first.perplexity_before))
    panels[0].set_xlabel("kept bytes, indices included (MiB)")
    if in_numbers:
        panels[1].set_xlabel("kept part of the numbers")
        panels[1].tick_params(labelleft=False)
    original = (first.number_bytes * first.parameters_before / 2**20, 1.0)
    for panel, most in zip(panels, original):
        if first.perplexity_before is not None:
            panel.axhline(drawable(first.perplexity_before), color=EXACT, lw=1.4, ls="--", zorder=2, gid="original")
        panel.set_xlim(_limits(panel, most))
        panel.xaxis.set_major_locator(MaxNLocator(7))
        panel.xaxis.set_major_formatter(CompleteNumbers())
    _write_sizes(panels[0], compressions, _mebibytes)
    if in_numbers:
        _write_sizes(panels[1], in_numbers, _kept_numbers)
    title = labels.title(compressions, f"{first.model}: perplexity against size")
    add_frame(figure, title, labels.footer(compressions))


def _write_sizes(panel, compressions: list[Compression], kept) -> None:
    """What was asked for beside each point; once where points with the same words lie close together."""
    written = []
    for c in sorted(compressions, key=lambda c: c.perplexity_after):
        x, y = panel.transData.transform((kept(c), drawable(c.perplexity_after)))
        words = labels.size(c)
        if any(words == w and abs(x - u) < 40 and abs(y - v) < 11 for w, u, v in written):
            continue
        written.append((words, x, y))
        panel.annotate(words, (kept(c), drawable(c.perplexity_after)), xytext=(6, -2.5), textcoords="offset points", fontsize=7,
                       color="0.25", zorder=2.5, bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.5})  # fmt: skip


def _draw_legend(panel, compressions: list[Compression], handles: list[Line2D], columns: int) -> None:
    handles = [Line2D([], [], color=EXACT, lw=1.4, ls="--", label="original"), *handles]
    if any(c.perplexity_unhealed is not None for c in compressions):
        handles.append(Line2D([], [], ls="none", marker="o", ms=6, mfc="none", mec="0.3", label="before healing"))
    panel.axis("off")
    panel.legend(handles=handles, loc="upper left", ncols=columns, columnspacing=1.6, handletextpad=0.5, borderaxespad=0,
                 fontsize=8.5)  # fmt: skip


def _limits(panel, most: float) -> tuple[float, float]:
    drawn = [np.asarray(line.get_xdata(), dtype=float) for line in panel.lines if line.get_gid() == "after"]
    low = min((values.min() for values in drawn), default=0.0)
    high = max([most, *(values.max() for values in drawn)])
    return low - 0.06 * (high - low) - 1e-3 * high, high + 0.09 * (high - low) + 1e-3 * high
