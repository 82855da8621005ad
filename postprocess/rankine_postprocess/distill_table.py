"""The results of a slice-wise distillation as text: scores of every stage, slices, teams."""

import numpy as np

from . import image_table
from .distillation import Distillation, Local, Slice
from .wording import count, shortened

_LONGEST_NAME = 40


def header(result: Distillation) -> str:
    """Which network, how and by what."""
    return "\n".join([image_table.header(result.network), image_table.row("mode", result.mode)])


def tables(result: Distillation) -> str:
    """Everything the file holds, one table below the other."""
    parts = [_scores(result), _slices(result), _teams(result)]
    if result.is_of_images:
        parts.append(image_table.details(result.network))
    return "\n\n".join(filter(None, parts))


def _scores(result: Distillation) -> str:
    network = result.network
    is_told_below = result.is_of_images and network.accuracy is not None
    stages = (("before", result.before), ("after the fit", result.fitted), ("slices together", result.assembled),
              ("in the end", None if is_told_below else result.after))  # fmt: skip
    rows = [image_table.row(f"{result.metric} {name}", _score(result, value)) for name, value in stages if value is not None]
    if result.is_of_images:
        rows += image_table.end(network)
    elif network.evaluation:
        rows.append(image_table.row("evaluation", network.evaluation))
    if None not in (network.parameters_before, network.parameters_after):
        part = network.parameters_after / network.parameters_before
        rows.append(image_table.row("numbers", f"{network.parameters_before} -> {network.parameters_after} ({part:.4f})"))
    return "\n".join(rows)


def _score(result: Distillation, value: float) -> str:
    return f"{100 * value:.2f} %" if result.is_of_images else f"{value:.6g}"


def _slices(result: Distillation) -> str:
    if not result.slices:
        return ""
    names = [shortened(one.name, _LONGEST_NAME) for one in result.slices]
    width = max(len("slice"), *map(len, names))
    is_scored = any(one.score is not None for one in result.slices)
    head = f"{'slice':<{width}}  {'numbers':>9}  {'error':>9}  {'of the fit':>10}  {'after':>9}  {'seconds':>8}  {'team':>4}"
    rows = [head + (f"  {result.metric:>10}" if is_scored else "") + "  outcome"]
    for name, one in zip(names, result.slices):
        score = f"  {'-' if one.score is None else _score(result, one.score):>10}" if is_scored else ""
        team = "-" if one.team is None else one.team
        rows.append(f"{name:<{width}}  {one.parameters:>9}  {_error(one.error_before)}  {_error(one.error_fit):>10}  "
                    f"{_error(one.error_after)}  {_seconds(one)}  {team:>4}{score}  {_outcome(one)}")  # fmt: skip
    return "\n".join(rows)


def _error(value: float) -> str:
    return f"{value:9.3e}" if np.isfinite(value) else f"{'-' if np.isnan(value) else 'inf':>9}"


def _seconds(one: Slice) -> str:
    seconds = one.finished - one.started
    return f"{seconds:8.2f}" if np.isfinite(seconds) else f"{'-':>8}"


def _outcome(one: Slice) -> str:
    return ", ".join(filter(None, [one.outcome, "of an earlier run" if one.is_restored else ""]))


def _teams(result: Distillation) -> str:
    rows = [image_table.row(f"seconds, {stage}", f"{seconds:.2f}") for stage, seconds in result.seconds.items()]
    local = result.local
    if local is None:
        return "\n".join(rows)
    samples = f"{local.samples} and {local.held_out} that are not trained on"
    rows = [image_table.row("samples", samples), image_table.row("teams", f"{local.teams}, {count(result.n_ranks, 'rank')}"),
            image_table.row("passes of the teacher", str(local.waves)), *rows]  # fmt: skip
    return "\n".join([*rows, *_simulated(local)])


def _simulated(local: Local) -> list[str]:
    """What the same slices would take with other numbers of teams."""
    seconds = dict(zip(local.simulated_teams.tolist(), local.simulated_seconds))
    if not seconds:
        return []
    rows = ["", "simulated teams   seconds  speed-up  efficiency"]
    for teams, value in sorted(seconds.items()):
        if teams & (teams - 1) and teams != max(seconds):  # of many, the powers of two and the last
            continue
        speed = seconds[1] / value if 1 in seconds and value > 0 else np.nan
        told = f"{speed:8.2f}  {100 * speed / teams:8.1f} %" if np.isfinite(speed) else f"{'-':>8}  {'-':>10}"
        rows.append(f"{teams:>15}  {value:8.2f}  {told}")
    return rows
