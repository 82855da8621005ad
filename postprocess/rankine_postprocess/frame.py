"""The words around the panels of every figure: what it shows above, where the numbers come from below."""

from matplotlib.figure import Figure

from .wording import broken, shortened

_TITLE_LETTERS, _FOOTER_LETTERS = 8.5, 15  # to an inch
_LONGEST_TITLE, _LONGEST_FOOTER = 200, 1500


def add_frame(figure: Figure, title: str, footer: str) -> None:
    width = figure.get_figwidth()
    title = broken(_cut(title, _LONGEST_TITLE), int(_TITLE_LETTERS * width))
    footer = broken(_cut(footer, _LONGEST_FOOTER), int(_FOOTER_LETTERS * width))
    figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold")
    figure.supxlabel(footer, x=0.012, ha="left", fontsize=7.5, color="0.35", linespacing=1.4)


def _cut(text: str, most: int) -> str:
    """A text of the user's that would leave no room for the figure; mathematics is ours and short."""
    return text if "$" in text else shortened(text, most)
