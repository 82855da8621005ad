"""Figure: the feature error of every slice, epoch after epoch of its training."""

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from . import distill_labels as labels
from .distillation import DIVERGED, Distillation
from .errors import InputError
from .frame import add_frame
from .slice_errors import beyond, drawable_errors, require_slices, scale_errors
from .style import SEQUENCE, STYLE

_MOST_NAMES = 30


def draw(result: Distillation) -> Figure:
    """A line a slice, from its fit on. Raises InputError."""
    require_slices(result)
    trained = [one for one in result.slices if one.errors.size]
    if not trained:
        raise InputError(f"{result.path}: no slice has the feature error of an epoch (distill.mode is '{result.mode}').")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 5.6), layout="constrained")
        panel = figure.subplots()
        scale = ScalarMappable(Normalize(0, max(1, len(trained) - 1)), SEQUENCE)
        for place, one in enumerate(trained):
            errors = drawable_errors(result, np.append(one.error_fit, one.errors))
            look = {"ls": ":", "lw": 1.6} if one.outcome == DIVERGED else {"lw": 1.2}
            panel.plot(range(len(errors)), errors, color=scale.to_rgba(place), marker=".", ms=5, gid="slice", **look)
        has_one = scale_errors(panel)
        panel.set_ylabel("feature error on samples not trained on")
        panel.set_xlabel("epochs of training (0: the fit)")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set_xlim(left=0)
        _name_colours(figure, panel, scale, labels.short_names([one.name for one in trained]))
        title = labels.title([result], f"{labels.network(result)}: training of its slices, {labels.size(result)}")
        notes = ["dashed: means of the channels" if has_one else "",
                 "dotted: diverged" if any(one.outcome == DIVERGED for one in trained) else "",
                 beyond(np.concatenate([one.errors for one in trained]))]  # fmt: skip
        add_frame(figure, title, "\n".join(filter(None, [" · ".join(filter(None, notes)), labels.footer([result])])))
    return figure


def _name_colours(figure: Figure, panel, scale: ScalarMappable, names: list[str]) -> None:
    bar = figure.colorbar(scale, ax=panel, pad=0.02, fraction=0.05, aspect=32)
    bar.set_label("slice, in the order of the network")
    places = list(range(0, len(names), -(-len(names) // _MOST_NAMES)))
    bar.locator = FixedLocator(places)
    bar.formatter = FuncFormatter(lambda value, _: names[round(value)] if 0 <= round(value) < len(names) else "")
    bar.update_ticks()
    bar.ax.tick_params(labelsize=7.5, length=0)
    bar.ax.invert_yaxis()
    bar.outline.set_linewidth(0.6)
