"""How often an extrapolation covers the exact value, on stored curves: run it for the table of docs/algorithms/extrapolation.md.

Each curve ends at a bond dimension that truncates nothing, whose value is the exact one. It is cut at every smaller bond dimension
and extrapolated from there.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "postprocess"))
from rankine_postprocess.extrapolation import extrapolate  # noqa: E402

SMALLEST_ERROR = 1e-8  # of the largest bond dimension, for a case to count: less is near the digits that are stored


@dataclass(frozen=True)
class Case:
    """One curve cut at one bond dimension."""

    name: str
    used: str  # "chosen": the method was chosen by it; "held out": it was not
    discarded_weight: float
    uncertainty: float
    error: float  # of the extrapolation
    error_of_largest: float  # of the value at the largest bond dimension


def cases() -> list[Case]:
    return [case for key, rows in _curves().items() for case in _cuts(*key[:2], np.array(rows))]


def _curves() -> dict[tuple, list]:
    found: dict[tuple, list] = {}
    with open(Path(__file__).with_name("extrapolation_curves.csv")) as file:
        for row in csv.DictReader(file):
            key = (row["curves"], row["used"], row["theta_h"])
            found.setdefault(key, []).append([float(row[name]) for name in ("max_bond_dimension", "value", "discarded_weight")])
    return found


def _cuts(name: str, used: str, rows: np.ndarray) -> Iterator[Case]:
    chi, value, weight = rows.T
    for end in range(3, len(rows)):
        off = abs(value[end - 1] - value[-1])
        found = extrapolate(chi[:end], value[:end], weight[:end])
        if off >= SMALLEST_ERROR and found is not None:
            yield Case(name, used, weight[end - 1], found.uncertainty, abs(found.value - value[-1]), off)


def covered(chosen: list[Case], times: float = 1.0) -> float:
    return float(np.mean([case.error <= times * case.uncertainty for case in chosen]))


def _line(name: str, chosen: list[Case]) -> str:
    better = np.mean([case.error < case.error_of_largest for case in chosen])
    gain, width = (float(np.median([getattr(case, what) / case.error_of_largest for case in chosen])) for what in ("error", "uncertainty"))
    return f"| {name} | {len(chosen)} | {covered(chosen):.0%} | {covered(chosen, 2):.0%} | {gain:.2f} | {better:.0%} | {width:.1f} |"


if __name__ == "__main__":
    found = cases()
    print("| curves | cases | within U | within 2 U | error | better | U |\n|---|---|---|---|---|---|---|")
    for kind in ("chosen", "held out"):
        for name in dict.fromkeys(case.name for case in found if case.used == kind):
            print(_line(name, [case for case in found if (case.name, case.used) == (name, kind)]))
        print(_line(f"**all, {kind}**", [case for case in found if case.used == kind]))
    for low, high, range_ in ((0, 1e-3, "$w < 10^{-3}$"), (1e-3, 0.1, "$10^{-3} \\leq w < 0.1$"), (0.1, np.inf, "$w \\geq 0.1$")):
        print(_line(f"held out, {range_}", [case for case in found if case.used == "held out" and low <= case.discarded_weight < high]))
