"""How curves look: fonts, colours that colour-blind readers can tell apart, one style per curve."""

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize, to_rgb

from . import labels
from .curves import Axis, Curve, Setup

MOST_LEGEND_CURVES = 8  # more curves than this are told apart by a colour bar

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.92",
    "grid.linewidth": 0.7,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "mathtext.fontset": "dejavusans",
    "savefig.dpi": 150,
}
# Okabe and Ito's palette without the colours the exact values and the experiment have.
SETUP_COLOURS = ("#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#8C6D1F", "#5B3F8C")
SETUP_LINES = ("-", "--", ":", "-.")
EXACT = "#9A9A9A"
EXPERIMENT = "#D55E00"
_viridis = matplotlib.colormaps["viridis_r"](np.linspace(0.2, 1.0, 256))
SEQUENCE = LinearSegmentedColormap.from_list("chi", _viridis)


@dataclass(frozen=True)
class StyledLine:
    """How a curve is drawn."""

    curve: Curve
    label: str
    colour: tuple
    style: str


def style_lines(found: list[Curve], setups: list[Setup], axis: Axis) -> tuple[list[StyledLine], ScalarMappable | None]:
    """One style per curve, and the scale of the colour bar when the curves are too many for a legend.

    A single setup is swept through a sequence of colours; several have a colour each, lighter at smaller
    bond dimensions. Under a colour bar they differ by line style instead.
    """
    names = labels.curve_labels(found, setups)
    swept = [swept_value(curve, axis) for curve in found]
    several = len(set(swept)) > 1
    scale = None
    if several and len(found) > MOST_LEGEND_CURVES:
        norm = Normalize if isinstance(swept[0], float) else LogNorm
        scale = ScalarMappable(norm(min(swept), max(swept)), SEQUENCE)
    lines = []
    for curve, name, value in zip(found, names, swept):
        place = setups.index(curve.setup)
        rank = sorted(set(swept)).index(value) / max(1, len(set(swept)) - 1) if several else 1.0
        style = "-"
        if scale is not None:
            name, colour, style = (
                labels.plain(curve.setup.label),
                scale.to_rgba(value),
                SETUP_LINES[place % len(SETUP_LINES)],
            )
        elif len(setups) > 1:
            colour = _lighter(SETUP_COLOURS[place % len(SETUP_COLOURS)], 0.65 * (1.0 - rank))
            style = SETUP_LINES[place // len(SETUP_COLOURS) % len(SETUP_LINES)]
        else:
            colour = SEQUENCE(rank) if several else to_rgb(SETUP_COLOURS[0])
        lines.append(StyledLine(curve, name, colour, style))
    return lines, scale


def swept_value(curve: Curve, axis: Axis) -> float | int:
    """What tells the curves of one setup apart: the angle (float) or the bond dimension (int)."""
    angles = np.unique(curve.setup.theta_h)
    by_angle = axis is Axis.BOND_DIMENSION or (axis is Axis.STEP and len(angles) > 1)
    return float(curve.theta_h) if by_angle else curve.bond_dimension


def _lighter(colour: str, towards_white: float) -> tuple:
    return tuple(channel + (1.0 - channel) * towards_white for channel in to_rgb(colour))
