"""Rows of cells as lines for the terminal."""

import numpy as np


def aligned(titles: list[str], rows: list[list[str]], *, left: int = 0) -> str:
    """Columns as wide as they must be, under their titles and a rule; the first `left` of them begin at the left."""
    widths = [max(len(one) for one in column) for column in zip(titles, *rows)]
    lines = [titles, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(_padded(line, widths, left)).rstrip() for line in lines)


def _padded(line: list[str], widths: list[int], left: int) -> list[str]:
    return [f"{one:<{width}}" if column < left else f"{one:>{width}}" for column, (one, width) in enumerate(zip(line, widths))]


def cell(value) -> str:
    """A value as it stands in a table: seven digits of numbers, "-" for what is not there."""
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return "-"
    if isinstance(value, (float, np.floating)):
        return f"{value:.7g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    return str(value)
