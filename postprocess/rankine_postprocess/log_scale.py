"""Perplexities and losses on axes: linear while they are close, logarithmic where they explode."""

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

EXPLODED = 20.0  # a ratio of the largest to the least value from which an axis is logarithmic
_LARGEST_EXPONENT = 100.0  # nat; what is beyond is drawn there


def perplexity(loss):
    """The exponential, kept finite."""
    return np.exp(np.minimum(loss, _LARGEST_EXPONENT))


def scale_perplexity(panel, values) -> None:
    """Chooses the scale for these values, and readable ticks."""
    values = np.asarray([value for value in values if value is not None and np.isfinite(value)], dtype=float)
    low, high = values.min(), values.max()
    panel.set_ylabel("perplexity")
    if high < EXPLODED * low:
        margin = 0.08 * max(high - low, 0.02 * high)
        panel.set_ylim(low - margin, high + margin)
        panel.yaxis.set_major_locator(MaxNLocator(8))
        return
    decades = np.log10(high / low)
    panel.set_yscale("log")
    panel.set_ylim(low / 10 ** (0.05 * decades), high * 10 ** (0.07 * decades))
    subs = (1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)
    panel.yaxis.set_major_locator(LogLocator(subs=subs, numticks=10))
    panel.yaxis.set_minor_locator(NullLocator() if decades > 12 else LogLocator(subs="auto", numticks=60))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    return f"{value:g}" if value < 1e4 else rf"$10^{{{round(np.log10(value))}}}$"
