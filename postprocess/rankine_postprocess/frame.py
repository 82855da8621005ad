"""The words around the panels of every figure: what it shows above, where the numbers come from below."""

from matplotlib.figure import Figure


def add_frame(figure: Figure, title: str, footer: str) -> None:
    figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold")
    figure.supxlabel(footer, x=0.012, ha="left", fontsize=7.5, color="0.35", linespacing=1.4)
