"""Figures for notebooks and scripts: what `rankine-postprocess plot` and `plot-sweep` draw, as axes of matplotlib."""

from .labelled import paths_of
from .study import read_study


def plot(files, *, view: str | None = None, observable: str | None = None, step: int | None = None, against: str | None = None,
         overlays: tuple[str, ...] = (), allow_partial: bool = False) -> list:  # fmt: skip
    """The panels that are drawn of one or several files, from the top left; `axes[0].figure` is the figure.

    `files` is a path, what was read from one, or several of them; the rest is as on the command line. Raises InputError.
    """
    from . import plots  # matplotlib takes a second to load

    request = plots.Request(view=view, observable=observable, step=step, against=against, overlays=tuple(overlays),
                            allow_partial=allow_partial)  # fmt: skip
    drawn = plots.draw([str(path) for path in paths_of(files)], request)
    return [axes for axes in drawn.axes if axes.axison and axes.get_label() != "<colorbar>"]


def plot_sweep(sources, *, axes=None, quantity: str | None = None, against: str | None = None, lines: list[str] | None = None,
               over: list[str] | None = None, band: str = "range", log: str | None = None, step: int | None = None):  # fmt: skip
    """The axes with the lines of a sweep, in a figure of their own unless `axes` are given.

    `sources` is a folder of a sweep or of result files, a file, or several of them; the rest is as on the command line. Raises
    InputError.
    """
    from . import study_curves, study_figure  # matplotlib takes a second to load

    study = read_study(paths_of(sources), step=step)
    plan = study_curves.plan(study, quantity=quantity, against=against, apart=lines, over=over, band=study_curves.Band[band.upper()])
    how = {"log_x": None if log is None else "x" in log, "log_y": "y" in (log or "")}
    if axes is None:
        return study_figure.draw(study, plan, **how).axes[0]
    study_figure.draw_on(axes, study, plan, **how)
    return axes
