"""Figures of `rankine-bench linalg`: time against size and against rank count, method by method."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from .errors import InputError
from .result_header import opened, text

FILETYPE = "rankine-bench-linalg"
_TEXTS = ("task", "method", "type", "spectrum")
_NUMBERS = ("rows", "columns", "kept", "seconds", "gemm_gflops")


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
    """All rows of the files; InputError for another kind of file."""
    found = []
    for path in map(Path, paths):
        with opened(path) as file:
            found += _rows(path, file)
    return found


def _rows(path: Path, file: h5py.File) -> list[Measurement]:
    filetype = text(file.attrs.get("filetype", "none"))
    if filetype != FILETYPE:
        raise InputError(f"{path}: filetype is '{filetype}' (this command reads '{FILETYPE}').")
    results = file["results"]
    columns = {name: results[name].asstr()[()] for name in _TEXTS}
    columns |= {name: results[name][()] for name in _NUMBERS}
    common = {"ranks": int(file.attrs["n_ranks"]), "threads": int(file.attrs["threads"])}
    return [
        Measurement(**{name: values[i].item() if isinstance(values[i], np.generic) else values[i]
                       for name, values in columns.items()}, **common)
        for i in range(len(columns["rows"]))
    ]  # fmt: skip


def draw(measurements: list[Measurement]):
    """Time of square SVDs against their size (all triplets, and a part), and against the rank count."""
    import matplotlib.pyplot as plt

    from .style import SETUP_COLOURS, STYLE

    svds = [m for m in measurements if m.task == "svd" and m.rows == m.columns and not m.method.startswith("auto")]
    if not svds:
        raise InputError("the files hold no SVD of a square matrix.")
    number = svds[0].type
    svds = [m for m in svds if m.type == number]
    methods = list(dict.fromkeys(m.method for m in svds))
    colours = {method: SETUP_COLOURS[i % len(SETUP_COLOURS)] for i, method in enumerate(methods)}
    most_ranks = max(m.ranks for m in svds)
    largest = max(m.rows for m in svds)
    part = max((m.kept for m in svds if not m.is_complete), default=None)
    with plt.rc_context(STYLE):
        figure, (whole, leading, scaling) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
        at_most = [m for m in svds if m.ranks == most_ranks]
        _by_size(whole, [m for m in at_most if m.is_complete], colours)
        whole.set_title(f"all triplets, {_ranks(most_ranks)}")
        _by_size(leading, [m for m in at_most if m.kept == part], colours)
        leading.set_title(f"{part} triplets, {_ranks(most_ranks)}" if part else "no partial spectra")
        _by_ranks(scaling, [m for m in svds if m.rows == largest], colours)
        scaling.set_title(f"{largest} x {largest}")
        for axes in (whole, leading, scaling):
            axes.set_yscale("log")
            axes.set_ylabel("seconds")
        handles = {}
        for axes in (whole, leading, scaling):
            handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels())}
        figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=6)
        figure.get_layout_engine().set(rect=(0, 0.08, 1, 0.92))  # the legend stands below
        figure.suptitle(f"singular value decompositions, {number}")
    return figure


def _ranks(count: int) -> str:
    return f"{count} rank" + ("s" if count != 1 else "")


def _by_size(axes, rows: list[Measurement], colours: dict[str, str]) -> None:
    axes.set_xlabel("rows = columns")
    axes.set_xscale("log", base=2)
    for method, colour in colours.items():
        points = sorted((m.rows, m.seconds) for m in rows if m.method == method)
        if points:
            axes.plot(*zip(*points), "o-", color=colour, label=method)
    line = {}
    for m in rows:
        line[m.rows] = min(m.gemm_seconds, line.get(m.rows, m.gemm_seconds))
    if line:
        axes.plot(*zip(*sorted(line.items())), "k--", linewidth=1, label="4 m n k flops at the rate of gemm")


def _by_ranks(axes, rows: list[Measurement], colours: dict[str, str]) -> None:
    axes.set_xlabel("ranks (solid: all triplets, dotted: a part)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    for method, colour in colours.items():
        for complete, line in ((True, "o-"), (False, "s:")):
            points = sorted((m.ranks, m.seconds) for m in rows if m.method == method and m.is_complete == complete)
            if points:
                axes.plot(*zip(*points), line, color=colour)
