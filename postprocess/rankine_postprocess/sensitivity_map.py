"""Figure: how much each layer and each kind of matrix matters, perplexity against bond dimension as heat maps."""

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from . import compression_labels as labels
from .compression import Compression, Sensitivity
from .errors import InputError
from .frame import add_frame
from .style import STYLE

_FLOOR = 1e-3  # relative increase below which nothing is told apart: the noise of the windows
_LARGEST = 1e6  # relative increase above which nothing is told apart
_MOST_TEXTS = 36  # rows whose cells still have room for their perplexity
_TITLES = {"layer": "one layer at a time", "kind": "one kind of matrix at a time", "weight": "one weight at a time"}


def draw(compression: Compression) -> Figure:
    """One panel for each way the weights are grouped. Raises InputError."""
    profile = compression.sensitivity
    if profile is None or not np.isfinite(profile.perplexity).any():
        raise InputError(f"{compression.path}: the file holds no sensitivity profile.")
    if compression.perplexity_before is None:
        raise InputError(f"{compression.path}: the perplexity of the original model is missing.")
    ways = list(dict.fromkeys(profile.grouped_by))
    increase = np.clip(profile.perplexity / compression.perplexity_before - 1, _FLOOR, _LARGEST)
    least = float(np.nanmin(increase))
    scale = LogNorm(least, max(10 * least, float(np.nanmax(increase))))
    with matplotlib.rc_context(STYLE):
        rows = max(profile.grouped_by.count(way) for way in ways)
        width = 1.6 + len(ways) * (1.6 + 0.62 * len(profile.bond_dimensions))
        figure = Figure(figsize=(max(7.2, width), min(11.0, 2.6 + 0.2 * max(rows, 12))), layout="constrained")
        panels = figure.subplots(1, len(ways), squeeze=False)[0]
        for panel, way in zip(panels, ways):
            image = _draw_map(panel, profile, way, increase, scale)
        _add_bar(figure, panels, image)
        words = f"{labels.plain(compression.method)}\nperplexity of the original {compression.perplexity_before:.4g}"
        add_frame(figure, labels.title([compression], "Sensitivity profile"), f"{words}\n{labels.footer([compression])}")
    return figure


def _draw_map(panel, profile: Sensitivity, way: str, increase: np.ndarray, scale: LogNorm):
    chosen = [row for row, other in enumerate(profile.grouped_by) if other == way]
    columns = np.argsort(profile.bond_dimensions)
    table, values = increase[np.ix_(chosen, columns)], profile.perplexity[np.ix_(chosen, columns)]
    image = panel.imshow(table, aspect="auto", origin="lower", cmap="magma_r", norm=scale, gid=way)
    panel.grid(False)
    panel.tick_params(length=0)
    panel.set_title(_TITLES.get(way, way), fontsize=10)
    panel.set_xlabel(r"bond dimension $\chi$")
    panel.set_xticks(range(len(columns)), [f"{profile.bond_dimensions[c]}" for c in columns])
    every = max(1, -(-len(chosen) // _MOST_TEXTS))
    names = [_row_label(profile.groups[row], way) for row in chosen]
    panel.set_yticks(range(0, len(chosen), every), names[::every], fontsize=8)
    if way == "layer":
        panel.set_ylabel("layer")
    if len(chosen) <= _MOST_TEXTS:
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                dark = scale(table[row, column]) > 0.5
                panel.text(column, row, _short(value), ha="center", va="center", fontsize=6.5,
                           color="white" if dark else "0.1")  # fmt: skip
    return image


def _row_label(group: str, way: str) -> str:
    if way == "layer":
        return labels.plain(group.removeprefix("layer "))
    if way == "kind":
        return labels.place(f"0.{group}")[1]
    layer, kind = labels.place(group)
    return f"{layer} {kind}"


def _short(perplexity: float) -> str:
    """Four digits where they fit."""
    return f"{perplexity:.4g}" if perplexity < 9999 else f"{perplexity:.1e}".replace("e+0", "e").replace("e+", "e")


def _add_bar(figure: Figure, panels, image) -> None:
    bar = figure.colorbar(image, ax=list(panels), pad=0.02, aspect=35)
    bar.set_label("perplexity / that of the original − 1\n(numbers in the cells: perplexity)")
    bar.ax.yaxis.set_major_locator(LogLocator(numticks=12))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    bar.outline.set_linewidth(0.6)


def _power(value: float) -> str:
    return f"{value:g}" if value < 1e4 else rf"$10^{{{round(np.log10(value))}}}$"
