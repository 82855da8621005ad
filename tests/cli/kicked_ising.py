"""The kicked Ising experiment: exact values, Pauli strings, and the circuit as a gate list.

Exact values: Z of a site after five steps depends on the ball of radius 4 around it alone, a tree of at most 19 sites
whose state vector gives it to rounding. Angles in radians.
"""

from math import pi
from pathlib import Path

MAGNETIZATION_5_STEPS = {
    "eagle": {0.6: 0.71823577085266, pi / 4: 0.45280386917345},
    "osprey": {0.6: 0.70948513676011, pi / 4: 0.44216026955378},
    "condor": {0.6: 0.70556093126543, pi / 4: 0.43781346217504},
    "infinite-heavy-hex": {0.6: 0.69906634990348, pi / 4: 0.43119435930627},
}
Z62_5_STEPS = {7 * pi / 32: 0.655563050749, 5 * pi / 16: 0.238477118019}
W10_5_STEPS = {1.2: 0.35799477598491, pi / 2: 1}
W17_5_STEPS = {14 * pi / 32: -0.615178293836797}

# Stabilisers of the Clifford point theta_h = pi/2 after five steps (Kim et al., Nature 618, 500, Figs. 3b and 3c).
W10 = "X13 X29 X31 Y9 Y30 Z8 Z12 Z17 Z28 Z32"
W17 = "X37 X41 X52 X56 X57 X58 X62 X79 Y75 Z38 Z40 Z42 Z63 Z72 Z80 Z90 Z91"
CLIFFORD_POINT = pi / 2


def dataset(pauli_string: str) -> str:
    return pauli_string.replace(" ", "_")


def eagle_edges() -> list[tuple[int, int]]:
    """Eagle's edges in the order of their gates: by colour, then by line."""
    lines = (Path(__file__).parents[1] / "data" / "heavyhex_eagle127.edges").read_text().splitlines()
    edges = [tuple(map(int, line.split())) for line in lines if not line.startswith("#")]
    return [(a, b) for a, b, _ in sorted(edges, key=lambda edge: edge[2])]


def gate_list(steps: int, layers: str = "kick couple", final_kick: bool = False) -> str:
    """Eagle's circuit, one gate per line; `layers` in the order they are applied in a step."""
    text = {
        "kick": "".join(f"rx {site} theta_h\n" for site in range(127)),
        "couple": "".join(f"rzz {a} {b} theta_j\n" for a, b in eagle_edges()),
    }
    step = "".join(text[layer] for layer in layers.split())
    return "step\n".join([step] * steps) + (text["kick"] if final_kick else "")
