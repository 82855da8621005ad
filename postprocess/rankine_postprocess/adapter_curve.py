"""Figure: perplexity of adapted models against the block dimension and the numbers of the adapter, seeds as a band."""

from collections.abc import Callable

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from . import compression_labels as labels
from .compression import Compression
from .errors import InputError
from .frame import add_frame
from .perplexity_scale import drawable, scale_perplexity
from .style import EXACT, STYLE
from .wording import broken, shortened

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9", "#5B3F8C", "#333333")
_MARKERS = "osD^vP*X"
_LETTERS = 100  # to a line of the legend
_VARIED = {"block", "rank", "seed", "directory"}  # keywords of [adapter] that do not make another line


def draw(compressions: list[Compression]) -> Figure:
    """A line for each model and kind of adapter. Raises InputError for scores that cannot be compared."""
    adapted = [c for c in compressions if c.adapter is not None and c.perplexity_after is not None]
    if not adapted:
        raise InputError("none of the files has the perplexity of a model with an adapter. Set adapter.kind and evaluate.text.")
    for other in adapted[1:]:
        if other.evaluation != adapted[0].evaluation:
            raise InputError(f"{other.path}: scored otherwise than {adapted[0].path} ({other.evaluation}; "
                             f"{adapted[0].evaluation}). Draw them apart.")  # fmt: skip
    groups = labels.group_by(adapted, _name, _settings)
    with matplotlib.rc_context(STYLE):
        legend_height = 0.4 + 0.21 * (len(groups) + 2)
        figure = Figure(figsize=(10.4, 4.6 + legend_height), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=[4.6, legend_height])
        by_block = figure.add_subplot(grid[0, 0])
        by_numbers = figure.add_subplot(grid[0, 1], sharey=by_block)
        handles = [Line2D([], [], color=EXACT, lw=1.4, ls="--", label="original")]
        for place, (label, members) in enumerate(groups.items()):
            look = {"color": _COLOURS[place % len(_COLOURS)], "marker": _MARKERS[place % len(_MARKERS)], "ms": 6}
            _draw_group(by_block, members, lambda c: c.adapter.block, look)
            _draw_group(by_numbers, members, lambda c: c.adapter.numbers or None, look)
            handles.append(Line2D([], [], label=labels.plain(broken(label, _LETTERS)), **look))
        handles.append(Line2D([], [], color="0.3", lw=1.0, ls=":", label="the same without adapter"))
        _finish(by_block, by_numbers, adapted)
        legend = figure.add_subplot(grid[1, :])
        legend.axis("off")
        legend.legend(handles=handles, loc="upper left", borderaxespad=0, fontsize=8.5)
        add_frame(figure, labels.title(adapted, "Perplexity with adapters"), labels.footer(adapted))
    return figure


def _name(compression: Compression) -> str:
    """The model, how it was compressed in this run if it was, and the adapter."""
    adapter = compression.adapter
    base = [labels.method(compression), labels.size(compression)] if compression.weights else [compression.model]
    parts = [*base, adapter.kind, adapter.side, f"{adapter.layers} layers" if (adapter.layers or 1) > 1 else None]
    return ", ".join(shortened(part) for part in parts if part)


def _settings(compression: Compression) -> dict[str, str]:
    found = labels.settings(compression) if compression.weights else {}
    for keyword, value in compression.deck.get("adapter", {}).items():
        if keyword not in _VARIED:
            found[f"adapter.{keyword}"] = str(value)
    if compression.weights:
        found["ranks.size"] = labels.size(compression)
    return found | {"model.model": compression.model}


def _draw_group(panel, members: list[Compression], place: Callable[[Compression], int | None], look: dict) -> None:
    """The mean over files at the same place, with the least and the largest as a band."""
    found: dict[int, list[float]] = {}
    for c in members:
        if (x := place(c)) is not None:
            found.setdefault(x, []).append(drawable(c.perplexity_after))
    if not found:
        return
    xs = sorted(found)
    panel.plot(xs, [np.mean(found[x]) for x in xs], lw=1.2, mec="white", mew=0.5, gid="adapted", zorder=4, **look)
    if any(len(values) > 1 for values in found.values()):
        low, high = ([limit(found[x]) for x in xs] for limit in (min, max))
        panel.fill_between(xs, low, high, color=look["color"], alpha=0.2, lw=0, gid="seeds", zorder=3)
    unadapted = [drawable(c.adapter.perplexity_unadapted) for c in members if c.adapter.perplexity_unadapted is not None]
    if unadapted:
        panel.axhline(np.mean(unadapted), color=look["color"], lw=1.0, ls=":", gid="unadapted", zorder=2)


def _finish(by_block, by_numbers, adapted: list[Compression]) -> None:
    before = [drawable(c.perplexity_before) for c in adapted if c.perplexity_before is not None]
    unadapted = [drawable(c.adapter.perplexity_unadapted) for c in adapted]
    original = min(before, default=None)
    scale_perplexity(by_block, [*before, *unadapted, *(drawable(c.perplexity_after) for c in adapted)], original)
    for panel in (by_block, by_numbers):
        if original is not None:
            panel.axhline(original, color=EXACT, lw=1.4, ls="--", gid="original", zorder=2)
    by_block.set_xlabel("block dimension")
    by_block.set_xscale("log", base=2)
    blocks = sorted({c.adapter.block for c in adapted if c.adapter.block})
    by_block.xaxis.set_major_locator(FixedLocator(blocks or [1]))
    by_block.xaxis.set_minor_locator(NullLocator())
    by_block.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    by_numbers.set_xlabel("numbers of the adapter")
    by_numbers.set_xscale("log")
    by_numbers.xaxis.set_major_locator(LogLocator(numticks=8))
    by_numbers.tick_params(labelleft=False)
