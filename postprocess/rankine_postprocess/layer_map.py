"""Figure: what each weight of a model keeps, as a map over layers and kinds, and spectra kind by kind."""

import matplotlib
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from . import compression_labels as labels
from .compression import Compression, CompressedWeight
from .errors import InputError
from .frame import add_frame
from .style import STYLE

_KIND_COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#5B3F8C", "#D55E00", "#E69F00", "#CC79A7", "#8C6D1F", "#333333")
_MOST_TICKS = 12
_MOST_LAYERS = 10_000
_QUANTILES = np.linspace(0, 1, 200)  # places in a spectrum at which kinds are compared


def draw(compression: Compression) -> Figure:
    """Kept part of every weight, and the spectra where there are any. Raises InputError."""
    weights = list(compression.weights.values())
    if not weights:
        raise InputError(f"{compression.path}: the file holds no compressed weight.")
    if any(weight.parameters_before is None for weight in weights):
        raise InputError(f"{compression.path}: the sizes of the original weights are missing. Run the deck again.")
    layers = 1 + max(labels.place(weight.name)[0] for weight in weights)
    if layers > _MOST_LAYERS:
        raise InputError(f"{compression.path}: a weight of layer {layers - 1} is too much for a figure. Run the deck again.")
    kinds = _kinds(weights)
    has_spectra = any(_has_spectrum(weight) for weight in weights)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.4 if has_spectra else 7.2, min(8.5, 3.9 + 0.15 * layers)), layout="constrained")
        widths = [1, 1.15] if has_spectra else [1]
        panels = figure.subplots(1, len(widths), squeeze=False, gridspec_kw={"width_ratios": widths})[0]
        _draw_map(figure, panels[0], compression, weights, kinds, layers)
        if has_spectra:
            _draw_spectra(panels[1], weights, kinds)
        footer = f"{_outcome(compression)}\n{labels.footer([compression])}"
        add_frame(figure, labels.title([compression], compression.method), footer)
    return figure


def _outcome(compression: Compression) -> str:
    before, after = compression.perplexity_before, compression.perplexity_after
    scores = f" · perplexity {before:.4g} to {after:.4g}" if before is not None and after is not None else ""
    return labels.plain(compression.method) + scores


def _kinds(weights: list[CompressedWeight]) -> list[str]:
    found = dict.fromkeys(labels.place(weight.name)[1] for weight in weights)
    known = [kind for kind in labels.KIND_ORDER if kind in found]
    return known + sorted(kind for kind in found if kind not in known)


def kept_part(compression: Compression, weight: CompressedWeight) -> float:
    """Of the numbers of the original; of its bytes where indices take the room."""
    if weight.is_counted_in_bytes:
        return weight.bytes / (compression.number_bytes * weight.parameters_before)
    return weight.parameters / weight.parameters_before


def _draw_map(figure: Figure, panel, compression: Compression, weights, kinds: list[str], layers: int) -> None:
    table = np.full((layers, len(kinds)), np.nan)
    for weight in weights:
        layer, kind = labels.place(weight.name)
        table[layer, kinds.index(kind)] = kept_part(compression, weight)
    scale = Normalize(0, max(1.0, float(np.nanmax(table))))
    image = panel.imshow(table, aspect="auto", origin="lower", cmap="viridis", norm=scale, gid="kept")
    panel.grid(False)
    panel.set_xticks(range(len(kinds)), kinds)
    panel.set_yticks(range(0, layers, -(-layers // _MOST_TICKS)))
    panel.set_ylabel("layer")
    panel.tick_params(length=0)
    if layers <= 36:
        for (layer, column), value in np.ndenumerate(table):
            if np.isfinite(value):
                dark = scale(value) < 0.6
                panel.text(column, layer, f"{value:.2f}", ha="center", va="center", fontsize=6.5,
                           color="white" if dark else "0.1")  # fmt: skip
    in_bytes = any(weight.is_counted_in_bytes for weight in weights)
    bar = figure.colorbar(image, ax=panel, pad=0.02, aspect=35)
    bar.set_label("kept part of the bytes" if in_bytes else "kept part of the numbers")
    bar.outline.set_linewidth(0.6)


def _has_spectrum(weight: CompressedWeight) -> bool:
    return weight.spectrum is not None and bool(np.isfinite(weight.spectrum).all()) and weight.spectrum[:1].any()


def _draw_spectra(panel, weights, kinds: list[str]) -> None:
    """The median over the layers, quartiles as a band; a point where the median rank cuts."""
    for kind, colour in zip(kinds, _KIND_COLOURS * len(kinds)):
        members = [w for w in weights if labels.place(w.name)[1] == kind and _has_spectrum(w)]
        if not members:
            continue
        curves = np.array([np.interp(_QUANTILES, np.linspace(0, 1, len(w.spectrum)), w.spectrum / w.spectrum[0])
                           for w in members])  # fmt: skip
        floor = curves[curves > 0].min()
        lower, median, upper = np.percentile(np.maximum(curves, floor), [25, 50, 75], axis=0)
        panel.fill_between(_QUANTILES, lower, upper, color=colour, alpha=0.13, lw=0)
        panel.plot(_QUANTILES, median, color=colour, lw=1.5, label=kind, gid="spectrum")
        cut = min(1.0, float(np.median([w.rank / len(w.spectrum) for w in members])))
        panel.plot([cut], [np.interp(cut, _QUANTILES, median)], marker="o", ms=6.5, color=colour, mec="white", mew=0.8,
                   gid="rank", clip_on=False, zorder=5)  # fmt: skip
    panel.set_yscale("log")
    ends = [np.asarray(line.get_ydata())[-6] for line in panel.lines if line.get_gid() == "spectrum"]
    panel.set_ylim(0.3 * min(ends), 1.6)  # the very last values may be rounding
    panel.yaxis.set_major_locator(LogLocator(numticks=8))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.set_xlim(0, 1)
    panel.set_xlabel("component / full rank")
    panel.set_ylabel("singular value $\\sigma_i / \\sigma_0$\nin the norm of method.weighting", fontsize=10)
    panel.legend(ncols=2, loc="lower left", title="median of the layers, quartiles;\npoint: median rank",
                 title_fontsize=8, alignment="left")  # fmt: skip
