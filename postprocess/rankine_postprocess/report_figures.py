"""The figures of a report: key results along parameters, where the time went."""

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from . import study_curves, study_figure
from .errors import InputError
from .labels import plain
from .result import Result, made_of_result
from .study import Study
from .study_words import short, told_apart
from .style import SETUP_COLOURS, STYLE
from .summary import is_there
from .wording import shortened

_MOST_RESULTS = 6  # figures of key results
_ASIDE = {"bond_dimension", "fidelity", "perplexity_before", "accuracy_before", "parameters_before"}  # key results that others say as well
_MOST_RUNS = 30  # bars of one figure
_MOST_STAGES = 8
_TALLEST_LEGEND = 1.5  # inches
_PROFILE = "timing/profile"
_SIZES = {False: (5.6, 3.9), True: (10.6, 4.4)}  # inches; wide ones stand alone in their row
_REST = "#c9ced6"


@dataclass(frozen=True)
class Picture:
    figure: Figure
    title: str
    caption: str
    is_wide: bool = False


def of_results(study: Study, *, is_first_wide: bool) -> list[Picture]:
    """One for each key result that is not the same everywhere."""
    plans: list[study_curves.Plan] = []
    names = [name for name in study.results if name not in _ASIDE and len({str(row.get(name)) for row in study.finished if is_there(row.get(name))}) > 1]
    for name in names:
        try:
            plan = study_curves.plan(study, quantity=name)
        except InputError:  # texts, or too many lines
            continue
        if study_figure.legend_height(plan, _SIZES[False][0]) < _TALLEST_LEGEND and any(len(line.x) > 1 for line in plan.lines):
            plans.append(plan)
        if len(plans) == _MOST_RESULTS:
            break
    is_odd = len(plans) % 2 == 1
    return [_of_result(study, plan, is_wide=is_odd and (number == 0 if is_first_wide else number == len(plans) - 1)) for number, plan in enumerate(plans)]


def _of_result(study: Study, plan: study_curves.Plan, *, is_wide: bool) -> Picture:
    spans = [(line.mean[line.mean > 0].min(), line.mean.max()) for line in plan.lines if (line.mean > 0).any()]
    is_small = all((line.mean >= 0).all() for line in plan.lines)
    log_y = bool(spans) and is_small and max(high for _, high in spans) > 1e3 * min(low for low, _ in spans)
    with matplotlib.rc_context(STYLE):
        width, height = _SIZES[is_wide]
        figure = Figure(figsize=(width, height + study_figure.legend_height(plan, width)), layout="constrained")
        hidden = study_figure.draw_on(figure.add_subplot(), study, plan, log_y=log_y)
    caption = study_figure.what_is_shown(study, plan, hidden)
    against = short(plan.against) if "." in plan.against else plan.against
    return Picture(figure, f"{shortened(plan.quantity.replace('_', ' '), 60)} against {against}", caption, is_wide)


def of_times(study: Study) -> list[Picture]:
    """A bar for each of the longest runs, in its stages where the files tell them; none without times."""
    times = {run.name: _stages(run.result) or {"run": run.seconds or 0.0} for run in study.runs if run.state == "done"}
    times = {name: stages for name, stages in times.items() if sum(stages.values()) > 0}
    if not times:
        return []
    longest = sorted(times, key=lambda name: -sum(times[name].values()))[:_MOST_RUNS]
    totals: dict[str, float] = {}
    for name in longest:
        for stage, seconds in times[name].items():
            totals[stage] = totals.get(stage, 0.0) + seconds
    stages = sorted(totals, key=lambda stage: -totals[stage])[:_MOST_STAGES]
    with matplotlib.rc_context(STYLE | {"axes.grid.axis": "x"}):
        figure = Figure(figsize=(10.6, 1.3 + 0.24 * len(longest)), layout="constrained")
        _draw_bars(figure.add_subplot(), study, {name: times[name] for name in longest}, stages)
    which = f"the {_MOST_RUNS} longest of {len(times)} runs" if len(times) > _MOST_RUNS else f"all {len(times)} runs with results"
    return [Picture(figure, "Time of the runs", f"{which}, the longest above; stages as mean over the ranks", True)]


def _draw_bars(axes, study: Study, times: dict[str, dict[str, float]], stages: list[str]) -> None:
    height, names = np.arange(len(times))[::-1], list(times)
    left = np.zeros(len(names))
    colours = dict(zip(stages, ("#0072B2", "#E69F00", *SETUP_COLOURS[1:], "#D55E00")))
    for stage in [*stages, None]:
        seconds = np.array([times[name].get(stage, 0.0) if stage else sum(s for other, s in times[name].items() if other not in stages)
                            for name in names])  # fmt: skip
        if seconds.any():
            axes.barh(height, seconds, left=left, height=0.72, color=colours.get(stage, _REST), label=plain(short(stage or "other stages")), gid="time")
        left += seconds
    runs = {run.name: run for run in study.runs}
    axes.set_yticks(height, [plain(shortened(told_apart(study, runs[name]) or name, 44)) for name in names], fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time (s)")
    axes.set_xlim(left=0)
    axes.set_ylim(-0.7, len(names) - 0.3)
    if len(stages) > 1:
        axes.legend(ncols=5, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.3)


def _stages(path) -> dict[str, float]:
    """Stage -> seconds, as far as the file tells."""
    return made_of_result(path, _stages_of, wanted=lambda name, shape: name.partition("/")[0] == "timing")


def _stages_of(result: Result) -> dict[str, float]:
    if f"{_PROFILE}/seconds" in result.datasets:
        seconds = result[f"{_PROFILE}/seconds"].values.mean(axis=1)
        return dict(zip(map(str, result[f"{_PROFILE}/stage"].values), map(float, seconds)))
    timing = result.in_group("timing")
    if "point_seconds" in timing:
        return {"points": float(np.nansum(timing["point_seconds"].values))}
    found = {name.removesuffix("_seconds"): float(one.values) for name, one in timing.items() if name.endswith("_seconds") and one.values.ndim == 0}
    return {name: seconds for name, seconds in found.items() if np.isfinite(seconds) and seconds > 0}
