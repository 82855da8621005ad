"""Figure: what the norm of a truncated kernel tells of the accuracy, one point a layer, cut and kept part of the rank."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import compression_labels, image_labels
from .cut_map import lost_points, study_of
from .frame import add_frame
from .image_result import ImageResult
from .labels import plain
from .style import STYLE

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9", "#5B3F8C")
_MARKERS = "o^sDvP"
_LEAST_NORM_LOSS = 1e-5
_LINEAR_POINTS = 1.0  # percentage points up to which the height is linear


def draw(result: ImageResult) -> Figure:
    """A colour a cut, a marker a fraction, large with an edge where all layers are truncated. Raises InputError."""
    study, lost = study_of(result), lost_points(result)
    norm_loss = np.maximum(study.norm_loss, _LEAST_NORM_LOSS)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 5.6), layout="constrained")
        panel = figure.subplots()
        for c, f in np.ndindex(lost.shape[:2]):
            look = {"color": _COLOURS[c % len(_COLOURS)], "marker": _MARKERS[f % len(_MARKERS)], "ls": "none"}
            panel.plot(norm_loss[c, f, :-1], lost[c, f, :-1], ms=4.5, alpha=0.55, mew=0, gid="layer", **look)
            panel.plot(norm_loss[c, f, -1:], lost[c, f, -1:], ms=10, mec="0.1", mew=1.0, gid="all", zorder=4, **look)
        _finish(panel, result, lost)
        title = compression_labels.title([result], f"{image_labels.network(result)}: lost norm and lost accuracy")
        error = _standard_error(result)
        footer = f"accuracy of the original {100 * result.accuracy_before:.2f} %{error}"
        add_frame(figure, title, f"{footer}\n{compression_labels.footer([result])}")
    return figure


def _standard_error(result: ImageResult) -> str:
    return "" if not result.images else f", one standard error {_points(result):.2g} points"


def _points(result: ImageResult) -> float:
    part = result.accuracy_before
    return 100.0 * float(np.sqrt(part * (1 - part) / result.images))


def _finish(panel, result: ImageResult, lost: np.ndarray) -> None:
    study = result.cuts
    panel.set_xscale("log")
    panel.set_yscale("symlog", linthresh=_LINEAR_POINTS, linscale=0.6)
    low, high = float(np.nanmin(lost)), float(np.nanmax(lost))
    panel.set_ylim(min(-1.0, 1.2 * low), max(10.0, 1.4 * high))
    ticks = [tick for tick in (-5, -2, -1, 0, 1, 2, 5, 10, 20, 50, 100) if panel.get_ylim()[0] <= tick <= panel.get_ylim()[1]]
    panel.set_yticks(ticks, [str(tick).replace("-", "\N{MINUS SIGN}") for tick in ticks])
    panel.minorticks_off()
    panel.axhline(0.0, color="0.5", lw=0.8, zorder=1)
    panel.set_xlabel(r"lost norm, $1 - \|K'\| / \|K\|$ (mean for all layers)")
    panel.set_ylabel("lost accuracy (percentage points)")
    cuts = [Line2D([], [], ls="none", marker="o", ms=6, color=_COLOURS[c % len(_COLOURS)], label=plain(cut))
            for c, cut in enumerate(study.cuts)]  # fmt: skip
    fractions = [Line2D([], [], ls="none", marker=_MARKERS[f % len(_MARKERS)], ms=6, color="0.4",
                        label=f"{100 * fraction:.4g} % of the rank") for f, fraction in enumerate(study.fractions)]  # fmt: skip
    large = Line2D([], [], ls="none", marker="o", ms=9, mfc="0.75", mec="0.1", label="all layers together")
    panel.legend(handles=[*cuts, *fractions, large], loc="center left", bbox_to_anchor=(1.0, 0.5))
