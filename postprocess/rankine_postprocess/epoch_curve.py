"""Figure: accuracy on the test images, epoch after epoch of training."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import compression_labels, image_labels
from .errors import InputError
from .frame import add_frame
from .image_result import ImageResult
from .labels import plain
from .style import EXACT, STYLE
from .ticks import CompleteNumbers
from .wording import broken

_LEGEND_LETTERS = 70
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9", "#5B3F8C", "#333333")
_MARKERS = "osD^vP*X"


def draw(results: list[ImageResult]) -> Figure:
    """A curve a file, from before the training on where something was there to train. Raises InputError."""
    trained = [r for r in results if r.epoch is not None and r.epoch.size]
    if not trained:
        raise InputError("none of the files holds the accuracy of an epoch. Set train.epochs in their decks.")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.8, 4.6 + 0.25 * len(trained)), layout="constrained")
        panel = figure.subplots()
        place = 0
        for label, members in image_labels.group_by_method(trained).items():
            for result in members:
                _draw_curve(panel, result, _label(label, result, len(members)), place)
                place += 1
        _draw_originals(panel, trained)
        panel.set_xlabel("epochs of training")
        panel.set_ylabel("accuracy (%)")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.yaxis.set_major_formatter(CompleteNumbers())
        panel.margins(y=0.08)
        panel.set_xlim(left=0)
        panel.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        title = compression_labels.title(trained, f"{image_labels.network(trained[0])}: accuracy after epochs of training")
        add_frame(figure, title, compression_labels.footer(trained))
    return figure


def _label(label: str, result: ImageResult, of_method: int) -> str:
    seed = f", seed {result.setting('train.seed', '?')}" if of_method > 1 and result.is_from_scratch else ""
    return plain(broken(", ".join(filter(None, [label, image_labels.size(result)])) + seed, _LEGEND_LETTERS))


def _draw_curve(panel, result: ImageResult, label: str, place: int) -> None:
    epochs, accuracy = result.epoch, 100.0 * result.epoch_accuracy
    begin = result.accuracy_re_estimated
    if begin is not None:
        epochs, accuracy = np.append(0, epochs), np.append(100.0 * begin, accuracy)
    panel.plot(epochs, accuracy, color=_COLOURS[place % len(_COLOURS)], marker=_MARKERS[place % len(_MARKERS)], ms=5,
               lw=1.5, label=label, gid="accuracy", clip_on=False)  # fmt: skip


def _draw_originals(panel, results: list[ImageResult]) -> None:
    for number, before in enumerate(dict.fromkeys(r.accuracy_before for r in results if r.accuracy_before is not None)):
        panel.axhline(100.0 * before, color=EXACT, lw=1.4, ls="--", label=None if number else "original", gid="original")
