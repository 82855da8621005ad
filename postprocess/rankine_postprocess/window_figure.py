"""Figure: the loss of language models on each window of a text."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .errors import InputError
from .frame import add_frame
from .labels import plain
from .style import SETUP_COLOURS, STYLE
from .ticks import CompleteNumbers
from .window_scores import WindowScores
from .wording import shortened

_LONGEST = 46


def draw(scores: list[WindowScores]) -> Figure:
    """A line a file with its mean dashed, and below the divergence from a reference model where files have it."""
    if not any(np.isfinite(one.loss).any() for one in scores):
        raise InputError(f"{scores[0].path}: the file holds nothing to draw yet.")
    compared = [one for one in scores if one.divergence is not None and np.isfinite(one.divergence).any()]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 4.6 + 0.25 * len(scores) + 2.2 * bool(compared)), layout="constrained")
        panels = figure.subplots(1 + bool(compared), 1, sharex=True, squeeze=False)[:, 0]
        for number, one in enumerate(scores):
            _draw_file(panels[0], one, SETUP_COLOURS[number % len(SETUP_COLOURS)])
            if one.divergence is not None and len(panels) > 1:
                panels[1].plot(one.divergence, color=SETUP_COLOURS[number % len(SETUP_COLOURS)], lw=1.1, gid="divergence")
        panels[0].set_ylabel("loss (nat a token)")
        panels[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        if len(panels) > 1:
            panels[1].set_ylabel("divergence (nat a token)")
        for panel in panels:
            panel.yaxis.set_major_formatter(CompleteNumbers())
        panels[-1].set_xlabel("window")
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        add_frame(figure, _title(scores), _footer(scores))
    return figure


def _draw_file(panel, one: WindowScores, colour: str) -> None:
    name = f"{one.path.stem}: " if one.path.stem else ""
    label = plain(shortened(f"{name}{one.model}", _LONGEST)) + f", perplexity {one.perplexity:.6g}"
    marker = {"marker": "o", "ms": 3.2} if len(one.loss) <= 64 else {}
    panel.plot(one.loss, color=colour, lw=1.1, label=label, gid="loss", **marker)
    panel.axhline(one.mean_loss, color=colour, lw=1.0, ls="--", gid="mean")


def _title(scores: list[WindowScores]) -> str:
    titles = {one.title for one in scores}
    return plain(titles.pop()) if len(titles) == 1 and scores[0].title else "Loss on each window"


def _footer(scores: list[WindowScores]) -> str:
    texts = dict.fromkeys(one.protocol for one in scores if one.protocol)
    return "; ".join([*map(plain, texts), "dashed: mean over the scored tokens"])
