"""The same results for any number of ranks and teams, also with more ranks than sites."""

import h5py
import numpy as np
import pytest

from conftest import simulate_eagle
from kicked_ising import MAGNETIZATION_5_STEPS, W10

# Truncated at every bond from the fourth step on; W10 by clusters, then by the Clifford route.
DECK = {
    "circuit": {"steps": 7, "theta_h": [0.8, 0.3, 0.5]},
    "state": {"max_bond_dimension": 8},
    "measure": {"observables": ["magnetization", "Z62", "X62 Z63", W10], "every": 3},
}


@pytest.fixture(scope="module")
def one_rank(tmp_path_factory):
    results = simulate_eagle(tmp_path_factory.mktemp("one_rank")).results(ranks=1, **DECK)
    assert results["discarded_weight"][0, -1] > 0.1
    return results


def assert_same(results, expected):
    assert sorted(results) == sorted(expected)
    for name in expected:
        np.testing.assert_allclose(results[name], expected[name], rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("ranks, teams", [(2, 1), (3, 1), (4, 1), (4, 3)])
def test_results_do_not_depend_on_ranks_and_teams(rankine, one_rank, ranks, teams):
    assert_same(rankine.results(f"parallel.teams={teams}", ranks=ranks, **DECK), one_rank)
    with h5py.File(rankine.folder / "result.h5") as file:
        assert file.attrs["n_ranks"] == ranks


def test_nor_do_they_with_other_options(rankine):
    state = DECK["state"] | {"route": "qr", "causal_cone": False, "precision": "complex64"}
    deck = {"circuit": {"steps": 5, "theta_h": 0.8}, "state": state, "measure": {"every": 5}}
    expected = rankine.results(**deck)
    assert_same(rankine.results(ranks=3, **deck), expected)


def test_more_ranks_than_sites(rankine):
    exact = MAGNETIZATION_5_STEPS["infinite-heavy-hex"]
    outcome = rankine.run(ranks=7, lattice={"name": "infinite-heavy-hex"}, circuit={"theta_h": list(exact)})
    assert outcome.code == 0, outcome.err
    np.testing.assert_allclose(rankine.read()["magnetization"][:, -1], list(exact.values()), rtol=0, atol=1e-13)
    assert "7 ranks a team" in outcome.err and "idle" in outcome.err
    with h5py.File(rankine.folder / "result.h5") as file:
        assert any(b"idle" in line for line in file["log"][...])
