"""Figure: which team trained which slice when, and who waited."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from . import distill_labels as labels
from .distillation import DIVERGED, FIT_KEPT, Distillation, Slice
from .errors import InputError
from .frame import add_frame
from .slice_errors import require_slices
from .style import STYLE
from .ticks import CompleteNumbers
from .wording import count

_WAITING, _AROUND, _TEACHER = "0.86", "0.6", "#F0C040"
_COLOURS = {FIT_KEPT: "#5B3F8C", DIVERGED: "#D55E00"}
_TRAINED = ("#0072B2", "#004C7A")  # by turns, so that neighbours stand out
_LEAST_SHOWN = 1e-3  # of the whole time
_HALF = 0.39  # of the height of a row
_WRITINGS = ((10, 0), (8, 0), (8, 90))  # size and angle of the name of a slice
_UNITS = ((3 * 3600.0, 3600.0, "h"), (300.0, 60.0, "min"), (0.0, 1.0, "s"))


def draw(result: Distillation) -> Figure:
    """A row a team, a block a slice. Raises InputError where nothing was trained in this run."""
    require_slices(result)
    trained = [one for one in result.slices if one.team is not None and not one.is_restored
               and np.isfinite(one.started) and np.isfinite(one.finished)]  # fmt: skip
    if not trained or result.local is None:
        raise InputError(f"{result.path}: no slice was trained in this run.")
    teams = result.local.teams
    if max(one.team for one in trained) >= teams:
        raise InputError(f"{result.path}: a slice is of a team that is not there. Run the deck again.")
    passes = _teacher_passes(result, trained)
    end = max(result.seconds.get("local", 0.0), *(one.finished for one in trained))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.4, min(9.0, 2.5 + 0.62 * teams)), layout="constrained")
        panel = figure.subplots()
        unit, name = next((size, name) for least, size, name in _UNITS if end >= least)
        texts = _draw_rows(panel, trained, passes, end, teams, unit)
        _finish(panel, trained, teams, end / unit, name)
        share = _busy(trained, passes, teams) / max(teams * end, 1e-300)
        words = f"{count(teams, 'team')}, {end / unit:.3g} {name}, {100 * min(share, 1.0):.0f} % busy"
        add_frame(figure, f"{labels.title([result], labels.network(result))}: {words}", _footer(result, trained))
        _keep_fitting(figure, texts)
    return figure


def _teacher_passes(result: Distillation, trained: list[Slice]) -> list[tuple[float, float]]:
    """When the teacher ran: before the slices of each wave, while all teams wait for it.

    Files have the time of all passes; what is left of a gap before the first is preparation.
    """
    gaps, reached = [], 0.0
    for one in sorted(trained, key=lambda one: one.started):
        if one.started > reached:
            gaps.append((reached, one.started))
        reached = max(reached, one.finished)
    later = [gap for gap in gaps if gap[0] > 0.0]
    later = sorted(sorted(later, key=lambda gap: gap[0] - gap[1])[: result.local.waves - 1])
    first = min(one.started for one in trained)
    seconds = min(first, max(0.0, result.seconds.get("teacher", 0.0) - sum(high - low for low, high in later)))
    return ([(first - seconds, first)] if seconds > 0.0 else []) + later


def _busy(trained: list[Slice], passes: list[tuple[float, float]], teams: int) -> float:
    """Seconds of all teams together, the teacher's included."""
    return sum(one.finished - one.started for one in trained) + teams * sum(high - low for low, high in passes)


def _draw_rows(panel, trained: list[Slice], passes, end: float, teams: int, unit: float) -> list[tuple]:
    """Returns the names of slices and the blocks they stand in."""

    def block(team: int, low: float, high: float, colour: str, gid: str, **more):
        (drawn,) = panel.barh([team], [(high - low) / unit], left=[low / unit], height=2 * _HALF, color=colour, gid=gid,
                              **more)  # fmt: skip
        drawn.set_gid(gid)
        return drawn

    texts = []
    names = labels.short_names([one.name for one in trained])
    for team in range(teams):
        block(team, 0.0, end, _WAITING, "waiting", zorder=1)
        for low, high in ((0.0, passes[0][0] if passes else 0.0), (max(one.finished for one in trained), end)):
            if high - low > _LEAST_SHOWN * end:
                block(team, low, high, _AROUND, "around", zorder=2)
        for low, high in passes:
            block(team, low, high, _TEACHER, "teacher", zorder=2)
        mine = [(one, name) for one, name in zip(trained, names) if one.team == team]
        for place, (one, name) in enumerate(sorted(mine, key=lambda pair: pair[0].started)):
            colour = _COLOURS.get(one.outcome, _TRAINED[place % 2])
            bar = block(team, one.started, one.finished, colour, "slice", ec="white", lw=0.6, zorder=3)
            middle = 0.5 * (one.started + one.finished) / unit
            texts.append((panel.text(middle, team, name, ha="center", va="center", color="white", zorder=4), bar))
    return texts


def _finish(panel, trained: list[Slice], teams: int, length: float, unit: str) -> None:
    panel.set_xlim(0.0, length or 1.0)
    panel.set_ylim(teams - 0.5, -0.5)
    panel.grid(False)
    panel.set_yticks(range(0, teams, -(-teams // 16)))
    panel.set_ylabel("team")
    panel.set_xlabel(f"time of local training ({unit})")
    panel.xaxis.set_major_locator(MaxNLocator(10))
    panel.xaxis.set_major_formatter(CompleteNumbers())
    present = {one.outcome for one in trained}
    gids = {bar.get_gid() for bar in panel.patches}
    handles = [Patch(color=_TEACHER, label="teacher")] if "teacher" in gids else []
    handles.append(Patch(color=_TRAINED[0], label="slice is trained"))
    handles += [Patch(color=colour, label=outcome) for outcome, colour in _COLOURS.items() if outcome in present]
    handles.append(Patch(color=_WAITING, label="waiting"))
    handles += [Patch(color=_AROUND, label="costs are measured, slices exchanged")] if "around" in gids else []
    panel.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=6, borderaxespad=0.2)


def _footer(result: Distillation, trained: list[Slice]) -> str:
    local = result.local
    restored = sum(one.is_restored for one in result.slices)
    words = [count(result.n_ranks, "rank"), count(len(trained), "slice"),
             f"{local.samples + local.held_out} samples, of which {local.held_out} are not trained on"]  # fmt: skip
    if local.waves > 1:
        words.append(f"the teacher ran {local.waves} times")
    if restored:
        words.append(f"{count(restored, 'slice')} of an earlier run not shown")
    return f"{' · '.join(words)} · busy: training or running the teacher\n{labels.footer([result])}"


def _keep_fitting(figure: Figure, texts: list[tuple]) -> None:
    """Names that are wider than their blocks are written small, upright, or go."""
    figure.draw_without_rendering()
    for text, bar in texts:
        box = bar.get_window_extent()
        for size, rotation in _WRITINGS:
            text.set(fontsize=size, rotation=rotation)
            own = text.get_window_extent()
            if own.width <= 0.94 * box.width and own.height <= 0.94 * box.height:
                break
        else:
            text.set_visible(False)
