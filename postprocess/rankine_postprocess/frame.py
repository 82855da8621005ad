"""The words around the panels of every figure: what it shows above, where the numbers come from below."""

import textwrap

from matplotlib.figure import Figure

_FOOTER_LETTERS = 15  # to an inch


def add_frame(figure: Figure, title: str, footer: str) -> None:
    figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold")
    figure.supxlabel(_fit(footer, int(_FOOTER_LETTERS * figure.get_figwidth())), x=0.012, ha="left", fontsize=7.5, color="0.35", linespacing=1.4)


def _fit(footer: str, letters: int) -> str:
    """Lines that are too long, broken; not those with mathematics, whose source is longer than what is seen."""
    return "\n".join(line if "$" in line else textwrap.fill(line, letters) for line in footer.split("\n"))
