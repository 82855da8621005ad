"""Values that are known exactly, and different ways to the same value."""

from math import cos, pi, sin

import numpy as np
import pytest

from kicked_ising import (
    CLIFFORD_POINT,
    MAGNETIZATION_5_STEPS,
    W10,
    W10_5_STEPS,
    W17,
    W17_5_STEPS,
    Z62_5_STEPS,
    dataset,
    gate_list,
)

# The bond dimension that truncates nothing in five steps: the last layer is skipped in the cone.
CONE = {"max_bond_dimension": 16}
ALL_GATES = {"max_bond_dimension": 32, "causal_cone": False}


@pytest.mark.parametrize("lattice, state", [(name, CONE) for name in MAGNETIZATION_5_STEPS]
                         + [("eagle", ALL_GATES), ("infinite-heavy-hex", ALL_GATES)])
def test_magnetization_at_five_steps(rankine, lattice, state):
    exact = MAGNETIZATION_5_STEPS[lattice]
    results = rankine.results(lattice={"name": lattice}, circuit={"theta_h": list(exact)}, state=state)
    np.testing.assert_allclose(results["magnetization"][:, -1], list(exact.values()), rtol=0, atol=1e-13)
    assert results["bond_dimension"].max() == state["max_bond_dimension"]
    assert results["discarded_weight"].max() < 1e-13


def test_a_degree_three_site_after_four_steps(rankine):
    angles = [0.2, 0.7, 1.1, 1.5]
    results = rankine.results(lattice={"name": "infinite-heavy-hex"}, circuit={"theta_h": angles, "steps": 4})
    exact = [cos(t) ** 4 * (1 + 2 * sin(t) ** 2 - 3 * cos(t) ** 2 * sin(t) ** 10) for t in angles]
    for site in (0, 1):
        np.testing.assert_allclose(results["site_z"][:, -1, site], exact, rtol=0, atol=1e-13)


def test_one_site_after_five_steps(rankine):
    results = rankine.results(circuit={"theta_h": list(Z62_5_STEPS)}, state=CONE, measure={"observables": "Z62"})
    np.testing.assert_allclose(results["Z62"][:, -1], list(Z62_5_STEPS.values()), rtol=0, atol=1e-12)


@pytest.mark.parametrize("string, exact", [(W10, W10_5_STEPS), (W17, W17_5_STEPS)])
def test_stabilisers_after_five_steps(rankine, string, exact):
    results = rankine.results(circuit={"theta_h": list(exact)}, measure={"observables": string, "every": 5})
    np.testing.assert_allclose(results[dataset(string)][:, 0], list(exact.values()), rtol=0, atol=1e-9)


def test_the_kick_comes_before_the_coupling(rankine):
    """The other order turns the weights of the stabilisers from 10 and 17 into 6 and 15, and W10 vanishes."""
    measure = {"observables": [W10], "every": 5, "clifford_route": "never"}
    state = {"max_bond_dimension": 32}
    rankine.write("swapped.txt", gate_list(5, "couple kick"))
    right = rankine.results(circuit={"theta_h": CLIFFORD_POINT}, state=state, measure=measure)
    swapped = rankine.results(circuit={"theta_h": CLIFFORD_POINT, "name": "gate-list", "file": "swapped.txt"},
                              state=state, measure=measure)
    assert right[dataset(W10)][0, 0] == pytest.approx(1, abs=1e-12)
    assert swapped[dataset(W10)][0, 0] == pytest.approx(0, abs=1e-12)


def test_at_no_kick_and_half_a_turn_nothing_is_entangled(rankine):
    results = rankine.results(circuit={"theta_h": [0.0, pi]}, measure={"every": 5})
    np.testing.assert_allclose(results["magnetization"][:, 0], [1, -1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("precision", ["complex128", "complex64"])
def test_keeping_every_singular_value_keeps_no_noise(rankine, precision):
    """At half a turn the state is a product state; singular values of rounding size must not be taken for weights."""
    state = {"route": "qr", "precision": precision, "discarded_weight_max": 0}
    results = rankine.results(circuit={"theta_h": pi}, state=state)
    assert results["magnetization"][0, -1] == pytest.approx(-1, abs=1e-5)


def test_routes_and_precisions_agree_with_truncation(rankine):
    strings = ["magnetization", "Z62", "X62 Z63", W10]

    def results(**state):
        return rankine.results(circuit={"steps": 7, "theta_h": 0.8}, state={"max_bond_dimension": 8} | state,
                               measure={"observables": strings, "every": 3})

    reference = results()
    assert reference["discarded_weight"][0, -1] > 0.1
    for state, tolerance in [({"route": "qr"}, 1e-11), ({"precision": "complex64"}, 1e-5)]:
        changed = results(**state)
        for name in map(dataset, strings):
            np.testing.assert_allclose(changed[name], reference[name], rtol=0, atol=tolerance, err_msg=name)


def test_the_cone_changes_nothing_that_is_not_truncated(rankine):
    def results(cone):
        return rankine.results(state={"causal_cone": cone}, circuit={"steps": 4},
                               measure={"observables": ["magnetization", "Z62", "Y61 X62"]})

    with_cone, without = results(True), results(False)
    for name in ["magnetization", "Z62", "Y61_X62", "site_z"]:
        np.testing.assert_allclose(with_cone[name], without[name], rtol=0, atol=1e-13)
    assert np.all(with_cone["bond_dimension"] <= without["bond_dimension"])


def test_a_sweep_equals_its_single_runs_in_any_order(rankine):
    circuit = {"steps": 6, "theta_h": [0.3, 0.8]}
    sweep = rankine.results(circuit=circuit, state={"max_bond_dimension": [2, 8]})
    single = rankine.results("state.max_bond_dimension=8", "circuit.theta_h=0.8", "measure.every=4", circuit=circuit)
    assert single["steps"].tolist() == [4, 6]
    for name in ["magnetization", "site_z"]:
        np.testing.assert_allclose(single[name][0], sweep[name][3][[3, 5]], rtol=0, atol=1e-14)
