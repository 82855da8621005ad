"""Circuits from files: against the built-in circuit, and every gate against a state vector."""

import random

import numpy as np
import pytest

from kicked_ising import gate_list
from state_vector import FIXED, INVOLUTIONS, StateVector

# A tree with a site of degree 3, apart from it a pair, and a site without an edge.
TREE = [(0, 1), (2, 1), (1, 3), (3, 4), (5, 4), (6, 7)]
N_SITES = 9
STRINGS = ["X1", "Y3", "Z8", "Y8", "X0 Y1", "Z1 X3 Y4", "Y0 Z5", "X0 X2 Y5", "Y6 X7"]


def test_the_kicked_ising_circuit_written_out(rankine):
    """The same gates in the same order, so the same truncation."""
    rankine.write("gates.txt", gate_list(6, final_kick=True))
    circuit = {"theta_h": [0.4, 0.8], "theta_j": -1.2}
    options = {"state": {"max_bond_dimension": 8}, "measure": {"observables": ["magnetization", "Y62", "X62 Z63"]}}
    built_in = rankine.results(circuit=circuit | {"steps": 6, "final_rx_layer": True}, **options)
    written = rankine.results(circuit=circuit | {"name": "gate-list", "file": "gates.txt"}, **options)
    assert built_in["discarded_weight"].max() > 0.01
    assert sorted(built_in) == sorted(written)
    for name in built_in:
        np.testing.assert_allclose(written[name], built_in[name], rtol=0, atol=1e-12, err_msg=name)


def random_circuit(seed: int, n_steps: int) -> list[list[str]]:
    """Steps of random gates; every kind of gate occurs, on edges in both directions."""
    draw = random.Random(seed)
    steps = []
    for _ in range(n_steps):
        lines = []
        for name in [*INVOLUTIONS, *FIXED]:
            two_sites = len(INVOLUTIONS.get(name, FIXED.get(name))) == 4
            for _ in range(2):
                sites = draw.sample(draw.choice(TREE), 2) if two_sites else [draw.randrange(N_SITES)]
                angle = [f"{draw.uniform(-3, 3):.6f}"] if name in INVOLUTIONS else []
                lines.append(" ".join([name, *map(str, sites), *angle]))
        draw.shuffle(lines)
        steps.append(lines)
    return steps


@pytest.mark.parametrize("ranks, state", [(None, {"causal_cone": False}), (3, {}), (None, {"route": "qr"})])
def test_every_gate_against_a_state_vector(rankine, ranks, state):
    steps = random_circuit(seed=1, n_steps=3)
    rankine.write("tree.edges", "".join(f"{a} {b}\n" for a, b in TREE))
    rankine.write("gates.txt", "step\n".join("\n".join(lines) + "\n" for lines in steps))
    results = rankine.results(
        ranks=ranks, state=state, lattice={"name": "edge-list", "file": "tree.edges", "n_sites": N_SITES},
        circuit={"name": "gate-list", "file": "gates.txt"}, measure={"observables": ["magnetization", *STRINGS]})
    exact = StateVector(N_SITES)
    assert results["steps"].tolist() == [1, 2, 3]
    for column, lines in enumerate(steps):
        exact.evolve(lines)
        for string in STRINGS:
            value = results[string.replace(" ", "_")][0, column]
            assert value == pytest.approx(exact.expectation(string), abs=1e-10), (string, column + 1)
        for site in range(N_SITES):
            assert results["site_z"][0, column, site] == pytest.approx(exact.expectation(f"Z{site}"), abs=1e-10)


def test_the_kicked_ising_circuit_on_a_disconnected_lattice(rankine):
    rankine.write("tree.edges", "".join(f"{a} {b}\n" for a, b in TREE))
    strings = ["X0 Y1", "Y6 X7", "Z8"]
    results = rankine.results(lattice={"name": "edge-list", "file": "tree.edges", "n_sites": N_SITES},
                              circuit={"steps": 4, "theta_h": 0.7, "theta_j": 0.9}, measure={"observables": strings})
    exact = StateVector(N_SITES)
    for column in range(4):
        exact.evolve([f"rx {site} 0.7" for site in range(N_SITES)] + [f"rzz {a} {b} 0.9" for a, b in TREE])
        for string in strings:
            assert results[string.replace(" ", "_")][0, column] == pytest.approx(exact.expectation(string), abs=1e-12)
