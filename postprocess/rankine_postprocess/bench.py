"""Figures of `rankine-bench linalg`: time against size and against rank count, method by method."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .errors import InputError
from .fields import integers, reals, subgroup, texts, whole_attribute
from .frame import add_frame
from .labels import plain
from .own_process import in_own_process
from .result_header import check_header, opened
from .style import SETUP_COLOURS, STYLE
from .wording import count

FILETYPE = "rankine-bench-linalg"
FORMAT_VERSION = 1
_LEGEND_COLUMNS = 6
_MOST_TICKS = 8
_TEXTS = ("task", "method", "type", "spectrum")


@dataclass(frozen=True)
class Measurement:
    """One row of a benchmark file."""

    task: str
    method: str
    type: str
    spectrum: str
    rows: int
    columns: int
    kept: int
    seconds: float
    gemm_gflops: float
    ranks: int
    threads: int

    @property
    def is_complete(self) -> bool:
        """Whether all triplets were computed."""
        return self.kept == min(self.rows, self.columns)

    @property
    def gemm_seconds(self) -> float:
        """What 4 m n k operations, those of A V and U S V^T, take at the rate of matrix products."""
        return 4e-9 * self.rows * self.columns * self.kept / self.gemm_gflops


def read_measurements(paths: list[str]) -> list[Measurement]:
    """All rows of the files. Raises InputError for another kind of file and for damaged ones."""
    return [row for path in paths for row in in_own_process(_read_file, Path(path))]


def _read_file(path: Path) -> list[Measurement]:
    with opened(path) as file:
        check_header(path, file, FILETYPE, FORMAT_VERSION, allow_partial=False)
        return _read_rows(path, file)


def _read_rows(path: Path, file: h5py.File) -> list[Measurement]:
    results = subgroup(path, file, "results")
    rows = integers(path, results, "rows", (None,), least=1)
    columns = {name: texts(path, results, name, rows.shape) for name in _TEXTS}
    columns |= {name: integers(path, results, name, rows.shape, least=1).tolist() for name in ("columns", "kept")}
    columns |= {name: reals(path, results, name, rows.shape, least=1e-12, most=1e12).tolist() for name in ("seconds", "gemm_gflops")}
    common = {name: whole_attribute(path, file, of, 1) for name, of in (("ranks", "n_ranks"), ("threads", "threads"))}
    return [Measurement(rows=int(rows[i]), **{name: values[i] for name, values in columns.items()}, **common)
            for i in range(len(rows))]  # fmt: skip


def draw(measurements: list[Measurement]) -> Figure:
    """Time of square SVDs against their size (all triplets, and a part), and against the rank count."""
    svds = [m for m in measurements if m.task == "svd" and m.rows == m.columns and not m.method.startswith("auto")]
    svds = [m for m in svds if np.isfinite([m.seconds, m.gemm_gflops]).all()]
    if not svds:
        raise InputError("the files hold no SVD of a square matrix. Measure one with rankine-bench linalg.")
    svds = [m for m in svds if m.type == svds[0].type]
    colours = {name: SETUP_COLOURS[i % len(SETUP_COLOURS)] for i, name in enumerate(dict.fromkeys(m.method for m in svds))}
    with matplotlib.rc_context(STYLE):
        legend_height = 0.1 + 0.22 * -(-(len(colours) + 1) // _LEGEND_COLUMNS)
        figure = Figure(figsize=(12, 4.4 + legend_height), layout="constrained")
        grid = figure.add_gridspec(2, 3, height_ratios=[4.4, legend_height])
        panels = [figure.add_subplot(grid[0, column]) for column in range(3)]
        _draw_panels(panels, svds, colours)
        _draw_legend(figure.add_subplot(grid[1, :]), panels)
        threads = sorted({m.threads for m in svds})
        each = f"{', '.join(map(str, threads[:-1] + ['']))}{count(threads[-1], 'BLAS thread')} a rank"
        add_frame(figure, f"Singular value decompositions, {plain(svds[0].type)}", f"shortest of the repeats; {each}")
    return figure


def _draw_panels(panels, svds: list[Measurement], colours: dict[str, str]) -> None:
    whole, leading, scaling = panels
    most_ranks, largest = max(m.ranks for m in svds), max(m.rows for m in svds)
    part = max((m.kept for m in svds if not m.is_complete), default=None)
    at_most = [m for m in svds if m.ranks == most_ranks]
    _by_size(whole, [m for m in at_most if m.is_complete], colours)
    whole.set_title(f"all triplets, {count(most_ranks, 'rank')}")
    _by_size(leading, [m for m in at_most if m.kept == part and not m.is_complete], colours)
    leading.set_title(f"{part} triplets, {count(most_ranks, 'rank')}" if part else "no partial spectra")
    _by_ranks(scaling, [m for m in svds if m.rows == largest], colours)
    scaling.set_title(f"{largest} x {largest}")
    for panel in panels:
        panel.set_yscale("log")
        panel.set_ylabel("seconds")


def _draw_legend(panel, panels) -> None:
    handles = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels())}
    panel.axis("off")
    panel.legend(handles.values(), handles.keys(), loc="upper left", ncols=_LEGEND_COLUMNS, borderaxespad=0)


def _by_size(axes, rows: list[Measurement], colours: dict[str, str]) -> None:
    axes.set_xlabel("rows = columns")
    axes.set_xscale("log", base=2)
    _tick_values(axes, [m.rows for m in rows])
    for method, colour in colours.items():
        points = sorted((m.rows, m.seconds) for m in rows if m.method == method)
        if points:
            axes.plot(*zip(*points), "o-", color=colour, label=method)
    line = {}
    for m in rows:
        line[m.rows] = min(m.gemm_seconds, line.get(m.rows, m.gemm_seconds))
    if line:
        axes.plot(*zip(*sorted(line.items())), "k--", linewidth=1, label="4 m n k flops at the rate of gemm")


def _tick_values(axes, values: list[int]) -> None:
    """Ticks at what was measured, as far as they find room."""
    values = sorted(set(values))
    axes.xaxis.set_major_locator(FixedLocator(values[:: -(-len(values) // _MOST_TICKS) or 1]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))


def _by_ranks(axes, rows: list[Measurement], colours: dict[str, str]) -> None:
    axes.set_xlabel("ranks (solid: all triplets, dotted: a part)")
    _tick_values(axes, [m.ranks for m in rows])
    for method, colour in colours.items():
        for complete, line in ((True, "o-"), (False, "s:")):
            points = sorted((m.ranks, m.seconds) for m in rows if m.method == method and m.is_complete == complete)
            if points:
                axes.plot(*zip(*points), line, color=colour)
