"""Figure: a quantity of many runs against a parameter, lines by other parameters, bands over seeds."""

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogFormatterSciNotation, LogLocator, MaxNLocator, NullFormatter, NullLocator

from . import pauli
from .frame import add_frame
from .labels import plain
from .run_folder import Run
from .study import Study
from .study_curves import Line, Plan
from .study_quantity import unit_of
from .study_words import short, shown, told_apart
from .style import MOST_LEGEND_CURVES, SEQUENCE, SETUP_COLOURS, STYLE
from .ticks import CompleteNumbers
from .wording import count, shortened

_WIDTH = 7.6  # inches
_MARKERS = "osD^vP"
_LARGE = 1e5  # numbers from here on have their thousands apart
_MOST_NAMED = 4  # runs without results that the footer names
_MOST_TICKS = 12
_AXES = {"circuit.theta_h": r"$\theta_h$ (rad)", "circuit.theta_j": r"$\theta_J$ (rad)", "state.max_bond_dimension": r"max bond dimension $\chi$"}
_LEGEND_LETTERS = 11.5  # to an inch of a row; a handle takes seven


def draw(study: Study, plan: Plan, *, log_x: bool | None = None, log_y: bool = False) -> Figure:
    """The figure of a plan. Its horizontal axis is logarithmic if it is of powers of two, unless `log_x` says otherwise."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 5.2 + legend_height(plan, _WIDTH)), layout="constrained")
        hidden = draw_on(figure.add_subplot(), study, plan, log_x=log_x, log_y=log_y)
        add_frame(figure, title(study, plan), footer(study, plan, hidden))
    return figure


def draw_on(axes, study: Study, plan: Plan, *, log_x: bool | None = None, log_y: bool = False) -> int:
    """The lines and their legend; returns how many places a logarithmic axis cannot show."""
    places = _places(plan)
    scale = _colour_scale(plan)
    for number, line in enumerate(plan.lines):
        _draw_line(axes, line, places, _look(number, plan, scale), log_y)
    _finish_x(axes, plan, places, log_x)
    axes.set_ylabel(quantity_label(study, plan.quantity))
    if log_y:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(LogFormatterSciNotation())
        _label_within_a_decade(axes.yaxis, *axes.get_ylim())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(7))
        _format_numbers(axes.yaxis, max(abs(limit) for limit in axes.get_ylim()))
    if scale is not None:
        _add_colour_bar(axes, plan, scale)
    elif len(plan.lines) > 1:
        _add_legend(axes, plan)
    return sum(int((line.mean <= 0).sum()) for line in plan.lines) if log_y else 0


def _places(plan: Plan) -> dict | None:
    """Where texts stand along the axis; None where it is one of numbers."""
    found = dict.fromkeys(x for line in plan.lines for x in line.x)
    return {text: place for place, text in enumerate(found)} if any(isinstance(x, str) for x in found) else None


def _draw_line(axes, line: Line, places: dict | None, look: dict, log_y: bool) -> None:
    """On a logarithmic axis with a gap where nothing can be shown."""
    x = np.array([places[value] for value in line.x] if places else line.x, dtype=float)
    axes.plot(x, np.where(line.mean > 0, line.mean, np.nan) if log_y else line.mean, lw=1.5, mec="white", mew=0.6, gid="mean", zorder=4, **look)
    if (line.runs > 1).any():
        axes.fill_between(x, line.low, line.high, color=look["color"], alpha=0.2, lw=0, gid="band", zorder=2)
        if len(x) == 1:
            axes.plot([x[0], x[0]], [line.low[0], line.high[0]], color=look["color"], lw=5, alpha=0.3, gid="band", zorder=2)


def _look(number: int, plan: Plan, scale: ScalarMappable | None) -> dict:
    """Numbers that tell lines apart go through a sequence of colours, anything else has a colour each."""
    if scale is not None:
        return {"color": scale.to_rgba(plan.lines[number].values[0]), "marker": "o", "ms": 4.5}
    marker = {"marker": _MARKERS[number % len(_MARKERS)], "ms": 5.5}
    if 1 < len(plan.lines) <= MOST_LEGEND_CURVES and _are_numbers(plan):
        return marker | {"color": SEQUENCE(number / (len(plan.lines) - 1))}
    row, place = divmod(number, len(SETUP_COLOURS))
    return marker | {"color": SETUP_COLOURS[place], "ls": ("-", "--", ":", "-.")[row % 4]}


def _are_numbers(plan: Plan) -> bool:
    """Whether a single number tells the lines apart."""
    return all(len(line.values) == 1 and not isinstance(line.values[0], str) for line in plan.lines)


def _colour_scale(plan: Plan) -> ScalarMappable | None:
    """More lines than a legend holds have a colour bar, where a single number tells them apart."""
    if len(plan.lines) <= MOST_LEGEND_CURVES or not _are_numbers(plan):
        return None
    values = [line.values[0] for line in plan.lines]
    is_wide = min(values) > 0 and all(isinstance(value, int) for value in values)  # bond dimensions, ranks, sizes
    return ScalarMappable((LogNorm if is_wide else Normalize)(min(values), max(values)), SEQUENCE)


def _add_colour_bar(axes, plan: Plan, scale: ScalarMappable) -> None:
    bar = axes.figure.colorbar(scale, ax=axes, pad=0.02, fraction=0.05, aspect=35)
    bar.set_label(parameter_label(plan.apart[0]))
    bar.outline.set_linewidth(0.6)
    if isinstance(scale.norm, LogNorm):
        bar.locator, bar.minorlocator = FixedLocator([line.values[0] for line in plan.lines][:: -(-len(plan.lines) // _MOST_TICKS)]), NullLocator()
        bar.formatter = FuncFormatter(lambda value, _: f"{value:g}")
        bar.update_ticks()


def _add_legend(axes, plan: Plan) -> None:
    handles = [line for line in axes.lines if line.get_gid() == "mean"]
    width = axes.figure.get_figwidth()
    heading = ", ".join(parameter_label(name) for name in plan.apart) if len(plan.apart) == 1 else None
    axes.legend(handles, [plain(name) for name in line_names(plan, width)], title=heading, ncols=_columns(plan, width), loc="lower left",
                bbox_to_anchor=(0.0, 1.0), borderaxespad=0.3, columnspacing=1.2, handlelength=2.2, alignment="left", title_fontsize=9)  # fmt: skip


def _columns(plan: Plan, width: float) -> int:
    names = line_names(plan, width)
    return max(1, min(len(names), int(_LEGEND_LETTERS * width / (max(map(len, names)) + 7))))


def legend_height(plan: Plan, width: float) -> float:
    """Inches that the legend of a figure of this width takes."""
    has_legend = len(plan.lines) > 1 and _colour_scale(plan) is None
    return 0.2 * (1 + -(-len(plan.lines) // _columns(plan, width))) if has_legend else 0.2


def line_names(plan: Plan, width: float) -> list[str]:
    """What tells each line from the others: a value, or several with their names."""
    if len(plan.apart) == 1:
        return [shown(line.values[0]) for line in plan.lines]
    names = [", ".join(f"{short(name)} {shown(value)}" for name, value in zip(plan.apart, line.values)) for line in plan.lines]
    return [shortened(name, int(_LEGEND_LETTERS * width) - 14) for name in names]


def _finish_x(axes, plan: Plan, places: dict | None, log_x: bool | None) -> None:
    axes.set_xlabel(parameter_label(plan.against))
    if places:
        axes.set_xticks(list(places.values()), [plain(shortened(text, 24)) for text in places])
        axes.margins(x=0.08)
        return
    ticks = np.unique([x for line in plan.lines for x in line.x])
    are_powers = bool((ticks > 0).all()) and len(ticks) > 2 and bool((np.log2(ticks) % 1 == 0).all())
    log_x = are_powers if log_x is None else log_x
    if log_x:
        axes.set_xscale("log", base=2 if are_powers else 10)
    if len(ticks) <= _MOST_TICKS and (log_x or _are_apart(ticks)):
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}".replace("-", "\N{MINUS SIGN}")))
        axes.xaxis.set_minor_locator(NullLocator())
    elif not log_x:
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=bool((ticks % 1 == 0).all())))
        _format_numbers(axes.xaxis, np.abs(ticks).max())


def _format_numbers(axis, largest: float) -> None:
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")) if largest >= _LARGE else CompleteNumbers())


def _are_apart(ticks: np.ndarray) -> bool:
    """Whether labels at all ticks of a linear axis have room."""
    return len(ticks) < 2 or np.diff(ticks).min() >= 0.07 * np.ptp(ticks)


def _label_within_a_decade(axis, low: float, high: float) -> None:
    """Ticks between powers of ten have labels where there are hardly any powers."""
    if high / low < 100:
        axis.set_minor_formatter(LogFormatterSciNotation(labelOnlyBase=False, minor_thresholds=(2, 0.5)))
    else:
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_locator(LogLocator(numticks=9))


# Words


def parameter_label(name: str) -> str:
    """A keyword or a column at an axis or above a legend."""
    return _AXES.get(name) or plain(short(name))


def quantity_label(study: Study, quantity: str) -> str:
    """A quantity with its unit; observables as mathematics."""
    unit = unit_of(study, quantity)
    name, bracket, place = quantity.partition("[")
    name = name.replace("_", " ") if "/" not in name else name
    is_string = pauli.factors(name) is not None
    text = f"${pauli.symbol(name)}$" if is_string or name == pauli.MAGNETIZATION else plain(shortened(name, 60))
    return f"{text}{bracket}{place}" + (f" ({unit})" if unit not in ("1", "") else "")


def title(study: Study, plan: Plan) -> str:
    """That of the decks where they have one in common, else what the figure shows."""
    titles = {str(row.get("title", "")) for row in study.finished}
    if len(titles) == 1 and (only := titles.pop()):
        return plain(only)
    return f"{quantity_label(study, plan.quantity)} against {parameter_label(plan.against)}"


def footer(study: Study, plan: Plan, hidden: int = 0) -> str:
    """What is shown, which runs are missing, which programs made the others."""
    programs = {f"{row['kind']} {row['program_version']}, commit {str(row['git_commit'])[:12]}": None for row in study.finished}
    return "\n".join(plain(line) for line in (what_is_shown(study, plan, hidden), *missing_runs(study), " · ".join(programs)))


def what_is_shown(study: Study, plan: Plan, hidden: int = 0) -> str:
    """How many runs, what bands are, what a logarithmic axis leaves out."""
    values = sum(int(line.runs.sum()) for line in plan.lines)
    told = [f"{count(values, 'value')} of {count(len(study.runs), 'run')}"]
    most = max(int(line.runs.max()) for line in plan.lines)
    if most > 1:
        over = f" over {', '.join(map(short, plan.over))}" if plan.over else ""
        told.append(f"mean{over} (up to {most} runs); band: {plan.band.value}")
    if hidden:
        told.append(f"{hidden} not above 0, not shown")
    return " · ".join(told)


def missing_runs(study: Study) -> list[str]:
    """Runs without results, by their states, the first of each by name."""
    lines = []
    for state in dict.fromkeys(run.state for run in study.not_done):
        runs = [run for run in study.not_done if run.state == state]
        named = "; ".join(_named(study, run) for run in runs[:_MOST_NAMED])
        lines.append(f"NOT IN THE FIGURE: {len(runs)} {state}: {named}{' ...' if len(runs) > _MOST_NAMED else ''}")
    return lines


def _named(study: Study, run: Run) -> str:
    apart = told_apart(study, run)
    return run.name + (f" ({apart})" if apart else "") + (f": {shortened(run.message, 70)}" if run.message else "")
