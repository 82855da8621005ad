"""Figure: what circuits of gates do for operators, against their depth, a line for every gate size."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import compression_labels as labels
from .compression import Compression
from .errors import InputError
from .frame import add_frame
from .perplexity_scale import drawable
from .style import EXACT, STYLE
from .ticks import CompleteNumbers
from .wording import count

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9")
_MARKERS = "osD^vP"
_ALONE = {"mpo": ("operator alone, balanced legs", "-."), "low-rank": ("low rank alone", ":")}


@dataclass(frozen=True)
class _Quantity:
    name: str
    of: Callable[[Compression], float | None]  # of a file with gates, or of another form
    alone: Callable[[Compression], float | None] = lambda _: None  # of its operators without gates


def _mean(values) -> float | None:
    values = list(values)
    return sum(values) / len(values) if values and None not in values else None


def _overlap(compression: Compression) -> float | None:
    """Of other forms in the plain norm what is discarded says it too."""
    if not has_gates(compression) and compression.setting("method.weighting") != "none":
        return None
    return _mean(
        w.gates.overlap if w.gates else math.sqrt(max(0.0, 1 - w.weighted_error**2)) for w in compression.weights.values()
    )


_OVERLAP = _Quantity("overlap", _overlap, lambda c: _mean(w.gates.overlap_alone for w in c.weights.values() if w.gates))
_ENTROPY = _Quantity(
    "entropy of the cut (nat)",
    lambda c: _mean(w.gates.entropy_after for w in c.weights.values() if w.gates),
    lambda c: _mean(w.gates.entropy_before for w in c.weights.values() if w.gates),
)
_PERPLEXITY = _Quantity("perplexity", lambda c: None if c.perplexity_after is None else drawable(c.perplexity_after))


def has_gates(compression: Compression) -> bool:
    return any(weight.gates for weight in compression.weights.values())


def draw(compressions: list[Compression]) -> Figure:
    """Panels at equal bond dimension or at equal total numbers, as the decks ask. Raises InputError."""
    circuits = [c for c in compressions if has_gates(c)]
    if not circuits:
        raise InputError('none of the files has a weight between circuits. Set method.form = "disentangled" in their decks.')
    is_same_bond = {bool(c.setting("ranks.bond_dimension", 0)) for c in circuits}
    if len(is_same_bond) > 1:
        raise InputError("some of the files have a bond dimension and others a ratio of numbers. Draw them apart.")
    at_same_bond = is_same_bond.pop()
    others = [] if at_same_bond else [c for c in compressions if not has_gates(c)]
    quantities = [q for q in (_OVERLAP, _ENTROPY, _PERPLEXITY) if any(q.of(c) is not None for c in circuits)]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(1.2 + 3.9 * len(quantities), 5.0), layout="constrained")
        panels = figure.subplots(1, len(quantities), squeeze=False)[0]
        for panel, quantity in zip(panels, quantities):
            _draw_panel(panel, quantity, circuits, others, at_same_bond)
        panels[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2, fontsize=8.5)
        kept = "equal bond dimension, gates not counted" if at_same_bond else "equal total numbers, gates counted"
        add_frame(figure, labels.title(circuits, f"{circuits[0].model}: {kept}"), f"{kept}; {labels.footer(circuits)}")
    return figure


def _draw_panel(panel, quantity: _Quantity, circuits: list[Compression], others: list[Compression], at_same_bond: bool) -> None:
    sizes = sorted({_gate_size(c) for c in circuits if _depth(c)})
    for place, size in enumerate(sizes):
        members = sorted((c for c in circuits if _gate_size(c) == size and _depth(c)), key=_depth)
        drawn = [(_depth(c), quantity.of(c)) for c in members if quantity.of(c) is not None]
        if drawn:
            panel.plot(*zip(*drawn), marker=_MARKERS[place % len(_MARKERS)], color=_COLOURS[place % len(_COLOURS)], lw=1.3, ms=5.5,
                       label=f"gates on {count(size, 'qubit')}", gid=f"gates {size}")  # fmt: skip
    if (alone := _alone(quantity, circuits, at_same_bond)) is not None:
        panel.axhline(alone, color=EXACT, ls="--", lw=1.4, label="operator alone", gid="alone")
    for other in others:
        label, style = _ALONE.get(other.setting("method.form"), (labels.method(other), ":"))
        if (value := quantity.of(other)) is not None:
            panel.axhline(value, color="0.35", ls=style, lw=1.3, label=labels.plain(label), gid="other")
    panel.set_xlabel("layers of gates")
    panel.set_ylabel(quantity.name)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.yaxis.set_major_formatter(CompleteNumbers())


def _alone(quantity: _Quantity, circuits: list[Compression], at_same_bond: bool) -> float | None:
    """At one bond dimension every file says it; at equal numbers the file without layers does."""
    if at_same_bond or quantity is _ENTROPY:
        return quantity.alone(circuits[0])
    return next((quantity.of(c) for c in circuits if not _depth(c)), None)


def _depth(compression: Compression) -> int:
    return int(compression.setting("disentangler.depth", 0))


def _gate_size(compression: Compression) -> int:
    return int(compression.setting("disentangler.gate_size", 0))
