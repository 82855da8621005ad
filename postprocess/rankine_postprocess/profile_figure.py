"""Figure: where the time of a run went, a bar for each rank with its stages one on the other."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from .frame import add_frame
from .labels import plain
from .profile import WAIT, Profile
from .style import STYLE
from .wording import count, shortened

_COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#8C6D1F", "#F0C040", "#D55E00", "#CC79A7", "#5B3F8C")
_OTHERS, _WAITING = "0.6", "0.88"
_ON_TOP = ("other stages", "waiting for other ranks")
_MOST_BARS = 64  # of more ranks the bars touch
_LEAST_PART = 0.002  # of the mean run that a stage must take to have a colour of its own
_LONGEST = 34


def draw(profiles: list[Profile]) -> Figure:
    """A panel a file, to one scale of seconds."""
    with matplotlib.rc_context(STYLE):
        width = min(18.0, max(7.6, 2.6 + sum(2.0 + 0.12 * min(one.ranks, _MOST_BARS) for one in profiles)))
        figure = Figure(figsize=(width, 5.6), layout="constrained")
        panels = figure.subplots(1, len(profiles), sharey=True, squeeze=False)[0]
        stages = _stages(profiles)
        for panel, profile in zip(panels, profiles):
            _draw_ranks(panel, profile, stages)
            if len(profiles) > 1:
                panel.set_title(plain(shortened(profile.path.stem, _LONGEST)), fontsize=10)
        panels[0].set_ylabel("seconds")
        panels[0].set_ylim(bottom=0.0)
        handles = {label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels())}
        handles |= {label: handles.pop(label) for label in _ON_TOP if label in handles}
        panels[-1].legend(list(handles.values())[::-1], list(handles)[::-1], loc="upper left", bbox_to_anchor=(1.0, 1.0))
        add_frame(figure, _title(profiles), _footer(profiles))
    return figure


def _stages(profiles: list[Profile]) -> dict[str, str]:
    """Stage -> colour, those that take most first; as many as there are colours."""
    parts: dict[str, float] = {}
    for profile in profiles:
        whole = max(profile.seconds.sum(axis=0).mean(), 1e-300)
        for stage, seconds in zip(profile.stages, profile.seconds.mean(axis=1)):
            parts[stage] = max(parts.get(stage, 0.0), seconds / whole)
    ordered = sorted(parts.keys() - {WAIT}, key=lambda stage: (-parts[stage], stage))
    return dict(zip([stage for stage in ordered if parts[stage] >= _LEAST_PART], _COLOURS))


def _draw_ranks(panel, profile: Profile, stages: dict[str, str]) -> None:
    base = np.zeros(profile.ranks)
    for stage, colour in stages.items():
        seconds = _of_stage(profile, stage)
        _bars(panel, base, seconds, colour, plain(shortened(stage, _LONGEST)))
        base = base + seconds
    waiting = _of_stage(profile, WAIT)
    rest = np.maximum(profile.seconds.sum(axis=0) - waiting - base, 0.0)
    if rest.any() and set(profile.stages) - set(stages) - {WAIT}:
        _bars(panel, base, rest, _OTHERS, _ON_TOP[0])
    if waiting.any():
        _bars(panel, profile.seconds.sum(axis=0) - waiting, waiting, _WAITING, _ON_TOP[1])
    panel.set_xlabel("rank")
    panel.xaxis.set_major_locator(_ticks(profile.ranks))
    margin = 0.1 if profile.ranks <= _MOST_BARS else 0.0
    panel.set_xlim(-0.5 - margin, profile.ranks - 0.5 + margin)
    panel.grid(visible=False, axis="x")


def _of_stage(profile: Profile, stage: str) -> np.ndarray:
    return sum((row for name, row in zip(profile.stages, profile.seconds) if name == stage), np.zeros(profile.ranks))


def _ticks(ranks: int):
    return FixedLocator(range(ranks)) if ranks <= 12 else MaxNLocator(integer=True, nbins=10)


def _bars(panel, base: np.ndarray, seconds: np.ndarray, colour: str, label: str) -> None:
    ranks = len(base)
    if ranks <= _MOST_BARS:
        panel.bar(np.arange(ranks), seconds, bottom=base, width=0.8, color=colour, label=label)
    else:
        panel.stairs(base + seconds, np.arange(ranks + 1) - 0.5, baseline=base, fill=True, color=colour, label=label)


def _title(profiles: list[Profile]) -> str:
    titles = {profile.title for profile in profiles}
    (title,) = titles if len(titles) == 1 else ("",)
    return f"Where the time went: {plain(title)}" if title else "Where the time went"


def _footer(profiles: list[Profile]) -> str:
    """The run of each file, what is sent, and how evenly ranks work."""
    words = []
    for profile in profiles:
        most, sent = profile.seconds.sum(axis=0).max(), profile.bytes_sent.sum() / 2**20
        uneven = {stage: row.max() - row.mean() for stage, row in zip(profile.stages, profile.seconds) if stage != WAIT}
        ranks = count(profile.ranks, "rank")
        worst = f", least even: {max(uneven, key=uneven.get)}" if profile.ranks > 1 and uneven else ""
        words.append(f"{plain(profile.path.name)}: {ranks}, {most:.4g} s, {sent:.4g} MiB sent{plain(worst)}")
    return "; ".join(words)
