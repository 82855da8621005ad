"""Figures for notebooks and scripts: what `rankine-postprocess plot` draws, as axes of matplotlib."""

from .labelled import paths_of


def plot(files, *, view: str | None = None, observable: str | None = None, step: int | None = None, against: str | None = None,
         overlays: tuple[str, ...] = (), allow_partial: bool = False) -> list:  # fmt: skip
    """The panels that are drawn of one or several files, from the top left; `axes[0].figure` is the figure.

    `files` is a path, what was read from one, or several of them; the rest is as on the command line. Raises InputError.
    """
    from . import plots  # matplotlib takes a second to load

    request = plots.Request(view=view, observable=observable, step=step, against=against, overlays=tuple(overlays),
                            allow_partial=allow_partial)  # fmt: skip
    return [axes for axes in plots.draw([str(path) for path in paths_of(files)], request).axes if axes.axison and axes.get_label() != "<colorbar>"]
