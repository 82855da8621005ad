"""Memory: what the steps can reach must fit, told by --check and by a run (exit code 3)."""

import re

import pytest

from kicked_ising import W10

DEEP = {"circuit": {"theta_h": 0.6, "steps": 20}, "state": {"max_bond_dimension": 560}}
LITTLE = {"memory_per_rank": 0.2}


def test_a_bond_dimension_that_cannot_fit_is_refused(rankine, refuses):
    outcome = refuses("error: bond dimension 560 needs up to", "but a rank may use 204.8 MiB", code=3,
                      parallel=LITTLE, **DEEP, ranks=2)
    # 36 sites of degree 3 with 2 chi^3 complex numbers are 202 GB, or 94 GiB on each of two ranks.
    needed = float(re.search(r"needs up to ([\d.]+) GiB on the largest rank", outcome.err)[1])
    assert 80 < needed < 110


def test_a_check_assumes_the_ranks_it_is_given(refuses, rankine):
    refuses("but a rank may use 204.8 MiB", code=3, parallel=LITTLE, **DEEP, arguments=["--ranks", "7"])
    enough = rankine.start("deck.toml", "parallel.memory_per_rank=40", "--check", "--ranks", "7")
    assert enough.code == 0, enough.err
    assert "(7 ranks a team" in enough.out
    halves = rankine.start("deck.toml", "parallel.memory_per_rank=40", "parallel.teams=2", "--check", "--ranks", "7")
    assert halves.code == 3
    assert "(3 ranks a team" in halves.out


def test_the_advice_of_the_refusal_works(rankine):
    deck = rankine.deck(circuit={"theta_h": 0.6, "steps": 7}, parallel={"memory_per_rank": 0.25})
    refused = rankine.start(deck, "--check")
    assert refused.code == 3
    ranks = int(re.search(r"Use about (\d+) ranks", refused.err)[1])
    assert rankine.start(deck, "--check", "--ranks", ranks).code == 0


def test_the_ranks_advised_are_no_more_than_can_share_the_lattice(rankine):
    outcome = rankine.run("--check", circuit=DEEP["circuit"], state={"max_bond_dimension": 65536}, parallel=LITTLE)
    assert outcome.code == 3
    advised = re.search(r"about (\d+) ranks", outcome.err)
    assert advised is None or int(advised[1]) <= 127


def test_single_precision_needs_half(rankine):
    def needed(precision):
        outcome = rankine.run("--check", circuit=DEEP["circuit"], parallel={"memory_per_rank": 1000},
                              state={"max_bond_dimension": 560, "precision": precision})
        return float(re.search(r"largest rank at most ([\d.]+) GiB", outcome.out)[1])

    assert needed("complex64") == pytest.approx(needed("complex128") / 2, rel=0.01)


def test_the_refusal_advises_nothing_that_is_done_already(rankine):
    for precision, is_advised in (("complex128", True), ("complex64", False)):
        outcome = rankine.run("--check", circuit=DEEP["circuit"], parallel=LITTLE,
                              state={"max_bond_dimension": 560, "precision": precision})
        assert outcome.code == 3
        assert ('state.precision = "complex64"' in outcome.err) == is_advised


def test_a_bond_dimension_that_the_steps_cannot_reach_needs_no_memory(rankine):
    outcome = rankine.run(state={"max_bond_dimension": 65536}, parallel=LITTLE)
    assert outcome.code == 0, outcome.err
    assert "bond dimension at most 16" in outcome.err
    assert rankine.read()["bond_dimension"].max() == 16


def test_an_angle_without_entanglement_hides_no_memory(refuses):
    refuses("error: bond dimension 560 needs up to", code=3, parallel=LITTLE, state=DEEP["state"],
            circuit={"theta_h": [0.0, 0.6], "steps": 20})


def test_the_forecast_does_not_depend_on_the_order_of_angles(rankine):
    def plan(angles):
        outcome = rankine.run("--check", circuit={"theta_h": angles}, state={"max_bond_dimension": 64},
                              measure={"observables": [W10], "every": 5})
        largest = re.search(r"bond dimension at most (\d+)", outcome.out)[1]
        return largest, re.search(r"memory of the largest rank at most (.*?) \(", outcome.out)[1]

    assert plan([0.0, 1.2]) == plan([1.2, 0.0])


def test_a_star_of_many_legs_says_how_much_it_would_need(rankine, refuses):
    # 2^71 complex numbers: more bytes than any integer counts.
    rankine.write("star.edges", "".join(f"0 {site}\n" for site in range(1, 71)))
    lattice = {"name": "edge-list", "file": "star.edges"}
    outcome = refuses("EiB on the largest rank", "smaller state.max_bond_dimension", code=3, lattice=lattice,
                      circuit={"theta_h": 0.6, "steps": 3}, parallel=LITTLE, ranks=2)
    needed = float(re.search(r"needs up to ([\d.e+]+) EiB", outcome.err)[1])
    assert needed >= 2**71 * 16 / 2**60


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("mebibytes", [120, 250, 320])
@pytest.mark.parametrize("arguments", [["deck.toml"], ["deck.toml", "--check"], ["--version"]])
def test_a_blas_without_address_space_is_foreseen(rankine, monkeypatch, arguments, mebibytes, threads):
    # OpenBLAS would wait for ever for the buffers of its threads, also at the end of the program.
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", threads)
    rankine.deck(circuit={"theta_h": 0.6})
    outcome = rankine.start(*arguments, memory_limit=mebibytes * 2**20)
    assert outcome.code == 3, outcome
    assert "error: the limit of address space (ulimit -v) leaves" in outcome.err
    # One thread is the least there is: nobody is told to take it who has it.
    assert ("or set OPENBLAS_NUM_THREADS=1" in outcome.err) == (threads == "2")
    assert rankine.result_files() == []


def test_enough_address_space_is_enough(rankine):
    rankine.deck(circuit={"theta_h": 0.6, "steps": 2})
    outcome = rankine.start("deck.toml", memory_limit=1000 * 2**20)
    assert outcome.code == 0, outcome.err
