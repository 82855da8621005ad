"""Numbers at an axis, each complete: no factor or offset for all of them in a corner, where legends are."""

from matplotlib.ticker import Formatter

_FEWEST_DIGITS, _MOST_DIGITS = 4, 17
_ROUNDING = 1e-3  # of the distance of two ticks


class CompleteNumbers(Formatter):
    """As few digits as tell the ticks apart, the same for all of them."""

    def __call__(self, value: float, position: int | None = None) -> str:
        return self.format_ticks([value])[0]

    def format_ticks(self, values) -> list[str]:
        size = max((abs(value) for value in values), default=0.0)
        values = [0.0 if abs(value) < 1e-12 * size else value for value in values]  # rounding of the locator
        for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1):
            exact = all(abs(float(f"{value:.{digits}g}") - value) <= _ROUNDING * _least_gap(values) for value in values)
            if exact or digits == _MOST_DIGITS:
                return _aligned([f"{value:.{digits}g}" for value in values])
        return []


def _least_gap(values: list[float]) -> float:
    ordered = sorted(set(values))
    return min((b - a for a, b in zip(ordered, ordered[1:])), default=abs(ordered[0]) if ordered else 0.0)


def _aligned(texts: list[str]) -> list[str]:
    """With the same number of decimal places; minus signs as long as a plus sign."""
    if not any("e" in text for text in texts):
        places = max((len(text.partition(".")[2]) for text in texts), default=0)
        texts = [f"{float(text):.{places}f}" for text in texts]
    return [text.replace("-", "\N{MINUS SIGN}") for text in texts]
