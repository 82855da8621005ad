"""Perplexities on an axis: linear while they are close, and spread over all sizes where they explode."""

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from .ticks import CompleteNumbers

EXPLODED = 4.0  # a ratio of the largest to the least value from which an axis is not linear
_LARGEST_EXPONENT = 100.0  # nat; what is beyond is drawn there
_LINEAR_LOSS = 0.1  # nat above the reference, up to which the axis is linear in the loss
_NICE = (1.0, 3.0, 2.0, 5.0, 1.5, 2.5, 4.0, 7.0, 1.2, 3.5, 6.0, 8.0, 2.2, 2.8)
_TICK_DISTANCE = 0.055  # of the height


def perplexity(loss):
    """The exponential, kept finite."""
    return np.exp(np.minimum(loss, _LARGEST_EXPONENT))


def drawable(perplexity: float | None) -> float | None:
    """A perplexity of a file, which may be infinite, kept finite as `perplexity` does."""
    return None if perplexity is None else min(perplexity, float(np.exp(_LARGEST_EXPONENT)))


def scale_perplexity(panel, values, reference: float | None, headroom: float = 0.05) -> None:
    """Chooses the scale for these values, and readable ticks; `headroom` is the free part above them.

    Where values explode, the height is asinh(d / 0.1) of the loss d above that of `reference` in nat: linear
    close to it, logarithmic in the loss far above. Small and huge losses can both be read off.
    """
    values = np.asarray([value for value in values if value is not None and np.isfinite(value)], dtype=float)
    panel.set_ylabel("perplexity")
    if not values.size:
        return
    low, high = values.min(), values.max()
    if high < EXPLODED * low:
        size = max(high - low, 0.02 * high) / (1 - headroom - 0.06)
        panel.set_ylim(low - 0.06 * size, high + headroom * size)
        panel.yaxis.set_major_locator(MaxNLocator(8))
        panel.yaxis.set_major_formatter(CompleteNumbers())
        return
    origin = np.log(low if reference is None else reference)
    panel.set_ylabel("perplexity (height: asinh of the added loss)")
    panel.set_yscale("function", functions=(lambda p: _height(p, origin), lambda h: _perplexity_at(h, origin)))
    bottom, top = _height(np.array([low, high]), origin)
    size = (top - bottom) / (1 - headroom - 0.06)
    bottom, top = bottom - 0.06 * size, top + headroom * size
    panel.set_ylim(*_perplexity_at(np.array([bottom, top]), origin))
    panel.yaxis.set_major_locator(FixedLocator(_ticks(origin, bottom, top)))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _height(value, origin: float):
    return np.arcsinh((np.log(np.maximum(value, 1e-300)) - origin) / _LINEAR_LOSS)


def _perplexity_at(height, origin: float):
    loss = origin + _LINEAR_LOSS * np.sinh(np.clip(height, -9.0, 9.0))
    return np.exp(np.clip(loss, -600.0, 600.0))


def _ticks(origin: float, bottom: float, top: float) -> list[float]:
    """Round numbers, the roundest first, as long as they keep their distance."""
    low, high = np.log10(_perplexity_at(np.array([bottom, top]), origin))
    exponents = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    candidates = [*(factor * 10.0**exponent for factor in _NICE for exponent in exponents)]
    taken: list[float] = []
    for value in candidates:
        place = (_height(value, origin) - bottom) / (top - bottom)
        others = [(_height(other, origin) - bottom) / (top - bottom) for other in taken]
        if 0 <= place <= 1 and all(abs(place - other) >= _TICK_DISTANCE for other in others):
            taken.append(value)
    return sorted(taken)


def _short(value: float) -> str:
    if value < 1e4:
        return f"{value:g}"
    exponent = int(np.floor(np.log10(value) + 1e-9))
    factor = value / 10.0**exponent
    return rf"$10^{{{exponent}}}$" if abs(factor - 1) < 1e-6 else rf"${factor:g}\times10^{{{exponent}}}$"
