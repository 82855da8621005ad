"""Circuits from files: against the built-in circuit, and every gate against a state vector."""

import hashlib
import math
import random

import h5py
import numpy as np
import pytest

from kicked_ising import gate_list
from state_vector import GATES, StateVector

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
        for name, (n_sites, n_angles, _) in GATES.items():
            sites = draw.sample(draw.choice(TREE), 2) if n_sites == 2 else [draw.randrange(N_SITES)]
            angles = [f"{draw.uniform(-3, 3):.6f}" for _ in range(n_angles)]
            lines.append(" ".join([name, *map(str, sites), *angles]))
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


def test_angles_as_people_write_them(rankine):
    """The same circuit with its angles worked out; written as some editors of Windows do."""
    written = "rx 0 pi/2\r\nry 1 +0.4\nu 2 -3*pi/4 2pi/3 theta_h\nrzz 0 1 theta_j/2\nrx 2 1e-400\ncp 1 2 -0.5theta_h\n"
    worked_out = [f"rx 0 {math.pi / 2}", "ry 1 0.4", f"u 2 {-3 * math.pi / 4} {2 * math.pi / 3} 0.7", "rzz 0 1 -0.6",
                  "cp 1 2 -0.35"]  # fmt: skip
    (rankine.folder / "path.edges").write_bytes(b"\xef\xbb\xbf0 1\r\n1 2\r\n")
    (rankine.folder / "gates.txt").write_bytes(b"\xef\xbb\xbf" + written.encode())
    strings = ["X0", "Y1", "Z2", "X1 Y2"]
    results = rankine.results(
        lattice={"name": "edge-list", "file": "path.edges"}, measure={"observables": strings},
        circuit={"name": "gate-list", "file": "gates.txt", "theta_h": 0.7, "theta_j": -1.2})
    exact = StateVector(3)
    exact.evolve(worked_out)
    for string in strings:
        assert results[string.replace(" ", "_")][0, -1] == pytest.approx(exact.expectation(string), abs=1e-12)


@pytest.mark.parametrize("ranks", [None, 2])
def test_one_site_without_an_edge(rankine, ranks):
    rankine.write("one.edges", "# one site\n")
    rankine.write("gates.txt", "ry 0 0.4\nstep\nsx 0\n")
    results = rankine.results(
        ranks=ranks, lattice={"name": "edge-list", "file": "one.edges", "n_sites": 1},
        circuit={"name": "gate-list", "file": "gates.txt"}, measure={"observables": ["magnetization", "Y0"]})
    assert results["magnetization"][0] == pytest.approx([math.cos(0.4), 0], abs=1e-14)
    assert results["Y0"][0] == pytest.approx([0, -math.cos(0.4)], abs=1e-14)


def gate_list_and_edges(path) -> tuple[str, str]:
    """What a result file says of its circuit and lattice, checked against the hashes beside."""
    with h5py.File(path) as file:
        steps, order, edges = (file["inputs"][name] for name in ("steps", "step_order", "edges"))
        gates = "".join(steps.asstr()[index] + "step\n" for index in order[...])
        lattice = "".join(f"{a} {b} {colour}\n" for a, b, colour in edges[...])
        assert order.attrs["sha256"] == hashlib.sha256(gates.encode()).hexdigest()
        sized = f"{edges.attrs['n_sites']}\n{lattice}"
        assert edges.attrs["sha256"] == hashlib.sha256(sized.encode()).hexdigest()
        return gates, lattice


@pytest.mark.parametrize("circuit", [{"steps": 3, "final_rx_layer": True},
                                     {"name": "gate-list", "file": "gates.txt"}])  # fmt: skip
def test_a_result_file_is_enough_to_compute_it_again(rankine, circuit):
    rankine.write("tree.edges", "".join(f"{a} {b}\n" for a, b in TREE))
    rankine.write("gates.txt", "rx 0 theta_h # a comment\nstep\nrzz  1 0 -theta_j\nstep\nrx 0 theta_h\n")
    angles = {"theta_h": [0.4, 0.7], "theta_j": 0.9}
    measure = {"observables": ["magnetization", "X0 Y1", "Y3"]}
    first = rankine.results(lattice={"name": "edge-list", "file": "tree.edges", "n_sites": N_SITES},
                            circuit=circuit | angles, measure=measure)
    gates, lattice = gate_list_and_edges(rankine.folder / "result.h5")
    if "file" in circuit:
        assert gates == "rx 0 theta_h\nstep\nrzz 1 0 -theta_j\nstep\nrx 0 theta_h\nstep\n"
    rankine.write("again.edges", lattice)
    rankine.write("again.txt", gates)
    again = rankine.results(lattice={"name": "edge-list", "file": "again.edges", "n_sites": N_SITES},
                            circuit={"name": "gate-list", "file": "again.txt"} | angles, measure=measure)
    assert sorted(first) == sorted(again)
    for name in first:
        np.testing.assert_allclose(again[name], first[name], rtol=0, atol=1e-13, err_msg=name)
    assert gate_list_and_edges(rankine.folder / "result.h5") == (gates, lattice)


def test_angles_that_the_circuit_does_not_use_are_not_shown(rankine):
    rankine.write("gates.txt", "rx 0 0.4\nrzz 0 1 theta_j\n")
    outcome = rankine.run(circuit={"name": "gate-list", "file": "gates.txt"})
    assert outcome.code == 0, outcome.err
    assert outcome.out.split()[:3] == ["max", "bond", "magnetization"]
    with h5py.File(rankine.folder / "result.h5") as file:
        assert "theta_h" not in file["results"] and "theta_j" in file["results"].attrs
        assert "final_rx_layer" not in file["results"].attrs
