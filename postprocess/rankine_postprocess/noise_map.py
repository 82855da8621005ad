"""Figure: what an adapter whose blocks are noisy quantum circuits adds to the loss, over block dimension and error rate."""

import matplotlib
import numpy as np
from matplotlib.colors import AsinhNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from . import compression_labels as labels
from .compression import Compression
from .errors import InputError
from .frame import add_frame
from .style import STYLE

MARKS = {3e-3: "today", 1e-3: "projected", 1e-4: "projected"}  # error rates of a two-qubit gate
_LINEAR = 0.02  # nat, up to which colours are linear in the added loss
_MOST = 10.0  # nat, above which nothing is told apart
_HALF_COLUMN = 0.25  # decades, of a row with one error rate


def draw(compressions: list[Compression]) -> Figure:
    """One panel for each number of shots, one row for each block dimension; files that differ in seeds are averaged."""
    noisy = [c for c in compressions if c.noise is not None and c.adapter is not None and c.adapter.block]
    if not noisy:
        raise InputError("none of the files holds a noise study. Set noise.error_rates in their decks.")
    if missing := [c for c in noisy if c.adapter.perplexity_unadapted is None]:
        raise InputError(f"{missing[0].path}: the perplexity without the adapter is missing.")
    blocks = sorted({c.adapter.block for c in noisy})
    panels_of = {shots: _rows(noisy, blocks, shots) for shots in sorted({s for c in noisy for s in c.noise.shots})}
    panels_of = {shots: rows for shots, rows in panels_of.items() if rows}
    if not panels_of:
        raise InputError(f"{noisy[0].path}: no point of the noise study is done yet.")
    values = np.concatenate([added for rows in panels_of.values() for _, added in rows.values()])
    norm = AsinhNorm(_LINEAR, vmin=-max(0.1, np.abs(values.min())), vmax=max(0.1, values.max()))
    with matplotlib.rc_context(STYLE):
        height = 1.9 + 0.42 * len(blocks)
        figure = Figure(figsize=(max(7.2, 2.6 + 3.9 * len(panels_of)), height + 1.4), layout="constrained")
        grid = figure.add_gridspec(2, len(panels_of), height_ratios=[height, 0.4])
        panels = [figure.add_subplot(grid[0, column]) for column in range(len(panels_of))]
        for panel, (shots, rows) in zip(panels, panels_of.items()):
            image = _draw_panel(panel, blocks, rows, norm)
            _draw_lines(panel, blocks, rows, noisy)
            panel.set_title(_shots(shots), fontsize=10, pad=22)
        panels[0].set_ylabel("block dimension")
        _add_bar(figure, panels, image)
        legend = figure.add_subplot(grid[1, :])
        legend.axis("off")
        legend.legend(handles=_handles(), loc="upper left", ncols=2, borderaxespad=0, fontsize=8.5)
        add_frame(figure, labels.title(noisy, f"{noisy[0].model}: adapters as noisy quantum circuits"), labels.footer(noisy))
    return figure


def _rows(noisy: list[Compression], blocks: list[int], shots: float) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Row -> error rates, ascending, and the mean of the loss added to that without the adapter."""
    rows = {}
    for row, block in enumerate(blocks):
        found: dict[float, list[float]] = {}
        for c in noisy:
            for column in np.flatnonzero(c.noise.shots == shots) if c.adapter.block == block else ():
                added = np.log(c.noise.perplexity[:, column]) - np.log(c.adapter.perplexity_unadapted)
                for rate, value in zip(c.noise.error_rates, np.clip(added, -_MOST, _MOST)):
                    found.setdefault(float(rate), []).append(value)
        done = {rate: np.mean(values) for rate, values in sorted(found.items()) if not np.isnan(values).any()}
        if done:
            rows[row] = np.array(list(done)), np.array(list(done.values()))
    return rows


def _places(rates: np.ndarray, least: float) -> np.ndarray:
    """Of error rates on the axis: their decimal logarithm; 0 stands half a decade below the least other one."""
    return np.log10(np.where(rates > 0, rates, least * 10**-0.5))


def _least(rows: dict) -> float:
    return min((rate for rates, _ in rows.values() for rate in rates if rate > 0), default=1e-5)


def _draw_panel(panel, blocks: list[int], rows: dict, norm: AsinhNorm):
    least = _least(rows)
    for row, (rates, added) in rows.items():
        x = _places(rates, least)
        middles = (x[1:] + x[:-1]) / 2
        first, last = (x[0] - middles[0], middles[-1] - x[-1]) if len(x) > 1 else (-_HALF_COLUMN, -_HALF_COLUMN)
        edges = np.concatenate([[x[0] + first], middles, [x[-1] - last]])
        image = panel.pcolormesh(edges, [row - 0.5, row + 0.5], added[None, :], cmap=_colours(norm), norm=norm, gid=f"row {row}")
    panel.grid(False)
    panel.set_xlabel("error rate of a two-qubit gate")
    panel.set_ylim(-0.5, len(blocks) - 0.5)
    panel.set_yticks(range(len(blocks)), [str(block) for block in blocks])
    panel.tick_params(length=2.5)
    _scale_rates(panel, rows, least)
    return image


def _colours(norm: AsinhNorm) -> LinearSegmentedColormap:
    """Blue, white at 0, red, however far the scale reaches on either side."""
    white, places = float(norm(0.0)), np.linspace(0.0, 1.0, 65)
    moved = np.where(places < 0.5, 2 * white * places, white + (1 - white) * (2 * places - 1))
    return LinearSegmentedColormap.from_list("added loss", list(zip(moved, matplotlib.colormaps["RdBu_r"](places))))


def _scale_rates(panel, rows: dict, least: float) -> None:
    low, high = panel.get_xlim()
    ticks = [float(exponent) for exponent in range(int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9)) + 1)]
    if any(rates[0] == 0 for rates, _ in rows.values()):
        ticks = [np.log10(least) - 0.5, *(tick for tick in ticks if tick >= np.log10(least) - 1e-9)]
    zero = np.log10(least) - 0.5
    panel.xaxis.set_major_locator(FixedLocator(ticks))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: "0" if abs(x - zero) < 1e-9 and x != round(x) else rf"$10^{{{x:.3g}}}$")
    )


def _draw_lines(panel, blocks: list[int], rows: dict, noisy: list[Compression]) -> None:
    """Where the adapter stops helping, where half the contrast is left, and the error rates of devices."""
    low, high = panel.get_xlim()
    least = _least(rows)
    turns = [(_turn(_places(rates, least), added), row) for row, (rates, added) in rows.items()]
    turns = [(x, row) for x, row in turns if x is not None]
    if turns:
        panel.plot(*zip(*turns), color="black", lw=1.6, marker="o", ms=5, mfc="white", gid="turn", zorder=4)
    halves = [(_half(c), blocks.index(c.adapter.block)) for c in noisy]
    halves = sorted({(x, row) for x, row in halves if x is not None and low <= x <= high}, key=lambda point: point[1])
    if halves:
        panel.plot(*zip(*halves), color="0.25", lw=1.2, ls=":", marker="x", ms=5, gid="half", zorder=3.5)
    for rate, words in MARKS.items():
        if low <= np.log10(rate) <= high:
            panel.axvline(np.log10(rate), color="0.35", lw=0.9, ls="--", zorder=3, gid="mark")
            panel.annotate(f"{rate:g}\n{words}", (np.log10(rate), 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
                           textcoords="offset points", ha="center", va="bottom", fontsize=6.5, color="0.3", linespacing=0.95)  # fmt: skip
    panel.set_xlim(low, high)


def _turn(x: np.ndarray, added: np.ndarray) -> float | None:
    """Where the added loss, negative before, reaches 0."""
    for k in range(1, len(x)):
        if added[k - 1] < 0 <= added[k]:
            return float(x[k - 1] + (x[k] - x[k - 1]) * added[k - 1] / (added[k - 1] - added[k]))
    return None


def _half(compression: Compression) -> float | None:
    """The logarithm of the error rate at which half of the contrast that gates leave is lost (docs/algorithms/adapters.md)."""
    size, gates = 2.0 ** min(compression.noise.qubits, 60), compression.noise.gates
    if gates == 0 or size <= 2:
        return None
    kept = (0.5 - 1 / size) / (1 - 1 / size)
    return float(np.log10((1 - kept ** (1 / gates)) * 16 / 15 * (1 - size**-2)))


def _shots(shots: float) -> str:
    return "infinitely many shots" if np.isinf(shots) else f"{shots:,.0f} shots a block"


def _add_bar(figure: Figure, panels, image) -> None:
    bar = figure.colorbar(image, ax=list(panels), pad=0.02, aspect=25)
    bar.set_label("loss added to that without adapter (nat)\nblue: the adapter helps", fontsize=9)
    low, high = image.norm.vmin, image.norm.vmax
    ticks = [sign * value for value in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0) for sign in (-1, 1)]
    bar.ax.yaxis.set_major_locator(FixedLocator([0.0, *(tick for tick in ticks if low <= tick <= high)]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    bar.outline.set_linewidth(0.6)


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], color="black", lw=1.6, marker="o", ms=5, mfc="white", label="the adapter stops helping"),
        Line2D([], [], color="0.25", lw=1.2, ls=":", marker="x", ms=5, label="half of the contrast is left"),
    ]
