"""Short loops: values are exact, or the file, the log and the check say what they leave out."""

import h5py
import numpy as np
import pytest

from state_vector import StateVector

KITE = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, 4), (4, 5)]


def grid(rows: int, columns: int) -> list[tuple[int, int]]:
    sites = np.arange(rows * columns).reshape(rows, columns)
    pairs = [*zip(sites[:, :-1].flat, sites[:, 1:].flat), *zip(sites[:-1].flat, sites[1:].flat)]
    return [(int(a), int(b)) for a, b in pairs]


def write_lattice(rankine, edges) -> dict:
    rankine.write("lattice.edges", "".join(f"{a} {b}\n" for a, b in edges))
    return {"name": "edge-list", "file": "lattice.edges"}


@pytest.mark.parametrize("ranks", [None, 3])
@pytest.mark.parametrize("edges, strings", [(grid(3, 4), ["Z5", "X5", "X5 X6"]), (KITE, ["Z0", "Z3", "Y1 X4"])],
                         ids=["grid", "kite"])  # fmt: skip
def test_short_loops_are_exact(rankine, edges, strings, ranks):
    n_sites = max(map(max, edges)) + 1
    results = rankine.results(lattice=write_lattice(rankine, edges), circuit={"theta_h": 0.6}, ranks=ranks,
                              state={"max_bond_dimension": 16}, measure={"observables": ["magnetization", *strings]})
    exact = StateVector(n_sites)
    for column in range(5):
        exact.evolve([f"rx {site} 0.6" for site in range(n_sites)]
                     + [f"rzz {a} {b} -1.5707963267948966" for a, b in edges])  # fmt: skip
        z = [exact.expectation(f"Z{site}") for site in range(n_sites)]
        np.testing.assert_allclose(results["site_z"][0, column], z, rtol=0, atol=1e-12)
        assert results["magnetization"][0, column] == pytest.approx(np.mean(z), abs=1e-12)
        for string in strings:
            value = results[string.replace(" ", "_")][0, column]
            assert value == pytest.approx(exact.expectation(string), abs=1e-12), (string, column + 1)
            if len(string) == 2 and string[0] == "Z":
                assert value == results["site_z"][0, column, int(string[1:])]
    assert results["discarded_weight"].max() < 1e-13


def test_every_value_that_is_not_exact_says_so_everywhere(rankine):
    lattice = write_lattice(rankine, grid(6, 6))
    measure = {"observables": ["magnetization", "Z14", "Z0"], "every": 2}
    outcome = rankine.run(lattice=lattice, circuit={"theta_h": [0.4, 0.5]}, state={"max_bond_dimension": 4},
                          measure=measure, ranks=2)  # fmt: skip
    assert outcome.code == 0, outcome.err
    warnings = [line for line in outcome.err.splitlines() if "not exact" in line]
    assert len(warnings) == 1 and "magnetization and site_z, Z14 (" in warnings[0] and "accuracy.md" in warnings[0]
    check = rankine.start("deck.toml", "--check")
    assert "not exact: magnetization and site_z, Z14 (" in check.out
    with h5py.File(rankine.folder / "result.h5") as file:
        results = file["results"]
        assert results["Z0"].attrs["loops_ignored"] == 0 and results["Z0"].attrs["uncertainty"] == 0
        for name in ("magnetization", "site_z", "Z14"):
            attributes = results[name].attrs
            assert attributes["route"].split(",")[-1].startswith("mean-field")
            assert attributes["loops_ignored"].tolist()[0] == 0 and attributes["loops_ignored"][-1] > 10
            assert attributes["shortest_loop_ignored"].tolist()[::2] == [0, 4]
            assert attributes["exact_flops"][-1] > 1e12
            assert attributes["uncertainty"] > 1e-4
        assert results["uncertainty/Z14"].shape == (2, 3)
        assert results["uncertainty/Z14"][:, 0].tolist() == [0, 0] and results["uncertainty/Z14"][:, 2].min() > 1e-4
        ignored = results["loops_ignored/site_z"][...]
        assert ignored.shape == (3, 36) and not ignored[0].any()
        assert (ignored[2, 0], ignored[2, 14]) == (0, results["Z14"].attrs["loops_ignored"][-1])
        assert "uncertainty/Z0" not in results


def test_a_string_over_parts_that_no_path_joins_is_their_product(rankine):
    rankine.write("pairs.edges", "0 1\n2 3\n4 5\n5 6\n6 4\n")
    results = rankine.results(lattice={"name": "edge-list", "file": "pairs.edges"}, circuit={"theta_h": 0.7},
                              measure={"observables": ["Z0 X3 Z5", "Z0", "X3", "Z5"]})  # fmt: skip
    product = results["Z0"] * results["X3"] * results["Z5"]
    np.testing.assert_allclose(results["Z0_X3_Z5"], product, rtol=0, atol=1e-14)


def test_more_than_ten_parts_and_whole_rings_are_measured(rankine):
    ring = "Z0 Z1 Z2 Z3 Z4 Z14 Z15 Z18 Z19 Z20 Z21 Z22"
    eleven = " ".join(f"Z{site}" for site in range(0, 66, 6))
    results = rankine.results(circuit={"theta_h": 0.3, "steps": 3}, state={"causal_cone": False},
                              measure={"observables": [ring, eleven]})  # fmt: skip
    assert all(np.all(np.abs(results[name.replace(" ", "_")]) <= 1) for name in (ring, eleven))


def test_a_state_vector_that_cannot_fit_is_refused(rankine, refuses):
    lattice = write_lattice(rankine, grid(4, 6))
    refuses("a state vector needs 128.0 MiB beside the program", "measure.state_vector_sites", code=3,
            lattice=lattice, measure={"observables": "Z8"}, parallel={"memory_per_rank": 0.2})  # fmt: skip
    little = rankine.start("deck.toml", "--check", "measure.state_vector_sites=12", "state.max_bond_dimension=4")
    assert little.code == 0 and "not exact: Z8" in little.out
