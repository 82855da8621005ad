"""Embedding and output weight among the selected weights: one where they are tied, two elsewhere."""

import json

import numpy as np
import pytest

from checkpoints import perplexity_of, results_of, stored_tensors, tensors, write_hugging_face_stories, write_model
from conftest import STORIES, expect_refusal
from distilling import distill_stories

TIED = {"weights": ["tok_embeddings"]}
UNTIED = {"weights": ["tok_embeddings", "output"]}
BOOKS = {"form": "clustered", "weighting": "full", "clusters": 16, "outliers": 0, "codebooks": "row", "rounds": 2}
FACTORS = {"form": "low-rank", "weighting": "two-sided"}
RATIO = {"allocation": "uniform", "parameter_ratio": 0.8}
VOCABULARY, WIDTH = 512, 64


@pytest.fixture
def untied(compress):
    """A folder with the story model whose output weight is a tensor of its own, a little changed."""
    arrays = dict(stored_tensors(STORIES))
    noise = np.random.default_rng(3).normal(0, 0.02, (VOCABULARY, WIDTH))
    arrays["output.weight"] = (arrays["tok_embeddings.weight"] + noise).astype(np.float32)
    config = json.loads((STORIES / "config.json").read_text()) | {"tie_word_embeddings": False}
    return {"path": str(write_model(compress.folder / "untied", config, arrays))}


def test_as_many_values_as_a_row_has_entries_change_nothing(compress, untied):
    exact = BOOKS | {"clusters": WIDTH, "rounds": 0, "weighting": "none"}
    for model, select in (({}, TIED), (untied, UNTIED)):
        results = results_of(compress, model=model, select=select, method=exact)
        assert results["perplexity_after"] == pytest.approx(results["perplexity_before"], rel=1e-6)
        assert results["parameters_after"] == results["parameters_before"]


def test_a_star_leaves_them_alone(compress):
    assert results_of(compress, method=FACTORS)["parameters_before"] + VOCABULARY * WIDTH == \
        results_of(compress, method=FACTORS, select={"weights": ["*", "tok_embeddings"]})["parameters_before"]


@pytest.mark.parametrize("is_tied, method", [
    (True, BOOKS),
    (False, BOOKS | {"codebooks": "3", "weighting": "two-sided", "outlier_share": 0.01, "outlier_choice": "error"}),
    (True, {"form": "clustered", "weighting": "two-sided"}), (False, FACTORS), (True, {"form": "dense", "weighting": "full"})])
def test_any_number_of_ranks_gives_the_same_model(compress, scorer, untied, is_tied, method):
    model, select = ({}, TIED) if is_tied else (untied, UNTIED)
    after = [results_of(compress, count, model=model, select=select, method=method, ranks=RATIO,
                        export={"directory": f"native{count}", "format": "native"})["perplexity_after"] for count in (1, 4)]
    assert after[1] == pytest.approx(after[0], rel=1e-4)
    assert perplexity_of(scorer, "native4", 3) == pytest.approx(after[1], rel=1e-5)


@pytest.mark.parametrize("method", [BOOKS, FACTORS])
def test_dense_checkpoints_have_the_new_matrix_once(compress, scorer, untied, method):
    for model, select, names in (({}, TIED, {"tok_embeddings"}), (untied, UNTIED, {"tok_embeddings", "output"})):
        results = results_of(compress, 2, model=model, select=select, method=method, ranks=RATIO,
                             export={"directory": "dense", "format": "dense"})
        folder = compress.folder / "dense"
        assert json.loads((folder / "config.json").read_text())["tie_word_embeddings"] == (len(names) == 1)
        assert perplexity_of(scorer, "dense") == pytest.approx(results["perplexity_after"], rel=1e-5)
        new, original = stored_tensors(folder), stored_tensors(compress.folder / "untied" if model else STORIES)
        assert new.keys() == original.keys()
        assert {name for name in new if not np.array_equal(new[name], original[name])} == {name + ".weight" for name in names}


def test_rows_of_codebooks_are_those_of_the_dense_matrix(compress):
    results_of(compress, select=TIED, method=BOOKS, export={"directory": "native", "format": "native"})
    stored = stored_tensors(compress.folder / "native")
    assert stored["tok_embeddings.centroids"].shape == (VOCABULARY, 16)
    assert "tok_embeddings.weight" not in stored
    codes = np.stack([stored["tok_embeddings.codes"] & 15, stored["tok_embeddings.codes"] >> 4], 2).reshape(VOCABULARY, WIDTH)
    results_of(compress, select=TIED, method=BOOKS, export={"directory": "dense", "format": "dense"})
    np.testing.assert_array_equal(tensors(compress.folder / "dense")["tok_embeddings.weight"],
                                  np.take_along_axis(stored["tok_embeddings.centroids"], codes.astype(int), 1))


def test_a_tied_model_with_both_tensors_is_written_with_one(compress, scorer):
    arrays = dict(stored_tensors(STORIES))
    arrays["output.weight"] = arrays["tok_embeddings.weight"]
    write_model(compress.folder / "both", json.loads((STORIES / "config.json").read_text()), arrays)
    results = results_of(compress, model={"path": "both"}, select=TIED, method=BOOKS, export={"directory": "dense", "format": "dense"})
    assert "output.weight" not in stored_tensors(compress.folder / "dense")
    assert perplexity_of(scorer, "dense") == pytest.approx(results["perplexity_after"], rel=1e-5)


def test_what_a_factorised_checkpoint_cannot_look_up_is_dense_there(compress, scorer):
    write_hugging_face_stories(compress.folder / "stories")
    select = {"weights": ["*", "model.embed_tokens"]}
    results = results_of(compress, model={"path": "stories"}, select=select, method=FACTORS, ranks=RATIO,
                         export={"directory": "factorised", "format": "factorised"})
    stored = stored_tensors(compress.folder / "factorised")
    assert "model.embed_tokens.weight" in stored and "model.layers.0.mlp.up_proj.left" in stored
    assert perplexity_of(scorer, "factorised", 2) == pytest.approx(results["perplexity_after"], rel=1e-5)


@pytest.mark.parametrize("storage, tolerance", [("bfloat16", 2e-3), ("4-bit", 0.1)])
def test_its_numbers_may_be_rounded_alone(compress, scorer, storage, tolerance):
    results = results_of(compress, select=TIED, method={"form": "dense", "weighting": "none", "storage": storage},
                         ranks={"parameter_ratio": 1.0}, export={"directory": "native", "format": "native"})
    assert results["perplexity_after"] == pytest.approx(results["perplexity_before"], rel=tolerance)
    assert results["bytes_after"] < 0.51 * 4 * VOCABULARY * WIDTH
    assert perplexity_of(scorer, "native") == pytest.approx(results["perplexity_after"], rel=1e-6)


@pytest.mark.parametrize("method", [BOOKS | {"clusters": 4}, FACTORS])
def test_healing_trains_it_alike_on_any_number_of_ranks(compress, method):
    after = []
    for count in (1, 3):
        results = results_of(compress, count, select=TIED, method=method, ranks=RATIO | {"parameter_ratio": 0.5},
                             heal={"steps": 6, "window_length": 256, "learning_rate": 3e-3})
        assert results["perplexity_after"] < 0.995 * results["perplexity_unhealed"]
        after.append(results["perplexity_after"])
    assert after[1] == pytest.approx(after[0], rel=1e-3)


def test_layers_are_fitted_in_order_and_the_vocabulary_at_once(compress):
    deck = {"select": {"weights": ["*", "tok_embeddings"]}, "method": FACTORS, "ranks": RATIO}
    at_once, fitted = results_of(compress, **deck), results_of(compress, **deck, fit={"order": "sequential"})
    assert fitted["parameters_after"] == at_once["parameters_after"]
    assert np.isfinite(fitted["perplexity_after"])


@pytest.mark.parametrize("ranks", [{}, {"bits_per_weight": 3.5}])
def test_codebooks_of_layers_are_fitted_in_order_and_those_of_the_vocabulary_at_once(compress, ranks):
    method = BOOKS | {"clusters": 16, "codebooks": "8", "weighting": "two-sided", "storage": "float16"}
    deck = {"select": {"weights": ["*", "tok_embeddings"]}, "method": method, "ranks": {"allocation": "additive"} | ranks}
    for fit in ({}, {"order": "sequential"}):
        after = [results_of(compress, count, **deck, fit=fit, model={"precision": "float64"}) for count in (1, 3)]
        assert after[1]["perplexity_after"] == pytest.approx(after[0]["perplexity_after"], rel=1e-6)
        assert np.isfinite(after[0]["perplexity_after"])


def test_a_run_goes_on_from_its_moments_and_weights(compress, untied):
    deck = {"model": untied, "select": UNTIED, "run": {"directory": "restart"}}
    for method in (BOOKS | {"weighting": "two-sided"}, FACTORS):
        first = results_of(compress, 2, **deck, method=method, ranks=RATIO)
        outcome = compress.start(compress.deck(**deck, method=method, ranks=RATIO))
        assert "compressed weights taken from run.directory" in outcome.err
        assert compress.read()["perplexity_after"] == pytest.approx(first["perplexity_after"], rel=1e-5)
    results_of(compress, **deck, method=FACTORS, ranks=RATIO | {"parameter_ratio": 0.7})


@pytest.mark.parametrize("messages, changes", [
    (["matches no weight", "beside them tok_embeddings"], {"select": {"weights": ["output"]}}),
    (['method.form = "pivoted" stands beside tok_embeddings'], {}),
    (['method.form = "mpo" stands beside'], {"method": {"form": "mpo"}}),
    (['ranks.allocation = "fermi" stands beside'], {"method": FACTORS, "ranks": {"allocation": "fermi"}}),
    (["calibration.gradient_groups stands beside"],
     {"method": BOOKS | {"weighting": "two-sided"}, "calibration": {"gradient_groups": 2}}),
    (['ranks.error_weights = "measured" stands beside'], {"method": FACTORS, "ranks": {"error_weights": "measured"}}),
    (["ranks.depth_bias stands beside"], {"method": FACTORS, "ranks": {"depth_bias": 0.5}}),
    (["sensitivity.bond_dimensions stands beside"], {"method": FACTORS, "sensitivity": {"bond_dimensions": [4]}}),
    (["experiments.names stands beside"],
     {"method": {"form": "clustered", "weighting": "none"}, "experiments": {"names": ["scrambled"]}}),
])
def test_what_only_the_layers_have_is_refused(compress, compress_refuses, messages, changes):
    compress_refuses(*messages, deck=compress.deck(**{"select": TIED} | changes))


def test_an_untied_embedding_shares_no_ranks_with_others(compress, compress_refuses, untied):
    compress_refuses("errors of an embedding that is not tied cannot be compared",
                     deck=compress.deck(model=untied, select=UNTIED, method=FACTORS))
    compress_refuses("ranks.bits_per_weight = 3 stands beside tok_embeddings", "select.weights",
                     deck=compress.deck(model=untied, select=UNTIED, method=BOOKS | {"storage": "float16"},
                                        ranks={"bits_per_weight": 3.0}))


def test_slices_are_cut_from_layers(tmp_path):
    program = distill_stories(tmp_path)
    expect_refusal(program)("select.weights names tok_embeddings",
                            deck=program.deck(select={"weights": ["*", "tok_embeddings"]}, method=FACTORS))


def test_check_counts_it(compress):
    outcome = compress.start("--check", compress.deck(select=TIED, method=BOOKS))
    assert outcome.code == 0, outcome.err
    assert f"1 weight ({VOCABULARY * WIDTH} parameters)" in outcome.out + outcome.err
