"""Legends and the colour bar, all outside the axes."""

import re

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from . import labels
from .curves import Axis
from .style import StyledLine, swept_value

_LEGEND_WIDTH = 100  # characters, counting seven for a handle and the gap


def add_legends(panels, lines: list[StyledLine]) -> None:
    """Two legends above the upper panel, clear of all data: simulations, and below them what they are held against."""
    told_by_colour_bar = len(lines) > 1 and len({line.label for line in lines}) == 1
    simulations = {} if told_by_colour_bar else _entries(panels, "simulation")
    height = _stack_legend(panels[0], _entries(panels, "all others"), above=0.0)
    _stack_legend(panels[0], simulations, above=height)


def _entries(panels, which: str) -> dict[str, object]:
    """Label -> handle; equal labels appear once."""
    entries = {}
    for panel in panels:
        for handle, name in zip(*panel.get_legend_handles_labels()):
            if (handle.get_gid() == "simulation") == (which == "simulation"):
                entries.setdefault(name, handle)
    return entries


def _stack_legend(panel, entries: dict[str, object], above: float) -> float:
    """Places a legend `above` points over the panel; returns the height in points to its upper edge."""
    if not entries:
        return above
    columns = _legend_columns(list(entries))
    rise = ScaledTranslation(-4.0 / 72.0, above / 72.0, panel.figure.dpi_scale_trans)
    legend = Legend(panel, list(entries.values()), list(entries), loc="lower left", bbox_to_anchor=(0.0, 1.0),
                    bbox_transform=panel.transAxes + rise, ncol=columns, columnspacing=1.2, handlelength=1.8,
                    borderaxespad=0.2)  # fmt: skip
    panel.add_artist(legend)
    legend.set_clip_on(False)  # else the layout leaves no room for it
    return above + 15.5 * -(-len(entries) // columns)


def _legend_columns(names: list[str]) -> int:
    """One row if all fit the width of the figure, else as many columns of the longest as do."""
    widths = [len(re.sub(r"\\[a-z]+", "x", name).replace("$", "")) + 7 for name in names]
    return len(names) if sum(widths) <= _LEGEND_WIDTH else max(1, _LEGEND_WIDTH // max(widths))


def add_colour_bar(figure: Figure, panels, scale: ScalarMappable, lines: list[StyledLine], axis: Axis) -> None:
    by_angle = isinstance(swept_value(lines[0].curve, axis), float)
    bar = figure.colorbar(scale, ax=list(panels), pad=0.02, fraction=0.045, aspect=35)
    bar.set_label(r"$\theta_h$ (rad)" if by_angle else r"max bond dimension $\chi$")
    bar.outline.set_linewidth(0.6)
    if by_angle:
        bar.locator = MultipleLocator(np.pi / 16) if np.ptp(scale.get_clim()) > np.pi / 8 else MaxNLocator(6)
        bar.formatter = FuncFormatter(lambda value, _: f"${labels.angle(value)}$")
    else:
        bar.locator = FixedLocator(sorted({line.curve.bond_dimension for line in lines}))
        bar.minorlocator = NullLocator()
        bar.formatter = FuncFormatter(lambda value, _: f"{value:.0f}")
    bar.update_ticks()
