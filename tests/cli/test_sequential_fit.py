"""rankine-compress fits weights one after the other on the activations of the model compressed so far."""

import signal
import subprocess
import time

import numpy as np
import pytest

from checkpoints import stored_tensors
from conftest import Program

RANKS = {"parameter_ratio": 0.6}
IN_ORDER = {"order": "sequential"}
BOOKS = {"form": "clustered", "weighting": "two-sided", "clusters": 4, "codebooks": "row", "rounds": 2, "outlier_share": 0.002,
         "outlier_choice": "error"}
OPERATORS = {"form": "mpo", "weighting": "two-sided"}


def results_of(program: Program, count: int | None = None, **sections) -> dict:
    outcome = program.start(program.deck(**sections), ranks=count)
    assert outcome.code == 0, outcome.err
    return program.read()


@pytest.mark.parametrize("form, weighting, allocation", [
    ("pivoted", "two-sided", "additive"), ("low-rank", "full", "uniform"), ("dense", "two-sided", "additive")])
def test_it_loses_less_at_equal_numbers(compress, form, weighting, allocation):
    deck = {"method": {"form": form, "weighting": weighting}, "ranks": RANKS | {"allocation": allocation}}
    at_once = results_of(compress, **deck)
    for target in ("weight", "stream"):
        fitted = results_of(compress, **deck, fit=IN_ORDER | {"target": target})
        assert fitted["parameters_after"] == at_once["parameters_after"]
        assert np.log(fitted["perplexity_after"] / at_once["perplexity_before"]) < \
            0.9 * np.log(at_once["perplexity_after"] / at_once["perplexity_before"])


@pytest.mark.parametrize("method", [
    BOOKS, BOOKS | {"clusters": 8}, BOOKS | {"weighting": "full", "codebooks": "matrix"}, OPERATORS])
def test_codebooks_and_operators_lose_less_at_equal_bytes(compress, method):
    deck = {"method": method, "ranks": RANKS}
    at_once, fitted = results_of(compress, **deck), results_of(compress, **deck, fit=IN_ORDER)
    assert fitted["bytes_after"] == at_once["bytes_after"]
    assert np.log(fitted["perplexity_after"] / at_once["perplexity_before"]) < \
        0.95 * np.log(at_once["perplexity_after"] / at_once["perplexity_before"])


def test_some_weights_may_be_fitted_alone(compress):
    deck = {"select": {"weights": ["*.wo", "layers.3.*"]}, "ranks": {"parameter_ratio": 0.4}}
    at_once, fitted = results_of(compress, **deck), results_of(compress, **deck, fit=IN_ORDER)
    assert fitted["parameters_after"] == at_once["parameters_after"]
    assert fitted["perplexity_after"] < at_once["perplexity_after"]


def test_where_nothing_is_lost_nothing_changes(compress):
    results = results_of(compress, ranks={"parameter_ratio": 1.0}, fit=IN_ORDER)
    assert results["perplexity_after"] == pytest.approx(results["perplexity_before"], rel=1e-5)
    assert results["parameters_after"] == results["parameters_before"]


@pytest.mark.parametrize("method, precision, runs, tolerance", [
    ({}, "float32", ((2, 1), (3, 1), (3, 2)), 1e-3),
    (BOOKS, "float64", ((2, 1), (3, 2), (4, 1)), 1e-6)])  # in float32 codes turn on rounding of the moments
def test_it_does_not_depend_on_ranks_and_teams(compress, method, precision, runs, tolerance):
    deck = {"method": method, "ranks": RANKS, "fit": IN_ORDER, "model": {"precision": precision}}
    straight = results_of(compress, **deck)["perplexity_after"]
    for ranks, teams in runs:
        outcome = compress.start(compress.deck(**deck, parallel={"teams": teams}), ranks=ranks)
        assert outcome.code == 0, outcome.err
        assert compress.read()["perplexity_after"] == pytest.approx(straight, rel=tolerance)


def kill_when_fitted(program: Program, sections: dict, layers: int) -> None:
    """Starts a run, and kills it when the weights of so many layers are kept."""
    process = subprocess.Popen(program.command(program.deck(**sections)), cwd=program.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(program.folder.glob("kept/fit-*/stage.json"))) < layers:
        assert process.poll() is None and time.monotonic() < deadline, "no layer was kept in time"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("method, moments", [({}, {"inputs", "gradients"}), (BOOKS, {"gradients"})])
def test_a_killed_run_ends_as_a_straight_one(compress, method, moments):
    deck = {"method": method, "ranks": RANKS, "fit": IN_ORDER}
    straight = results_of(compress, **deck, export={"directory": "straight"})
    kept = deck | {"run": {"directory": "kept"}, "export": {"directory": "restarted"}}
    kill_when_fitted(compress, kept, 2)
    results = results_of(compress, **kept)
    assert results["perplexity_after"] == straight["perplexity_after"]
    expected, found = stored_tensors(compress.folder / "straight"), stored_tensors(compress.folder / "restarted")
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    left = {folder.name.rsplit("-", 1)[0] for folder in (compress.folder / "kept").iterdir()}
    assert left == {"scores", "weights"} | moments
    again = compress.start(compress.deck(**kept))
    assert "compressed weights taken from run.directory" in again.err
    assert compress.read()["perplexity_after"] == straight["perplexity_after"]


@pytest.mark.parametrize("messages, sections", [
    (['fit.order = "at-once" has no use for it'], {"fit": {"anchor": 0.5}}),
    (["forms of this kind are not fitted in order"], {"fit": IN_ORDER, "method": {"form": "disentangled"}}),
    (["forms of this kind are not fitted in order"], {"fit": IN_ORDER, "method": {"form": "narrowed"}}),
    (["K-means counts entries one by one, not what a weight answers"], {"fit": IN_ORDER, "method": BOOKS | {"rounds": 0}}),
    (["tokens count alike in what a weight should answer"],
     {"fit": IN_ORDER, "method": BOOKS, "calibration": {"gradient_groups": 2}}),
    (["a fit is made in the norm of what a weight reads"], {"fit": IN_ORDER, "method": {"weighting": "diagonal"}}),
    (["a profile changes one part of the model at a time"], {"fit": IN_ORDER, "sensitivity": {"bond_dimensions": [4]}}),
    (["fit.oder", "Did you mean fit.order?"], {"fit": {"oder": "sequential"}}),
    (["fit.anchor"], {"fit": IN_ORDER | {"anchor": 1.5}}),
])
def test_what_cannot_be_fitted_is_refused_before_any_work(compress, compress_refuses, messages, sections):
    compress_refuses(*messages, deck=compress.deck(**sections))
