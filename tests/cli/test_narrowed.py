"""method.form = "narrowed": hidden units of MLPs go, and what is written is an ordinary model of a smaller width."""

import json

import numpy as np
import pytest

from checkpoints import perplexity_of, results_of, stored_tensors

NARROWED = {"select": {"weights": ["*.feed_forward.*"]}, "method": {"form": "narrowed"},
            "ranks": {"allocation": "uniform", "parameter_ratio": 0.75, "multiple_of": 4}}
WIDTH = 128  # of 172: the multiple of 4 within three quarters


def test_the_model_that_is_written_is_an_ordinary_one_of_a_smaller_width(compress, scorer):
    results = results_of(compress, **NARROWED, export={"directory": "narrow"})
    assert results["parameters_after"] / results["parameters_before"] == WIDTH / 172
    assert json.loads((compress.folder / "narrow/config.json").read_text())["intermediate_size"] == WIDTH
    shapes = {name: array.shape for name, array in stored_tensors(compress.folder / "narrow").items()}
    assert shapes["layers.0.feed_forward.w1.weight"] == shapes["layers.4.feed_forward.w3.weight"] == (WIDTH, 64)
    assert shapes["layers.2.feed_forward.w2.weight"] == (64, WIDTH)
    for count in (None, 3):
        assert perplexity_of(scorer, "narrow", count) == pytest.approx(results["perplexity_after"], rel=1e-6)


def test_any_number_of_ranks_leaves_the_same_units(compress, scorer):
    perplexities, kept = [], []
    for count in (1, 2, 3):
        results = results_of(compress, count, **NARROWED, export={"directory": f"native{count}", "format": "native"})
        perplexities.append(results["perplexity_after"])
        kept.append(stored_tensors(compress.folder / f"native{count}")["layers.3.feed_forward.w2.kept"])
        assert perplexity_of(scorer, f"native{count}") == pytest.approx(results["perplexity_after"], rel=1e-6)
    np.testing.assert_allclose(perplexities[1:], perplexities[0], rtol=1e-4)
    assert kept[0].sum() == WIDTH
    for other in kept[1:]:
        np.testing.assert_array_equal(other, kept[0])


def test_moments_say_which_units_may_go(compress):
    after = {weighting: results_of(compress, **NARROWED | {"method": {"form": "narrowed", "weighting": weighting}})["perplexity_after"]
             for weighting in ("none", "full", "two-sided")}
    assert after["full"] < 0.8 * after["none"]
    assert after["two-sided"] < after["full"]


def test_healing_trains_what_is_left(compress):
    results = results_of(compress, **NARROWED, heal={"steps": 20, "window_length": 256, "learning_rate": 1e-3})
    assert results["perplexity_after"] < 0.96 * results["perplexity_unhealed"]


@pytest.mark.parametrize("messages, changes", [
    (["is asked for layers.0.attention.wq", "Select the matrices of whole MLPs"], {"select": {"weights": ["*"]}}),
    (["leaves out a matrix of the MLP of layer 0"], {"select": {"weights": ["*.w1", "*.w3"]}}),
    (["leaves none of 172 hidden units"], {"ranks": NARROWED["ranks"] | {"parameter_ratio": 0.01}}),
    (['ranks.allocation = "additive" stands beside method.form = "narrowed"'], {"ranks": {"parameter_ratio": 0.5}}),
    (["ranks.bond_dimension", "follow ranks.parameter_ratio"], {"ranks": NARROWED["ranks"] | {"bond_dimension": 64}}),
    (["stands beside sensitivity.bond_dimensions"], {"sensitivity": {"bond_dimensions": [4]}}),
])
def test_what_cannot_be_narrowed_is_refused(compress, compress_refuses, messages, changes):
    compress_refuses(*messages, deck=compress.deck(**NARROWED | changes))


def test_ranks_of_factors_are_multiples(compress):
    results_of(compress, method={"form": "low-rank"}, ranks={"allocation": "additive", "parameter_ratio": 0.7, "multiple_of": 8},
               export={"directory": "native", "format": "native"})
    ranks = [array.shape[1] for name, array in stored_tensors(compress.folder / "native").items() if name.endswith(".left")]
    assert ranks and all(rank % 8 == 0 for rank in ranks)
