"""Two image networks on the same test images: the difference of their accuracies and how sure it is."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from . import image_labels
from .errors import InputError
from .image_result import ImageResult
from .wording import count

_QUANTILE = 1.959963984540054  # of the normal distribution, for 95 %


@dataclass(frozen=True)
class PairedComparison:
    """The second less the first."""

    first: ImageResult
    second: ImageResult
    images: int
    first_right: int
    only_first: int  # images whose class the first finds and the second does not
    only_second: int

    @property
    def second_right(self) -> int:
        return self.first_right - self.only_first + self.only_second

    @property
    def difference(self) -> float:
        return (self.only_second - self.only_first) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """Agresti and Min (2005): half an image more in each of the four cells, then the normal interval of 95 %."""
        n = self.images + 2
        first, second = self.only_first + 0.5, self.only_second + 0.5
        difference = (second - first) / n
        reach = _QUANTILE * sqrt((first + second) / n - difference**2) / sqrt(n)
        return max(-1.0, difference - reach), min(1.0, difference + reach)

    @property
    def p_value(self) -> float:
        """Two-sided, exact: how often fair coins would fall as unevenly (McNemar)."""
        coins, heads = self.only_first + self.only_second, min(self.only_first, self.only_second)
        ways, term = 0, 1
        for k in range(heads + 1):
            ways += term
            term = term * (coins - k) // (k + 1)
        return min(1.0, 2 * ways / 2**coins)


def compare(first: ImageResult, second: ImageResult) -> PairedComparison:
    """Raises InputError for files without predictions, or of other test images."""
    for result in (first, second):
        if result.predictions is None or not result.predictions.size:
            raise InputError(f"{result.path}: the file holds no predictions of test images.")
    if not np.array_equal(first.labels, second.labels):
        raise InputError(
            f"{second.path}: scored on other test images than {first.path} ({_images(second)}; {_images(first)}). "
            "Give files of the same test images in the same order."
        )
    is_first, is_second = first.predictions == first.labels, second.predictions == second.labels
    return PairedComparison(
        first=first,
        second=second,
        images=len(first.labels),
        first_right=int(is_first.sum()),
        only_first=int((is_first & ~is_second).sum()),
        only_second=int((is_second & ~is_first).sum()),
    )


def _images(result: ImageResult) -> str:
    return count(len(result.labels), "test image")


def report(found: PairedComparison) -> str:
    """As text: both accuracies, the images that tell them apart, the difference."""
    low, high = found.interval
    rows = [
        ("first", f"{found.first.path}: {image_labels.described(found.first)}"),
        ("second", f"{found.second.path}: {image_labels.described(found.second)}"),
        ("accuracy of the first", f"{100 * found.first_right / found.images:.2f} %, {_images(found.first)}"),
        ("accuracy of the second", f"{100 * found.second_right / found.images:.2f} %"),
        ("only the first is right", count(found.only_first, "image")),
        ("only the second is right", count(found.only_second, "image")),
        ("second less first", f"{100 * found.difference:+.2f} points ({100 * low:+.2f} to {100 * high:+.2f})"),
        ("p-value", f"{found.p_value:.3g}"),
    ]
    notes = "interval of 95 % on paired images after Agresti and Min; p-value of McNemar's exact test"
    return "\n".join([*(f"{name:<24} {text}" for name, text in rows), notes])
