"""rankine-compress on the story model: ranks, errors and spectra against NumPy, exports, ranks of MPI, refusals."""

import json
import shutil
import struct

import h5py
import numpy as np
import pytest

from checkpoints import results_of, stored_tensors, tensors, write_hugging_face_stories, write_model
from conftest import RESULT, STORIES, Program

PLAIN = {"form": "low-rank", "weighting": "none"}
UNIFORM = {"allocation": "uniform", "parameter_ratio": 0.6}


def weights_of(program: Program) -> dict:
    """The group of each weight: its datasets, and its form."""
    with h5py.File(program.folder / RESULT) as file:
        return {name: {key: dataset[...] for key, dataset in group.items()} | {"form": group.attrs["form"]}
                for name, group in file["results/weights"].items()}


def test_plain_uniform_ranks_spectra_and_errors_are_those_of_numpy(compress):
    results_of(compress, method=PLAIN, ranks=UNIFORM)
    original, weights = tensors(STORIES), weights_of(compress)
    assert len(weights) == 35
    for name, weight in weights.items():
        matrix = original[name + ".weight"]
        sigma = np.linalg.svd(matrix, compute_uv=False)
        rank = int(0.6 * matrix.size / sum(matrix.shape))
        assert weight["rank"] == rank
        assert weight["parameters"] == rank * sum(matrix.shape)
        assert weight["bytes"] == 4 * weight["parameters"]
        np.testing.assert_allclose(weight["spectrum"], sigma, atol=3e-6 * sigma[0])
        expected = np.sqrt((sigma[rank:] ** 2).sum() / (sigma ** 2).sum())
        assert weight["weighted_error"] == pytest.approx(expected, rel=1e-5)


def test_the_weighted_norm_matters_more_than_the_weight_itself(compress):
    after = {weighting: results_of(compress, method={"form": "low-rank", "weighting": weighting}, ranks=UNIFORM)
             ["perplexity_after"] for weighting in ("none", "full", "two-sided")}
    assert after["full"] < 0.5 * after["none"]
    assert after["two-sided"] < 0.5 * after["none"]


def test_better_storage_and_allocation_lower_the_perplexity_at_equal_numbers(compress):
    after = []
    for form, allocation in (("low-rank", "uniform"), ("pivoted", "uniform"), ("pivoted", "additive")):
        results = results_of(compress, method={"form": form, "weighting": "two-sided"},
                                   ranks={"allocation": allocation, "parameter_ratio": 0.7})
        kept = results["parameters_after"] / results["parameters_before"]
        assert 0.68 < kept <= 0.7
        after.append(results["perplexity_after"])
    assert after == sorted(after, reverse=True)


def test_a_ratio_of_one_changes_nothing(compress):
    results = results_of(compress, ranks={"parameter_ratio": 1.0})
    assert results["perplexity_after"] == results["perplexity_before"]
    assert results["parameters_after"] == results["parameters_before"] == 226560
    assert {weight["form"] for weight in weights_of(compress).values()} == {"dense"}


def test_any_number_of_ranks_finds_the_same_ranks(compress):
    results, ranks = [], []
    for count in (1, 2, 3):
        results.append(results_of(compress, count, ranks={"parameter_ratio": 0.7}))
        ranks.append({name: int(weight["rank"]) for name, weight in weights_of(compress).items()})
    assert ranks[0] == ranks[1] == ranks[2]
    for other in results[1:]:
        assert other["perplexity_after"] == pytest.approx(results[0]["perplexity_after"], rel=1e-4)


def test_the_dense_export_scores_as_the_compressed_model_did(compress, tmp_path):
    results = results_of(compress, ranks={"parameter_ratio": 0.7}, select={"weights": "*feed_forward*"},
                               export={"directory": "out"})
    original, exported = tensors(STORIES), tensors(compress.folder / "out")
    assert original.keys() == exported.keys()
    weights = weights_of(compress)
    assert len(weights) == 15
    for name, matrix in exported.items():
        weight = weights.get(name.removesuffix(".weight"))
        if weight is None or weight["form"] == "dense":
            np.testing.assert_array_equal(matrix, original[name])
        else:
            assert np.linalg.matrix_rank(matrix, tol=1e-5 * np.linalg.norm(matrix, 2)) == weight["rank"]
    scorer = Program(tmp_path, "rankine-evaluate", {
        "model": {"path": "out"},
        "evaluate": {"text": str(STORIES / "test_tokens.npy"), "window_length": 256, "max_windows": 8}})
    assert scorer.results()["perplexity"] == pytest.approx(results["perplexity_after"], rel=1e-5)


def test_a_summary_says_what_compression_gave(compress):
    compress.given |= {"ranks": {"parameter_ratio": 0.7, "allocation": "uniform"}, "method": {"weighting": "none"}}
    outcome = compress.run(summary={"sample_tokens": 5})
    assert outcome.code == 0, outcome
    results = compress.read()
    assert results["model_bytes_before"] == results["model_bytes_dense"] == sum(
        array.nbytes for array in stored_tensors(STORIES).values())
    saved = sum(4 * int(weight["parameters_before"]) - int(weight["bytes"]) for weight in weights_of(compress).values())
    assert results["model_bytes_native"] == results["model_bytes_factorised"] == results["model_bytes_before"] - saved
    for when in ("before", "after"):
        assert [len(words.decode().split()) for words in results[f"sample_{when}"]] == [16, 5]
    lines = [line for line in outcome.out.splitlines() if line.startswith(("bytes of the model", "generation", "scoring", "sample"))]
    assert len(lines) == 5 and "tokens/s" in lines[1], outcome.out
    assert compress.run(summary={"sample_tokens": 0, "speed": False}).code == 0
    assert "model_bytes_before" not in compress.read()


@pytest.fixture
def renamed(compress):
    """The story model under Hugging Face's names."""
    write_hugging_face_stories(compress.folder / "renamed")
    compress.given["model"] = {"path": "renamed"}


def pivoted_product(factors, name, side, shape):
    """The matrix of pivots and coefficients; pivot columns are the pivot rows of the transposed matrix."""
    pivots, coefficients = factors[name + ".pivots"].astype(int), factors[name + ".coefficients"]
    if side == "columns":
        chosen, coefficients, shape = factors[name + ".columns"].T, coefficients.T, shape[::-1]
    else:
        chosen = factors[name + ".basis"]
    product = np.empty(shape)
    product[pivots] = chosen
    product[np.setdiff1d(np.arange(shape[0]), pivots)] = coefficients @ chosen
    return product.T if side == "columns" else product


@pytest.mark.parametrize("form", ["low-rank", "pivoted"])
def test_the_factorised_export_holds_the_matrices_of_the_dense_one(compress, renamed, form):
    for format in ("dense", "factorised"):
        results_of(compress, method={"form": form, "weighting": "none"}, ranks=UNIFORM,
                         export={"directory": format, "format": format})
    dense, factors = tensors(compress.folder / "dense"), tensors(compress.folder / "factorised")
    forms = json.loads((compress.folder / "factorised" / "config.json").read_text())["rankine_forms"]
    assert len(forms) == 35
    for name, stored in forms.items():
        matrix = dense[name + ".weight"]
        assert name + ".weight" not in factors
        if form == "low-rank":
            product = factors[name + ".left"] @ factors[name + ".right"]
        else:
            product = pivoted_product(factors, name, stored["pivots"], matrix.shape)
        np.testing.assert_allclose(product, matrix, atol=2e-6 * np.linalg.norm(matrix, 2))
        if form == "low-rank":
            assert stored == {"form": form, "rank": int(0.6 * matrix.size / sum(matrix.shape)), "storage": "exact", "dense_type": "F32"}
        else:
            assert stored["rank"] == len(factors[name + ".pivots"])
    if form == "pivoted":
        assert {stored["pivots"] for stored in forms.values()} == {"rows", "columns"}
    compile((compress.folder / "factorised" / "modeling_rankine.py").read_text(), "modeling_rankine.py", "exec")


def test_fermi_moves_ranks_within_the_budget_to_where_they_help(compress):
    after, ranks = {}, {}
    for allocation in ("additive", "fermi"):
        results = results_of(compress, ranks={"allocation": allocation, "parameter_ratio": 0.7, "fermi_steps": 10})
        assert 0.695 < results["parameters_after"] / results["parameters_before"] <= 0.7
        after[allocation] = results["perplexity_after"]
        ranks[allocation] = np.array([weight["rank"] for weight in weights_of(compress).values()])
    assert np.count_nonzero(ranks["fermi"] - ranks["additive"]) > 10
    assert after["fermi"] < after["additive"]


def test_clusters_leave_few_values_and_the_outliers(compress):
    results_of(compress, method={"form": "clustered", "weighting": "none", "clusters": 16, "outliers": 3},
                     export={"directory": "out"})
    original, exported = tensors(STORIES), tensors(compress.folder / "out")
    for name, weight in weights_of(compress).items():
        before, after = original[name + ".weight"].ravel(), exported[name + ".weight"].ravel()
        largest = np.argsort(-abs(before))[:3]
        np.testing.assert_array_equal(after[largest], before[largest])
        assert len(np.unique(np.delete(after, largest))) <= 16
        error = np.linalg.norm(after - before) / np.linalg.norm(before)
        assert weight["weighted_error"] == pytest.approx(error, rel=1e-4)
        assert weight["form"] == "clustered"


BOOKS = {"form": "clustered", "clusters": 8, "outliers": 2, "outlier_share": 0.001, "outlier_choice": "error", "codebooks": "2", "rounds": 2}


@pytest.mark.parametrize("start", ["nearest", "compensated"])
def test_codebooks_of_rows_are_the_same_for_any_number_of_ranks_and_read_again(compress, start, tmp_path):
    deck = {"method": BOOKS | {"weighting": "two-sided", "start": start}, "calibration": {"gradient_groups": 2},
            "run": {"directory": "kept"}}
    one = results_of(compress, 1, **deck, export={"directory": "out"})
    exported, weights = tensors(compress.folder / "out"), weights_of(compress)
    for name, weight in weights.items():
        rows, outliers = exported[name + ".weight"], 2 + round(0.001 * exported[name + ".weight"].size)
        pairs = rows.reshape(len(rows) // 2, -1)
        assert np.mean([len(np.unique(pair)) for pair in pairs]) <= 8 + outliers / len(pairs)
        assert weight["parameters"] == 8 * len(pairs) + outliers
    for count in (2, 3):
        kept = results_of(compress, count, **deck, export={"directory": f"native{count}", "format": "native"})
        assert kept["perplexity_after"] == pytest.approx(one["perplexity_after"], rel=1e-6)
        anew = results_of(compress, count, **(deck | {"run": {"directory": f"kept{count}"}}))
        assert anew["perplexity_after"] == pytest.approx(one["perplexity_after"], rel=2e-3)  # moments differ by rounding
    scorer = Program(tmp_path, "rankine-evaluate", {
        "model": {"path": str(compress.folder / "native3")},
        "evaluate": {"text": str(STORIES / "test_tokens.npy"), "window_length": 256, "max_windows": 8}})
    assert scorer.results()["perplexity"] == pytest.approx(one["perplexity_after"], rel=1e-5)


MIXED = {"method": BOOKS | {"weighting": "two-sided", "clusters": 32, "storage": "float16"}}


def test_more_bits_are_shared_out_where_they_lower_the_error_most(compress):
    uniform = {clusters: results_of(compress, method=MIXED["method"] | {"clusters": clusters}) for clusters in (2, 4, 16)}
    bits_of = {clusters: 8 * results["bytes_after"] / results["parameters_before"] for clusters, results in uniform.items()}
    perplexities = [uniform[4]["perplexity_after"]]
    for bits in (0.7 * bits_of[4] + 0.3 * bits_of[16], 0.4 * bits_of[4] + 0.6 * bits_of[16]):
        mixed = results_of(compress, **MIXED, ranks={"bits_per_weight": bits})
        assert 0.97 * bits < 8 * mixed["bytes_after"] / mixed["parameters_before"] <= bits
        weights = weights_of(compress).values()
        values = {int(weight["rank"]) for weight in weights}
        assert len(values) > 1 and values <= {2, 4, 8, 16, 32}
        assert sum(weight["bytes"] for weight in weights) == mixed["bytes_after"]
        perplexities.append(mixed["perplexity_after"])
    perplexities.append(uniform[16]["perplexity_after"])
    assert np.all(np.diff(np.log(perplexities)) < 0)
    # Nothing is left to choose.
    least = results_of(compress, **MIXED, ranks={"bits_per_weight": bits_of[2] + 1e-6})
    assert least["perplexity_after"] == pytest.approx(uniform[2]["perplexity_after"], rel=1e-6)


def test_shared_bits_do_not_depend_on_the_ranks_and_are_read_again(compress, tmp_path):
    deck = MIXED | {"ranks": {"bits_per_weight": 5}, "fit": {"order": "sequential", "anchor": 0.75, "ridge": 0.03},
                    "model": {"precision": "float64"}}  # in float32 codes turn on rounding of the moments
    one = results_of(compress, 1, **deck, run={"directory": "kept"}, export={"directory": "native", "format": "native"})
    values = {name: weight["rank"] for name, weight in weights_of(compress).items()}
    scorer = Program(tmp_path, "rankine-evaluate", {
        "model": {"path": str(compress.folder / "native")},
        "evaluate": {"text": str(STORIES / "test_tokens.npy"), "window_length": 256, "max_windows": 8}})
    assert scorer.results()["perplexity"] == pytest.approx(one["perplexity_after"], rel=1e-5)
    for count in (2, 3, 4):
        anew = results_of(compress, count, **deck)
        assert {name: weight["rank"] for name, weight in weights_of(compress).items()} == values
        assert anew["bytes_after"] == one["bytes_after"]
        assert anew["perplexity_after"] == pytest.approx(one["perplexity_after"], rel=1e-6)
    other = compress.start(compress.deck(**(deck | {"ranks": {"bits_per_weight": 6}}), run={"directory": "kept"}))
    assert "errors of codebooks taken from run.directory" in other.err
    assert compress.read()["perplexity_after"] < one["perplexity_after"]


def test_every_step_towards_codebooks_of_rows_lowers_the_error(compress):
    after = {}
    for name, method in {"matrix": {"codebooks": "matrix", "rounds": 0}, "rounds": {"codebooks": "matrix"}, "rows": {}}.items():
        after[name] = results_of(compress, method=BOOKS | {"weighting": "two-sided", "clusters": 4} | method)["perplexity_after"]
    assert after["rows"] < after["rounds"] < after["matrix"]


def test_two_site_operators_are_svds_of_the_regrouped_matrix(compress):
    results_of(compress, method={"form": "mpo", "weighting": "none", "sites": 2},
                     ranks={"allocation": "uniform", "bond_dimension": 12}, select={"weights": "*.wq"})
    original = tensors(STORIES)
    for name, weight in weights_of(compress).items():
        matrix = original[name + ".weight"].reshape(8, 8, 8, 8).transpose(0, 2, 1, 3).reshape(64, 64)
        sigma = np.linalg.svd(matrix, compute_uv=False)
        expected = np.sqrt((sigma[12:] ** 2).sum() / (sigma ** 2).sum())
        assert weight["weighted_error"] == pytest.approx(expected, rel=1e-4)
        assert weight["parameters"] == 12 * (64 + 64)


def test_weighted_operators_have_a_smaller_weighted_error(compress):
    after = [results_of(compress, method={"form": "mpo", "weighting": weighting},
                              ranks={"allocation": "uniform", "parameter_ratio": 0.6})["perplexity_after"]
             for weighting in ("none", "full")]
    assert after[1] < after[0]


def test_two_sided_operators_on_additive_bonds_are_the_best_ones(compress):
    deck = {"form": "mpo", "sites": 2}
    scores, sizes = {}, {}
    for weighting in ("none", "full", "two-sided"):
        for allocation in ("uniform", "additive"):
            results = results_of(compress, method=deck | {"weighting": weighting},
                                 ranks={"allocation": allocation, "parameter_ratio": 0.7})
            scores[weighting, allocation] = results["perplexity_after"]
            sizes[weighting, allocation] = results["parameters_after"] / results["parameters_before"]
    assert all(size <= 0.7 for size in sizes.values())
    assert sizes["two-sided", "additive"] > 0.69
    assert scores["two-sided", "uniform"] < scores["full", "uniform"] < scores["none", "uniform"]
    assert scores["two-sided", "additive"] < scores["two-sided", "uniform"]


@pytest.mark.parametrize("precision, tolerance", [("float64", 1e-6), ("float32", 2e-5)])
def test_operators_do_not_depend_on_the_ranks_or_the_kernels_of_the_blas(compress, monkeypatch, precision, tolerance):
    deck = {"model": {"precision": precision},
            "method": {"form": "mpo", "sites": 3, "weighting": "two-sided"},
            "ranks": {"allocation": "additive", "parameter_ratio": 0.6}}
    one = results_of(compress, 1, **deck)
    ranks = {name: int(weight["rank"]) for name, weight in weights_of(compress).items()}
    for kernels, count in (("Haswell", 3), ("Nehalem", 2)):  # any x86-64 processor of ten years has them; others ignore it
        monkeypatch.setenv("OPENBLAS_CORETYPE", kernels)
        other = results_of(compress, count, **deck)
        assert ranks == {name: int(weight["rank"]) for name, weight in weights_of(compress).items()}
        assert other["perplexity_after"] == pytest.approx(one["perplexity_after"], rel=tolerance)


WEIGHTED = [(form, weighting) for form in ("low-rank", "pivoted", "mpo", "clustered") for weighting in ("diagonal", "full", "two-sided")
            if (form, weighting) != ("clustered", "full")]


@pytest.mark.parametrize("form, weighting", WEIGHTED)
def test_a_text_of_one_repeated_token_leaves_the_rest_to_the_weights(compress, form, weighting):
    # Every moment has rank 1; no gradient comes back to queries and keys but rounding.
    np.save(compress.folder / "text.npy", np.full(1024, 300, dtype=np.uint16))
    deck = {"model": {"precision": "float64"}, "method": {"form": form, "weighting": weighting}, "ranks": {"parameter_ratio": 0.7},
            "calibration": {"text": "text.npy", "windows": 2, "gradient_windows": 2}, "select": {"weights": ["layers.0.*", "*.w2"]}}
    one, three = (results_of(compress, count, **deck)["perplexity_after"] for count in (1, 3))
    assert np.isfinite(one)
    if weighting != "two-sided":
        assert three == pytest.approx(one, rel=1e-6)


@pytest.mark.parametrize("form", ["low-rank", "mpo"])
def test_a_ridge_below_rounding_counts_as_that(compress, form):
    deck = {"method": {"form": form, "weighting": "two-sided"}, "ranks": {"parameter_ratio": 0.7}}
    sizes = {"gradient_windows": 1, "gradient_window_length": 20}  # fewer tokens than outputs
    for count in (1, 2):
        least = results_of(compress, count, **deck, calibration=sizes | {"ridge": 1e-300})["perplexity_after"]
        assert least == results_of(compress, count, **deck, calibration=sizes | {"ridge": 1e-9})["perplexity_after"]


@pytest.fixture
def holed(compress):
    """The story model with a matrix of zeros, and zero rows and columns in others."""
    arrays = {name: array.copy() for name, array in stored_tensors(STORIES).items()}
    arrays["layers.1.attention.wo.weight"][:] = 0
    arrays["layers.2.feed_forward.w1.weight"][:] = 0
    arrays["layers.3.attention.wq.weight"][8:48] = 0
    arrays["layers.3.feed_forward.w3.weight"][:, :60] = 0
    write_model(compress.folder / "holed", json.loads((STORIES / "config.json").read_text()), arrays)
    compress.given["model"] = {"path": "holed"}
    return compress


@pytest.mark.parametrize("form", ["low-rank", "pivoted", "dense", "mpo", "clustered"])
@pytest.mark.parametrize("storage", ["exact", "4-bit"])
def test_matrices_and_rows_of_zeros_take_every_form(holed, form, storage, tmp_path):
    for weighting, count in (("none", 1), ("two-sided", 3)):
        results = results_of(holed, count, method={"form": form, "weighting": weighting, "storage": storage},
                             ranks={"parameter_ratio": 0.8}, export={"directory": "out", "format": "native"},
                             heal={"steps": 2, "learning_rate": 1e-9})
        weights = weights_of(holed)
        for name in ("layers.1.attention.wo", "layers.2.feed_forward.w1"):
            if form == "clustered":
                assert weights[name]["rank"] == 1
            else:
                assert weights[name]["rank"] == 0
                assert form == "dense" or weights[name]["parameters"] == 0
    scorer = Program(tmp_path, "rankine-evaluate", {
        "model": {"path": "out"},
        "evaluate": {"text": str(STORIES / "test_tokens.npy"), "window_length": 256, "max_windows": 8}})
    assert scorer.results()["perplexity"] == pytest.approx(results["perplexity_after"], rel=1e-5)


@pytest.mark.parametrize("form", ["pivoted", "mpo"])
def test_matrices_of_zeros_are_taken_from_run_directory(holed, form):
    given = {"method": {"form": form, "weighting": "none"}, "ranks": {"parameter_ratio": 0.8},
             "run": {"directory": "kept"}}
    first = results_of(holed, 1, **given)
    again = holed.start(holed.deck(**given), ranks=2)
    assert again.code == 0 and "compressed weights taken from run.directory" in again.err + again.out
    assert weights_of(holed)["layers.1.attention.wo"]["rank"] == 0
    assert results_of(holed, 1, **given)["perplexity_after"] == first["perplexity_after"]


def test_more_clusters_than_values_are_neither_stored_nor_counted(compress):
    arrays = {name: np.round(array, 1) for name, array in stored_tensors(STORIES).items()}
    write_model(compress.folder / "coarse", json.loads((STORIES / "config.json").read_text()), arrays)
    results = results_of(compress, model={"path": "coarse"}, method={"form": "clustered", "weighting": "none", "clusters": 65536, "outliers": 0})
    assert results["perplexity_after"] == pytest.approx(results["perplexity_before"], rel=1e-6)
    for name, weight in weights_of(compress).items():
        array = arrays[name + ".weight"]
        values = len(np.unique(array))
        bits = int(values - 1).bit_length()
        assert weight["rank"] == weight["parameters"] == values
        assert weight["bytes"] == 4 * values + array.shape[0] * ((array.shape[1] * bits + 7) // 8)


@pytest.mark.parametrize("rate, step", [(1e300, 1), (1e30, 1), (1e15, 2)])
def test_a_diverged_healing_is_named_and_leaves_nothing(compress, rate, step):
    deck = compress.deck(ranks={"parameter_ratio": 0.6}, heal={"steps": 3, "window_length": 256, "learning_rate": rate, "warm_up": 0},
                         run={"directory": "kept", "checkpoint_interval": 0}, export={"directory": "out"})
    for count in (1, 2):
        refused = compress.start(deck, ranks=count)
        assert refused.code == 4
        assert f"of healing step {step} is not finite (the training diverged). Lower heal.learning_rate." in refused.err
        assert not (compress.folder / "out").exists() and RESULT not in compress.result_files()
        kept = [int(json.loads(notes.read_text())["notes"]["steps"]) for notes in compress.folder.glob("kept/healing.*/stage.json")]
        assert all(steps < step for steps in kept)


PROFILE = {"bond_dimensions": [4, 32], "by": ["layer", "kind"]}


def profile_of(program, count=None, **sections) -> dict:
    results_of(program, count, **sections)
    with h5py.File(program.folder / RESULT) as file:
        found = {key: dataset[...] for key, dataset in file["results/sensitivity"].items()}
        assert "weights" not in file["results"]
    return found | {"groups": [name.decode() for name in found["groups"]]}


@pytest.mark.parametrize("form", ["mpo", "low-rank"])
def test_a_point_of_a_profile_is_the_compression_of_that_group_alone(compress, form):
    method = {"form": form, "weighting": "full"}
    profile = profile_of(compress, 2, method=method, sensitivity=PROFILE)
    kinds = [f"attention.{w}" for w in ("wq", "wk", "wv", "wo")] + [f"feed_forward.{w}" for w in ("w1", "w3", "w2")]
    assert set(profile["groups"]) == {f"layer {i}" for i in range(5)} | set(kinds)
    assert profile["perplexity"].shape == profile["parameters"].shape == (12, 2)
    for group, patterns in {"layer 1": "layers.1.*", "attention.wo": "*.attention.wo"}.items():
        row = profile["groups"].index(group)
        alone = results_of(compress, method=method, select={"weights": patterns},
                           ranks={"allocation": "uniform", "bond_dimension": 4})
        assert profile["perplexity"][row, 0] == pytest.approx(alone["perplexity_after"], rel=1e-4)
        assert profile["parameters"][row, 0] == alone["parameters_after"]
        assert profile["parameters_before"][row] == alone["parameters_before"]
    assert np.all(profile["perplexity"][:, 1] < profile["perplexity"][:, 0])


@pytest.mark.parametrize("messages, sections", [
    (["calibration.text is not set", 'method.weighting = "two-sided" needs activations'], {"calibration": {"text": ""}}),
    (['the pattern "*.wx" in select.weights matches no weight'], {"select": {"weights": ["*.wq", "*.wx"]}}),
    (["ranks.bond_dimension = 40 is above the rank of layers.0.attention.wk (32 x 64)"],
     {"ranks": {"allocation": "uniform", "bond_dimension": 40}}),
    (["ranks.parameter_ratio = 0.02 cannot be reached for layers.0.attention.wq"], {"ranks": {"parameter_ratio": 0.02}}),
    (["one rank for all leaves nothing to allocate"], {"ranks": {"bond_dimension": 4}}),
    (["has 32 windows of 256 tokens (99 are asked for, from window 0 on)"], {"calibration": {"windows": 99}}),
    (["calibration.text = nowhere.txt cannot be read"], {"calibration": {"text": "nowhere.txt"}}),
    (['ranks.allocation = "fermi" stands beside method.form = "mpo"'],
     {"method": {"form": "mpo"}, "ranks": {"allocation": "fermi"}}),
    (["ranks.parameter_ratio = 0.01 cannot be reached", "2 sites at bond dimension 1"],
     {"method": {"form": "mpo"}, "ranks": {"parameter_ratio": 0.01}}),
    (["clusters have no bond dimension"],
     {"method": {"form": "clustered"}, "sensitivity": {"bond_dimensions": [4]}}),
    (["a profile is made of forms whose numbers are not rounded"],
     {"method": {"storage": "4-bit"}, "sensitivity": {"bond_dimensions": [4]}}),
    (["a profile leaves no compressed model behind"], {"heal": {"steps": 3}, "sensitivity": {"bond_dimensions": [4]}}),
    (["a profile is made of perplexities"], {"evaluate": {"text": ""}, "sensitivity": {"bond_dimensions": [4]}}),
    (["cannot be reached", "2 sites at bond dimension 1"],
     {"method": {"form": "mpo", "weighting": "none"}, "ranks": {"allocation": "uniform", "parameter_ratio": 0.01}}),
    (['method.form = "tucker" is asked for a language model'], {"method": {"form": "tucker"}}),
    (['method.form = "cut" is asked for a language model'], {"method": {"form": "cut"}}),
    (["heal.text = no_such.txt cannot be read", "Name a text file"], {"heal": {"steps": 1, "text": "no_such.txt"}}),
    (["heal.held_out_windows = 100000 leaves nothing to train on"], {"heal": {"steps": 1, "held_out_windows": 100000, "window_length": 64}}),
    (["heal.patience", "no windows are held out"], {"heal": {"steps": 1, "patience": 5}}),
    (['method.codebooks = "half" is no number of rows'], {"method": BOOKS | {"codebooks": "half"}}),
    (['method.codebooks = "0" is no number of rows'], {"method": BOOKS | {"codebooks": "0"}}),
    (["without the second moments of the inputs K-means is exact"], {"method": BOOKS | {"weighting": "diagonal"}}),
    (["256 of them at most"], {"method": BOOKS | {"clusters": 300}}),
    (["ranks.bits_per_weight = 1 cannot be reached", "bits with 2 values each", "with 32, the most that method.clusters allows"],
     MIXED | {"ranks": {"bits_per_weight": 1}}),
    (["ranks.bits_per_weight = 40 cannot be reached"], MIXED | {"ranks": {"bits_per_weight": 40}}),
    (["method.rounds = 0 stands beside ranks.bits_per_weight"], {"method": BOOKS | {"rounds": 0}, "ranks": {"bits_per_weight": 4}}),
    (['ranks.allocation = "uniform" stands beside ranks.bits_per_weight'],
     MIXED | {"ranks": {"bits_per_weight": 4, "allocation": "uniform"}}),
    (["shared values of 4 bits are no longer those that were chosen"],
     {"method": MIXED["method"] | {"storage": "4-bit"}, "ranks": {"bits_per_weight": 4}}),
    (["a weight gets 2 values or more"], {"method": MIXED["method"] | {"clusters": 1}, "ranks": {"bits_per_weight": 4}}),
    (['method.form = "pivoted" has no shared values'], {"ranks": {"bits_per_weight": 4}}),
    (["K-means counts entries one by one"], {"method": {"form": "clustered", "weighting": "full"}}),
    (['method.form = "mpo" has no shared values'], {"method": {"form": "mpo", "rounds": 2}}),
    (['heal.coordinates = "whitened" stands beside method.form = "low-rank" and method.weighting = "none"'],
     {"method": {"form": "low-rank", "weighting": "none"}, "heal": {"steps": 2, "coordinates": "whitened"}}),
    (['method.form = "clustered" and method.weighting = "two-sided"'],
     {"method": {"form": "clustered", "weighting": "two-sided"}, "heal": {"steps": 2, "coordinates": "whitened"}}),
    (["is the folder of the model itself"], {"export": {"directory": str(STORIES)}}),
])
def test_what_cannot_be_done_is_refused_before_any_work(compress, compress_refuses, messages, sections):
    compress_refuses(*messages, deck=compress.deck(**sections))


@pytest.mark.parametrize("loss", ["next-token", "distillation"])
def test_healing_lowers_the_perplexity_and_does_not_depend_on_the_ranks(compress, loss):
    deck = {"ranks": {"parameter_ratio": 0.6}, "heal": {"steps": 30, "loss": loss, "window_length": 256, "learning_rate": 1e-3}}
    losses = []
    for count in (1, 2):
        results = results_of(compress, count, **deck)
        assert results["perplexity_after"] < 0.9 * results["perplexity_unhealed"]
        losses.append(results["healing_loss"])
    assert len(losses[0]) == 30
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-3)


def test_whitened_healing_does_not_depend_on_ranks_and_goes_on(compress):
    deck = {"method": {"form": "pivoted", "weighting": "two-sided"}, "ranks": {"parameter_ratio": 0.6}, "run": {"directory": "restart"},
            "heal": {"steps": 20, "loss": "distillation", "window_length": 256, "learning_rate": 2e-3, "coordinates": "whitened"}}
    one = results_of(compress, 1, **deck)
    assert one["perplexity_after"] < 0.9 * one["perplexity_unhealed"]
    np.testing.assert_allclose(results_of(compress, 3, **deck | {"run": {}})["healing_loss"], one["healing_loss"], rtol=2e-3)
    for states in (compress.folder / "restart").glob("healing-*"):
        shutil.rmtree(states)
    again = results_of(compress, 2, **deck)  # with moments and weights of run.directory
    np.testing.assert_allclose(again["healing_loss"], one["healing_loss"], rtol=2e-3)
    plain = results_of(compress, 1, **deck | {"heal": deck["heal"] | {"coordinates": "factors"}})
    assert plain["healing_loss"][5] != one["healing_loss"][5]


def test_healing_ends_where_held_out_windows_no_longer_gain(compress):
    """Ten windows are soon known by heart: the loss of others falls and rises again."""
    np.save(compress.folder / "few.npy", np.load(compress.given["calibration"]["text"])[:14])
    heal = {"steps": 60, "text": "few.npy", "window_length": 256, "learning_rate": 4e-3, "held_out_windows": 4, "check_every": 5, "patience": 2}
    teams = [results_of(compress, count, ranks={"parameter_ratio": 0.6}, heal=heal, parallel={"teams": count}) for count in (1, 2)]
    for results in teams:
        held_out = results["healing_held_out_loss"]
        assert len(held_out) == 1 + len(results["healing_loss"]) // 5
        assert 0 < held_out.argmin() < len(held_out) - 1
        assert len(held_out) - 1 - held_out.argmin() == 2
        assert len(results["healing_loss"]) < 60
    assert teams[0]["healing_held_out_loss"][0] == pytest.approx(teams[1]["healing_held_out_loss"][0], rel=1e-5)


def test_healing_on_a_text_of_its_own_needs_no_calibration(compress):
    method, text = {"form": "low-rank", "weighting": "none"}, compress.given["calibration"]["text"]
    results = results_of(compress, method=method, ranks={"allocation": "uniform", "parameter_ratio": 0.8}, calibration={"text": ""},
                         heal={"steps": 10, "text": text, "window_length": 256, "learning_rate": 1e-3})
    assert results["perplexity_after"] < results["perplexity_unhealed"]


@pytest.fixture
def wide(compress):
    """A model whose widest matrices take more memory than everything else."""
    generator = np.random.default_rng(1)
    width, hidden, heads, vocabulary = 256, 1024, 4, 512
    config = {"model_type": "llama", "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 1e4,
              "max_position_embeddings": 256, "bos_token_id": 1, "vocab_size": vocabulary, "hidden_size": width,
              "num_hidden_layers": 1, "num_attention_heads": heads, "num_key_value_heads": heads,
              "intermediate_size": hidden, "tie_word_embeddings": True}
    shapes = {"model.embed_tokens": (vocabulary, width), "model.norm": (width,),
              "model.layers.0.input_layernorm": (width,), "model.layers.0.post_attention_layernorm": (width,),
              **{f"model.layers.0.self_attn.{part}_proj": (width, width) for part in "qkvo"},
              "model.layers.0.mlp.gate_proj": (hidden, width), "model.layers.0.mlp.up_proj": (hidden, width),
              "model.layers.0.mlp.down_proj": (width, hidden)}
    header, data = {}, b""
    for name, shape in shapes.items():
        values = generator.standard_normal(shape).astype(np.float32) / np.sqrt(shape[-1])
        header[name + ".weight"] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    folder = compress.folder / "wide"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    compress.given["model"] = {"path": "wide"}
    compress.given["evaluate"]["max_windows"] = 1
    return compress


def least_memory(program: Program, ranks: int) -> float:
    """The smallest parallel.memory_per_rank, in GiB, that --check accepts for so many ranks."""
    low, high = 0.25, 0.6
    deck = program.deck()
    while high - low > 5e-4:
        middle = (low + high) / 2
        checked = program.start(deck, f"parallel.memory_per_rank={middle}", "--check", "--ranks", ranks)
        assert checked.code in (0, 3), checked
        low, high = (low, middle) if checked.code == 0 else (middle, high)
    return high


def test_a_model_too_large_for_one_rank_is_compressed_on_the_number_named(wide):
    reference = results_of(wide)
    ranks = {name: int(weight["rank"]) for name, weight in weights_of(wide).items()}
    one, two = least_memory(wide, 1), least_memory(wide, 2)
    assert two < one
    limit = f"parallel.memory_per_rank={two + 0.01 * (one - two)}"
    refused = wide.start(wide.deck(), limit, ranks=1)
    assert refused.code == 3
    assert "Use at least 2 ranks in one team." in refused.err
    done = wide.start(wide.deck(), limit, ranks=2)
    assert done.code == 0, done.err
    assert "decomposed over all 2 ranks" in done.err
    results = wide.read()
    assert results["perplexity_after"] == pytest.approx(reference["perplexity_after"], rel=1e-4)
    assert {name: int(weight["rank"]) for name, weight in weights_of(wide).items()} == ranks


def test_calibration_images_are_of_all_classes_though_files_are_sorted(tmp_path):
    program = Program(tmp_path, "rankine-compress", {})
    images = np.zeros((40, 4, 4), np.uint8)
    images[20:] = 255  # the second class; the stored mean of a channel tells how many of each were looked at
    for name, array in (("images", images), ("labels", np.arange(40) // 20), ("split", np.arange(40) % 10 == 9)):
        np.save(tmp_path / f"{name}.npy", array)
    layers = [{"type": "batch-norm", "name": "norm"}, {"type": "flatten"}, {"type": "linear", "name": "fc", "outputs": 2}]
    program.write("layers.json", json.dumps({"layers": layers}))
    program.results(model={"architecture": "plain", "layers": "layers.json"},
                    data={"images": "images.npy", "labels": "labels.npy", "test_split": "split.npy", "layout": "nhw"},
                    method={"form": "dense"}, calibration={"images": 10}, train={"epochs": 1}, export={"directory": "out"})
    assert tensors(tmp_path / "out")["norm.running_mean"] == pytest.approx([0.5])
