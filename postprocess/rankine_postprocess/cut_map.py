"""Figure: where a network bears truncation, the lost accuracy as heat maps over layers and cuts."""

import matplotlib
import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from . import compression_labels, image_labels
from .errors import InputError
from .frame import add_frame
from .image_result import CutStudy, ImageResult
from .style import STYLE

_MOST_TEXTS = 40  # rows whose cells still have room for a number
_MOST_ROWS = 10_000
_TICKS = (0, 1, 5, 10, 20, 30, 40, 60, 80)


def study_of(result: ImageResult) -> CutStudy:
    """The study of a file. Raises InputError where there is none, or nothing to compare it with."""
    if result.cuts is None or not result.cuts.accuracy.size or not np.isfinite(result.cuts.accuracy).any():
        raise InputError(f"{result.path}: the file holds no study of cuts. Set sensitivity.cuts in its deck.")
    if result.accuracy_before is None:
        raise InputError(f"{result.path}: the accuracy of the original network is missing.")
    if len(result.cuts.layers) > _MOST_ROWS:
        raise InputError(f"{result.path}: {len(result.cuts.layers)} layers are too many for a figure.")
    return result.cuts


def lost_points(result: ImageResult) -> np.ndarray:
    """Accuracy that truncation costs, in percentage points: cuts x fractions x layers."""
    return 100.0 * (result.accuracy_before - result.cuts.accuracy)


def draw(result: ImageResult) -> Figure:
    """One map for each kept part of the rank; its top row is all layers together. Raises InputError."""
    study = study_of(result)
    lost = lost_points(result)
    scale = PowerNorm(0.5, 0.0, max(5.0, float(np.nanmax(lost))), clip=True)
    rows, columns = len(study.layers), len(study.cuts)
    order = np.argsort(-study.fractions)
    with matplotlib.rc_context(STYLE):
        width = 2.4 + len(order) * (0.4 + 0.56 * columns)
        figure = Figure(figsize=(min(16.0, max(7.6, width)), min(12.0, 3.0 + 0.24 * max(rows, 6))), layout="constrained")
        panels = figure.subplots(1, len(order), sharey=True, squeeze=False)[0]
        for panel, fraction in zip(panels, order):
            image = _draw_map(panel, study, lost[:, fraction, :].T, scale)
            panel.set_title(f"{100 * study.fractions[fraction]:.4g} % of the rank kept", fontsize=11)
        _name_rows(panels[0], study)
        bar = figure.colorbar(image, ax=list(panels), pad=0.015, aspect=35)
        bar.set_label("lost accuracy (percentage points)")
        bar.set_ticks([tick for tick in _TICKS if tick <= scale.vmax])
        bar.outline.set_linewidth(0.6)
        title = compression_labels.title([result], f"{image_labels.network(result)}: accuracy lost to cuts")
        add_frame(figure, title, f"accuracy of the original {100 * result.accuracy_before:.2f} %\n"
                                 f"{compression_labels.footer([result])}")  # fmt: skip
    return figure


def _draw_map(panel, study: CutStudy, table: np.ndarray, scale: PowerNorm):
    image = panel.imshow(table, aspect="auto", origin="lower", cmap="magma_r", norm=scale, gid="lost")
    panel.grid(False)
    panel.tick_params(length=0)
    panel.set_xticks(range(len(study.cuts)), [compression_labels.plain(cut) for cut in study.cuts], fontsize=8.5, rotation=45)
    if len(study.layers) > 1:
        panel.axhline(len(study.layers) - 1.5, color="white", lw=3)
    if len(study.layers) <= _MOST_TEXTS:
        for (row, column), value in np.ndenumerate(table):
            if np.isfinite(value):
                panel.text(column, row, _short(value), ha="center", va="center", fontsize=7.5,
                           color="white" if scale(value) > 0.55 else "0.1")  # fmt: skip
    return image


def _short(points: float) -> str:
    text = f"{points:.1f}" if abs(points) < 9.95 else f"{points:.0f}"
    return "0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def _name_rows(panel, study: CutStudy) -> None:
    last = len(study.layers) - 1
    every = max(1, -(-last // 60))
    rows = [*range(0, last, every), last]
    names = [*image_labels.short_layers(study.layers[:last]), "all together"]
    panel.set_yticks(rows, [names[row] for row in rows], fontsize=8 if last <= _MOST_TEXTS else 5.5)
