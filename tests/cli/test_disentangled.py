"""rankine-compress with operators between circuits: what it reports, its files, ranks and teams, restarts, refusals."""

import h5py
import numpy as np
import pytest

from checkpoints import results_of, stored_tensors, tensors
from conftest import RESULT, STORIES, Program

DECK = {"method": {"form": "disentangled", "weighting": "none"},
        "select": {"weights": ["*.wq", "*.wk"]},  # 64 x 64 and 32 x 64
        "disentangler": {"gate_size": 3, "depth": 2, "sweeps": 10},
        "ranks": {"allocation": "uniform", "parameter_ratio": 0.6}}


def weights_of(program: Program) -> dict:
    with h5py.File(program.folder / RESULT) as file:
        return {name: {key: dataset[...] for key, dataset in group.items()} for name, group in file["results/weights"].items()}


def scores(program: Program, count: int | None = None, **sections) -> float:
    return float(results_of(program, count, **(DECK | sections))["perplexity_after"])


def test_reports_are_of_the_matrices_exported(compress):
    scores(compress, export={"directory": "out", "format": "dense"})
    original, merged = tensors(STORIES), tensors(compress.folder / "out")
    weights = weights_of(compress)
    assert len(weights) == 10
    for name, weight in weights.items():
        w, m = (arrays[name + ".weight"].astype(np.float64) for arrays in (original, merged))
        overlap = (w * m).sum() / np.linalg.norm(w) / np.linalg.norm(m)
        assert weight["overlap"] == pytest.approx(overlap, abs=2e-6)
        assert weight["weighted_error"] == pytest.approx(np.linalg.norm(w - m) / np.linalg.norm(w), rel=1e-4)
        assert weight["discarded_weight"] == pytest.approx(1 - overlap**2, abs=4e-6)
        assert weight["overlap"] > weight["overlap_alone"]
        assert np.all(np.diff(weight["overlaps"]) > -1e-6) and weight["overlaps"][-1] == weight["overlap"]
        assert weight["entropy_after"] < weight["entropy_before"]
        assert weight["gate_parameters"] + weight["core_parameters"] == weight["parameters"] <= 0.6 * w.size
        rows, columns = (2 ** (axis.bit_length() // 2) for axis in w.shape)  # of the first site
        sites = rows * columns + w.size // (rows * columns)
        assert weight["core_parameters"] in (weight["rank"] * sites, weight["rank"] * (w.size // 64 + 64))
    # What an operator alone keeps is what NumPy's singular values say.
    first = weights["layers.0.attention.wq"]
    sigma = np.linalg.svd(original["layers.0.attention.wq.weight"].reshape(8, 8, 8, 8).transpose(0, 2, 1, 3).reshape(64, 64), compute_uv=False)
    parts = sigma**2 / (sigma**2).sum()
    assert first["overlap_alone"] == pytest.approx(np.sqrt(parts[: first["rank"]].sum()), rel=1e-5)
    assert first["entropy_before"] == pytest.approx(-(parts * np.log(parts)).sum(), rel=1e-4)
    assert first["gate_parameters"] == 28 * 6


def test_the_native_export_scores_the_same_and_holds_orthogonal_gates(compress, evaluate):
    after = scores(compress, export={"directory": "out", "format": "native"})
    evaluate.given["model"] = {"path": str(compress.folder / "out")}
    again = results_of(evaluate, evaluate={"text": str(STORIES / "test_tokens.npy"), "window_length": 256, "max_windows": 8})
    assert again["perplexity"] == pytest.approx(after, rel=1e-5)
    stored = stored_tensors(compress.folder / "out")
    name = "layers.0.attention.wq."
    assert stored[name + "output_gates"].shape == (3, 2) and stored[name + "output_generators"].shape == (84,)
    assert set(np.unique(stored[name + "input_signs"])) <= {0, 1}


@pytest.mark.parametrize("precision, tolerance", [("float64", 1e-7), ("float32", 5e-3)])
def test_ranks_and_teams_find_the_same_gates(compress, precision, tolerance):
    one = scores(compress, 1, model={"precision": precision})
    for count, teams in ((2, 1), (3, 2), (4, 4)):
        other = scores(compress, count, model={"precision": precision}, parallel={"teams": teams})
        assert other == pytest.approx(one, rel=tolerance)


def test_compressed_weights_are_taken_from_run_directory(compress):
    kept = DECK | {"run": {"directory": "kept"}}
    assert compress.start(compress.deck(**kept)).code == 0
    before = compress.read()
    again = compress.start(compress.deck(**kept))
    assert again.code == 0 and "compressed weights taken from run.directory" in again.err
    assert compress.read()["perplexity_after"] == before["perplexity_after"]
    for changed in ({"depth": 1}, {"gate_size": 2}, {"sweeps": 3}, {"start": "purity"}, {"odd_leg": "included"}):
        other = kept | {"disentangler": DECK["disentangler"] | changed}
        outcome = compress.start(compress.deck(**other))
        assert outcome.code == 0 and "taken from run.directory" not in outcome.err, outcome.err


def test_healing_and_rounding_leave_gates_what_they_are(compress):
    healed = results_of(compress, **DECK, heal={"steps": 10, "window_length": 256, "learning_rate": 1e-3})
    assert healed["perplexity_after"] < healed["perplexity_unhealed"]
    rounded = results_of(compress, **(DECK | {"method": DECK["method"] | {"storage": "bfloat16"}}))
    assert rounded["perplexity_after"] == pytest.approx(healed["perplexity_unhealed"], rel=0.05)


def test_more_gates_keep_more_at_one_bond_dimension(compress):
    overlaps = []
    for size, depth in ((2, 0), (2, 2), (4, 2), (4, 6)):
        scores(compress, disentangler={"gate_size": size, "depth": depth, "sweeps": 20},
               ranks={"allocation": "uniform", "bond_dimension": 8})
        weights = weights_of(compress).values()
        overlaps.append(np.mean([weight["overlap"] for weight in weights]))
    assert overlaps == sorted(overlaps) and overlaps[-1] > overlaps[0] + 0.1


def test_the_norm_of_the_data_matters_more_than_the_weight_itself(compress):
    after = {(weighting, steps): scores(compress, method={"form": "disentangled", "weighting": weighting},
                                        disentangler=DECK["disentangler"] | ({"gradient_steps": steps} if steps else {}))
             for weighting, steps in (("none", 0), ("full", 20), ("two-sided", 20))}
    assert after["two-sided", 20] < after["full", 20] < after["none", 0]
    again = scores(compress, 3, method={"form": "disentangled", "weighting": "two-sided"}, parallel={"teams": 2})
    assert again == pytest.approx(after["two-sided", 20], rel=5e-3)


@pytest.mark.parametrize("messages, sections", [
    (["disentangler.gate_size = 6 is more than the rows of layers.0.attention.wk have room for (32 = 1 x 2^5: 5 qubits)"],
     {"disentangler": {"gate_size": 6}}),
    (["disentangler.gate_size = 3", "layers.0.feed_forward.w1", "(172 = 43 x 2^2: 2 qubits)"], {"select": {"weights": ["*.w1"]}}),
    (["disentangler.gradient_steps has no use here"], {"disentangler": {"gradient_steps": 3}}),
    (['ranks.allocation = "additive" stands beside method.form = "disentangled"'], {"ranks": {"allocation": "additive"}}),
    (["ranks.parameter_ratio = 0.04 cannot be reached for layers.0.attention.w", "gates and two sites"],
     {"ranks": {"allocation": "uniform", "parameter_ratio": 0.04}}),
    (["disentangler.depth has no use here"],
     {"method": {"form": "mpo", "weighting": "none"}, "disentangler": {"depth": 3}}),
])
def test_what_cannot_be_done_is_refused_before_any_work(compress, compress_refuses, messages, sections):
    compress_refuses(*messages, deck=compress.deck(**(DECK | sections)))
