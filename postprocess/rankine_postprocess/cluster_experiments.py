"""Figure: what the shared values of clustered weights matter for, their order or their scale."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from . import compression_labels as labels
from .compression import Compression, Experiments
from .errors import InputError
from .frame import add_frame
from .perplexity_scale import drawable, perplexity, scale_perplexity
from .style import EXACT, STYLE
from .wording import count

_COLOURS = ("#56B4E9", "#0072B2", "#5B3F8C", "#CC79A7", "#D55E00", "#8C6D1F")  # of the numbers of values
_MARKERS = "os^Dv"  # of the numbers of changed layers
_NAMES = {
    "k-means": "as they are",
    "scrambled": "scrambled",
    "scrambled-matched": "scrambled,\nmean and spread\nmatched",
    "redrawn": "redrawn,\nranks kept",
    "redrawn-rescaled": "redrawn,\nranks kept,\nrescaled",
    "redrawn-by-share": "redrawn\nby share,\nrescaled",
}
_LAYER_BY_LAYER = {"layer-by-layer redrawn": "--", "layer-by-layer redrawn-rescaled": "-"}


def draw(compression: Compression) -> Figure:
    """Each change of the values beside the values as they are, and layer by layer. Raises InputError."""
    points = compression.experiments
    if points is None:
        raise InputError(f"{compression.path}: the file holds no experiments. Set experiments.names in its deck.")
    changes = [name for name in _NAMES if name in points.experiment]
    stepwise = [name for name in _LAYER_BY_LAYER if name in points.experiment]
    with matplotlib.rc_context(STYLE):
        widths = [1.1 + 1.05 * len(changes), *([4.6] if stepwise else [])]
        figure = Figure(figsize=(1.6 + sum(widths), 5.6), layout="constrained")
        panels = figure.subplots(1, len(widths), sharey=True, squeeze=False, gridspec_kw={"width_ratios": widths})[0]
        _draw_changes(panels[0], points, changes)
        if stepwise:
            _draw_layer_by_layer(panels[1], points, stepwise)
        _finish(figure, panels, compression)
    return figure


def _draw_changes(panel, points: Experiments, changes: list[str]) -> None:
    values = np.unique(points.clusters)
    layers = [n for n in np.unique(points.layers[np.isin(points.experiment, changes)]) if n > 0]
    for k, clusters in enumerate(values):
        for place, name in enumerate(changes):
            for n, changed in enumerate([0] if name == "k-means" else layers):
                chosen = (points.experiment == name) & (points.clusters == clusters) & (points.layers == changed)
                if not chosen.any():
                    continue
                x = place + 0.68 * ((k + 0.5) / len(values) - 0.5) + 0.09 * (n - 0.5 * (len(layers) - 1))
                drawn = perplexity(points.loss[chosen])
                is_all = name == "k-means" or changed == max(layers)
                panel.plot(np.full(len(drawn), x), drawn, ls="-", lw=0.8, color=_COLOURS[k % len(_COLOURS)],
                           marker="_" if name == "k-means" else _MARKERS[n % len(_MARKERS)],
                           ms=13 if name == "k-means" else 6, mew=2.2 if name == "k-means" else 1.1,
                           mfc=_COLOURS[k % len(_COLOURS)] if is_all else "white", gid=name, zorder=4)  # fmt: skip
    for place in range(1, len(changes)):
        panel.axvline(place - 0.5, color="0.9", lw=0.8, zorder=1)
    panel.set_xticks(range(len(changes)), [_NAMES[name] for name in changes], fontsize=8.5)
    panel.tick_params(axis="x", length=0)
    panel.grid(False, axis="x")
    panel.set_xlim(-0.55, len(changes) - 0.45)
    panel.set_title("values changed, assignments kept", fontsize=10)
    handles = [_symbol("s", _COLOURS[k % len(_COLOURS)], count(clusters, "value")) for k, clusters in enumerate(values)]
    for n, changed in enumerate(layers):
        of_layers = f"last {changed} layers" if changed > 1 else "last layer"
        handles.append(_symbol(_MARKERS[n % len(_MARKERS)], "0.25" if changed == max(layers) else "white", of_layers))
    panel.legend(handles=handles, loc="upper right", ncols=2 if layers else 1, columnspacing=1.0)


def _symbol(marker: str, fill: str, label: str) -> Line2D:
    edge = "0.25" if fill == "white" else fill
    return Line2D([], [], ls="none", marker=marker, ms=6.5, mfc=fill, mec=edge, label=label)


def _draw_layer_by_layer(panel, points: Experiments, stepwise: list[str]) -> None:
    values = np.unique(points.clusters)
    for k, clusters in enumerate(values):
        unchanged = (points.experiment == "k-means") & (points.clusters == clusters)
        for name in stepwise:
            chosen = (points.experiment == name) & (points.clusters == clusters)
            for seed in np.unique(points.seed[chosen]):
                of_seed = chosen & (points.seed == seed)
                order = np.argsort(points.layers[of_seed])
                x = np.concatenate([[0], points.layers[of_seed][order]])
                y = perplexity(np.concatenate([points.loss[unchanged][:1], points.loss[of_seed][order]]))
                panel.plot(x, y, ls=_LAYER_BY_LAYER[name], lw=1.3, marker="o", ms=3.5, gid=name,
                           mfc=_COLOURS[k % len(_COLOURS)] if "rescaled" in name else "white",
                           color=_COLOURS[k % len(_COLOURS)], zorder=3)  # fmt: skip
    panel.set_xlabel("replaced layers, from the last one on")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set_title("redrawn layer by layer", fontsize=10)
    panel.tick_params(labelleft=False)
    texts = {"--": "without correction", "-": "rescaled to mean and spread"}
    panel.legend(handles=[Line2D([], [], ls=_LAYER_BY_LAYER[name], color="0.3", marker="o", ms=3.5,
                                 mfc="0.3" if "rescaled" in name else "white", label=texts[_LAYER_BY_LAYER[name]])
                          for name in stepwise], loc="upper left")  # fmt: skip


def _finish(figure: Figure, panels, compression: Compression) -> None:
    points = compression.experiments
    original = drawable(compression.perplexity_before)
    scale_perplexity(panels[0], [*perplexity(points.loss), original], original, headroom=0.2)
    for panel in panels:
        if original is not None:
            panel.axhline(original, color=EXACT, lw=1.4, ls="--", zorder=2, gid="original")
    if original is not None:
        panels[0].annotate("original", (0.0, original), xycoords=("axes fraction", "data"),
                           xytext=(4, -10), textcoords="offset points", fontsize=8, color="0.4")  # fmt: skip
    for panel in panels[1:]:
        panel.set_ylabel("")
    outliers = count(compression.setting("method.outliers", 0), "outlier")
    seeds = len(np.unique(points.seed[points.seed >= 0]))
    what = f"{outliers} of each matrix kept; {count(seeds, 'draw')} of random numbers"
    title = labels.title([compression], f"{compression.model}: changed values of clustered weights")
    add_frame(figure, title, labels.footer([compression], what))
