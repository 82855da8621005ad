"""Figure of any benchmark file but those with a figure of their own: times and rates, a bar a measurement."""

from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from .errors import InputError
from .frame import add_frame
from .labels import plain
from .result import RESULTS, Dataset, Result, made_of_result
from .style import SETUP_COLOURS, STYLE
from .ticks import CompleteNumbers
from .wording import count, shortened

_DRAWN = {"s": "seconds", "1/s": "images or tokens a second"}  # unit -> label of its axis
_FOLLOWS = {"multiply_adds", "peak_resident_bytes"}  # from what was measured
_LONGEST, _MOST_BARS = 40, 120
_WIDE = 30.0  # ratio of the longest bar to the shortest from which the scale is logarithmic
_INCH = 0.17  # height of a bar


@dataclass
class Panel:
    """Columns of one unit of one table."""

    unit: str
    rows: list[str] = field(default_factory=list)  # what was measured
    columns: dict[str, list[float]] = field(default_factory=dict)


def draw(files: list[str], *, allow_partial: bool = False) -> Figure:
    """A panel a table and unit; rows of several files stand below each other. Raises InputError."""
    found = [made_of_result(file, _panels, allow_partial=allow_partial) for file in files]
    panels = _merged([(Path(file).stem if len(files) > 1 else "", one) for file, one in zip(files, found)])
    if not panels:
        raise InputError(f"{files[0]}: the file holds no measurements.")
    bars = [len(panel.rows) * len(panel.columns) for panel in panels.values()]
    if max(bars) > _MOST_BARS:
        raise InputError(f"{files[0]}: {max(bars)} bars are too many for a figure (at most {_MOST_BARS}). Draw fewer files.")
    with matplotlib.rc_context(STYLE):
        heights = [0.9 + _INCH * number for number in bars]
        figure = Figure(figsize=(8.6, 1.2 + sum(heights)), layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
        for one, (group, panel) in zip(axes, panels.items()):
            _draw_panel(one, panel)
            one.set_title(plain(group[0]), fontsize=10, loc="left")
        add_frame(figure, "Benchmarks", f"{count(len(files), 'file')}; shortest of the repeats")
    return figure


def _panels(result: Result) -> dict[tuple[str, str], Panel]:
    """(table, unit) -> its measurements."""
    panels: dict[tuple[str, str], Panel] = {}
    for group in [RESULTS, *result.subgroups(RESULTS)]:
        columns = {name: one for name, one in result.in_group(group).items() if one.dims == ("measurement",)}
        names = _naming(columns)
        for name, one in columns.items():
            if one.units not in _DRAWN or not len(one.values) or one.values.dtype.kind not in "iuf":
                continue
            panel = panels.setdefault((group.rpartition("/")[2], one.units), Panel(one.units))
            panel.rows = [", ".join(_described(column, columns[column].values[row]) for column in names) for row in range(len(one.values))]
            panel.columns[name] = [float(value) for value in one.values]
    return panels


def _naming(columns: dict[str, Dataset]) -> list[str]:
    """The columns that say what was measured: texts, or whole numbers that tell rows apart."""
    texts = [name for name, one in columns.items() if one.values.dtype == object]
    wholes = {name: one.values for name, one in columns.items() if one.values.dtype.kind in "iu" and name not in _FOLLOWS}
    return texts or [name for name, values in wholes.items() if len(set(values)) > 1]


def _described(column: str, value) -> str:
    return str(value) if isinstance(value, str) else f"{column.replace('_', ' ')} {value}"


def _merged(files: list[tuple[str, dict[tuple[str, str], Panel]]]) -> dict[tuple[str, str], Panel]:
    merged: dict[tuple[str, str], Panel] = {}
    for stem, panels in files:
        for place, panel in panels.items():
            whole = merged.setdefault(place, Panel(panel.unit))
            for name in dict.fromkeys([*whole.columns, *panel.columns]):
                before = whole.columns.get(name, [np.nan] * len(whole.rows))
                whole.columns[name] = before + panel.columns.get(name, [np.nan] * len(panel.rows))
            whole.rows += [": ".join(filter(None, [stem, row])) for row in panel.rows]
    return merged


def _draw_panel(axes, panel: Panel) -> None:
    height = 0.8 / len(panel.columns)
    places = np.arange(len(panel.rows))
    for number, (name, values) in enumerate(panel.columns.items()):
        known = np.array([value if np.isfinite(value) and 1e-12 < value < 1e15 else np.nan for value in values])
        axes.barh(places + (number - (len(panel.columns) - 1) / 2) * height, known, height=height,
                  color=SETUP_COLOURS[number % len(SETUP_COLOURS)], label=name.replace("_", " "))  # fmt: skip
    axes.set_yticks(places, [plain(shortened(row, _LONGEST)) for row in panel.rows])
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    known = np.array([value for values in panel.columns.values() for value in values if np.isfinite(value) and value > 0])
    if known.size and known.max() > _WIDE * known.min():
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_formatter(CompleteNumbers())
    axes.set_xlabel(_DRAWN[panel.unit])
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
