"""Figure: the loss while compressed weights are trained.

Training teaches a model its text as well, so what healing brings back is seen against a control: a model that lost next
to nothing, trained alike.
"""

import math

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import compression_labels as labels
from .compression import Compression
from .errors import InputError
from .frame import add_frame
from .style import STYLE
from .ticks import CompleteNumbers
from .wording import broken

_LEGEND_LETTERS = 84
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9", "#5B3F8C", "#333333")


def draw(compressions: list[Compression]) -> Figure:
    """The loss of every step and its running mean, file by file. Raises InputError where nothing was healed."""
    healed = [c for c in compressions if c.healing_loss is not None and len(c.healing_loss)]
    if not healed:
        raise InputError("none of the files holds a healing loss. Set heal.steps in their decks.")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 4.4 + 0.4 * len(healed)), layout="constrained")
        panel = figure.subplots()
        control = control_of(healed)
        for label, members in labels.group_by_method(healed).items():
            for c in members:
                colour = _COLOURS[len(panel.get_legend_handles_labels()[0]) % len(_COLOURS)]
                _draw_file(panel, c, broken(f"{label}, {labels.size(c)}{_gain(c, control)}", _LEGEND_LETTERS), colour)
        panel.set_xlabel("step")
        panel.set_ylabel(_quantity(healed), fontsize=10)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.yaxis.set_major_formatter(CompleteNumbers())
        panel.set_xlim(left=0)
        panel.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        footer = labels.footer(healed, _lines(healed))
        add_frame(figure, labels.title(healed, f"{healed[0].model}: healing"), footer)
    return figure


def control_of(compressions: list[Compression]) -> Compression | None:
    """The one that compression cost less than a fifth of what it cost every other, if there is one."""
    scored = [c for c in compressions if None not in (c.perplexity_before, c.perplexity_unhealed, c.perplexity_after)]
    if len(scored) < 2:
        return None
    first, second = sorted(scored, key=_lost)[:2]
    return first if _lost(first) < 0.2 * _lost(second) else None


def recovered_against(control: Compression, compression: Compression) -> float:
    """The part of the loss that compression cost which is gone after both were trained alike."""
    left = math.log(compression.perplexity_after / control.perplexity_after)
    return 1 - left / _lost(compression)


def _lost(compression: Compression) -> float:
    return math.log(compression.perplexity_unhealed / compression.perplexity_before)


def _draw_file(panel, compression: Compression, label: str, colour: str) -> None:
    _draw_held_out(panel, compression, colour)
    loss = compression.healing_loss
    steps = np.arange(1, len(loss) + 1)
    width = _mean_width(compression)
    if width == 1:
        panel.plot(steps, loss, color=colour, lw=1.3, marker="o", ms=3.6, label=labels.plain(label), gid="loss")
        return
    panel.plot(steps, loss, color=colour, lw=0.7, alpha=0.35, gid="loss")
    mean = _running_mean(loss, width)
    panel.plot(steps[width - 1 :], mean, color=colour, lw=1.8, label=labels.plain(label), gid="mean")


def _draw_held_out(panel, compression: Compression, colour: str) -> None:
    losses = compression.healing_held_out_loss
    if losses is None:
        return
    steps = np.arange(len(losses)) * compression.setting("heal.check_every", 20)
    panel.plot(steps, losses, color=colour, lw=1.2, ls="--", marker="s", ms=4, gid="held out")
    best = int(np.argmin(losses))
    panel.plot(steps[best], losses[best], color=colour, marker="s", ms=8, mfc="none", ls="none", gid="best")


def _mean_width(compression: Compression) -> int:
    """Steps to a running mean; 1 where they are so few that each can be seen."""
    return max(1, len(compression.healing_loss) // 15)


def _lines(compressions: list[Compression]) -> str:
    """What the lines of the figure are."""
    is_averaged = {_mean_width(c) > 1 for c in compressions}
    lines = ["points: every step"] if False in is_averaged else []
    lines += ["thin: every step; thick: running mean"] if True in is_averaged else []
    lines += ["squares: held-out windows"] if any(c.healing_held_out_loss is not None for c in compressions) else []
    return "; ".join(lines)


def _running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """The mean of each step and the `width` - 1 before it."""
    return np.convolve(values, np.full(width, 1.0 / width), mode="valid")


def _gain(compression: Compression, control: Compression | None) -> str:
    before, after = compression.perplexity_unhealed, compression.perplexity_after
    if before is None or after is None:
        return ""
    part = f", {100 * compression.recovered:.0f} % of the loss recovered" if compression.recovered is not None else ""
    if control is compression:
        part = ", the control"
    elif control is not None and None not in (compression.perplexity_before, before, after):
        part = f", {100 * recovered_against(control, compression):.0f} % of the loss recovered against the control"
    return f"\nperplexity {before:.4g} to {after:.4g}{part}"


def _quantity(compressions: list[Compression]) -> str:
    kinds = {_loss(c) for c in compressions}
    if kinds == {"next-token"}:
        return "next-token loss on the calibration text (nat)"
    return "divergence from the original (nat)" if kinds == {"distillation"} else "training loss (nat)"


def _loss(compression: Compression) -> str:
    """Decks of rankine-distill say what is to be predicted."""
    if targets := compression.setting("distill.targets"):
        return "distillation" if targets == "teacher" else "next-token"
    return compression.setting("heal.loss", "next-token")
