"""Experiments with clustered weights: what changed values cost, the same draws everywhere, ranks of MPI, refusals."""

import h5py
import numpy as np
import pytest

from conftest import RESULT, Program

CLUSTERED = {"form": "clustered", "weighting": "none", "clusters": 32, "outliers": 8}
CHANGES = ["scrambled", "scrambled-matched", "redrawn", "redrawn-rescaled", "redrawn-by-share"]


def points_of(program: Program, count: int | None = None, **sections) -> dict:
    """A run on `count` ranks that must succeed: loss by (experiment, clusters, layers, seed)."""
    outcome = program.run(ranks=count, method=CLUSTERED, evaluate={"max_windows": 2}, **sections)
    assert outcome.code == 0, outcome.err
    with h5py.File(program.folder / RESULT) as file:
        columns = [file[f"results/experiments/{name}"] for name in ("experiment", "clusters", "layers", "seed")]
        keys = zip(columns[0].asstr()[...], *(map(int, column[...]) for column in columns[1:]))
        return dict(zip(keys, file["results/experiments/negative_log_likelihood"][...], strict=True))


def test_order_and_scale_are_what_matters(compress):
    loss = points_of(compress, experiments={"names": CHANGES, "clusters": 16, "layers": [2, 0], "seeds": [1, 2]})
    assert len(loss) == 1 + 5 * 2 * 2
    for seed in (1, 2):
        unchanged = loss["k-means", 16, 0, -1]
        cost = {name: [loss[name, 16, layers, seed] - unchanged for layers in (2, 5)] for name in CHANGES}
        assert min(cost["scrambled"]) > np.log(1000)
        assert min(cost["scrambled-matched"]) > np.log(50)
        assert cost["redrawn"][1] > cost["redrawn-rescaled"][1] + np.log(10)
        assert cost["redrawn-rescaled"][0] < np.log(3)
        assert cost["redrawn-by-share"][0] < np.log(1.25)
        assert cost["redrawn-by-share"][1] < np.log(2)
    assert loss["redrawn", 16, 5, 1] != loss["redrawn", 16, 5, 2]


def test_layer_by_layer_ends_where_all_layers_are_redrawn_with_the_same_draws(compress):
    loss = points_of(compress, experiments={"names": ["layer-by-layer", "redrawn", "redrawn-rescaled"], "clusters": 32,
                                            "layers": [2, 0], "layer_step": 2})
    for name in ("redrawn", "redrawn-rescaled"):
        assert {key[2] for key in loss if key[0] == f"layer-by-layer {name}"} == {2, 4, 5}
        for layers in (2, 5):
            assert loss[f"layer-by-layer {name}", 32, layers, 1] == loss[name, 32, layers, 1]


def test_the_model_is_compressed_as_without_experiments(compress):
    plain = compress.results(method=CLUSTERED, evaluate={"max_windows": 2})
    loss = points_of(compress, experiments={"names": ["scrambled"], "clusters": [8, 32]})
    with_experiments = compress.read()
    assert with_experiments["perplexity_after"] == plain["perplexity_after"]
    assert np.exp(loss["k-means", 32, 0, -1]) == pytest.approx(float(plain["perplexity_after"]), rel=1e-12)
    assert loss["k-means", 8, 0, -1] > loss["k-means", 32, 0, -1]


def test_any_number_of_ranks_finds_the_same(compress):
    asked = {"names": ["redrawn", "redrawn-by-share", "scrambled-matched"], "clusters": 16, "seeds": 3}
    single = points_of(compress, 1, experiments=asked)
    for count in (2, 3, 4):
        several = points_of(compress, count, experiments=asked)
        assert several.keys() == single.keys()
        np.testing.assert_allclose(list(several.values()), list(single.values()), rtol=1e-3)


def test_healing_says_which_part_of_the_loss_came_back(compress):
    results = compress.results(method=CLUSTERED | {"clusters": 6},
                               heal={"steps": 10, "window_length": 256, "learning_rate": 1e-3})
    before, unhealed, after = (np.log(results[f"perplexity_{when}"]) for when in ("before", "unhealed", "after"))
    assert results["recovered"] == pytest.approx((unhealed - after) / (unhealed - before), rel=1e-9)
    assert 0.05 < results["recovered"] < 1


@pytest.mark.parametrize("messages, sections", [
    (['experiments.names stands beside method.form = "pivoted"'], {"experiments": {"names": ["scrambled"]}}),
    (["evaluate.text is not set", "each of the experiments is scored"],
     {"experiments": {"names": ["scrambled"]}, "method": CLUSTERED, "evaluate": {"text": ""}}),
    (["experiments.layers = 6 is more than the model has (it has 5 layers)"],
     {"experiments": {"names": ["redrawn"], "layers": [6]}, "method": CLUSTERED}),
    (["experiments.names", "scrambled-matched"], {"experiments": {"names": ["shuffled"]}, "method": CLUSTERED}),
])
def test_what_cannot_be_done_is_refused_before_any_work(compress, compress_refuses, messages, sections):
    compress_refuses(*messages, deck=compress.deck(**sections))
