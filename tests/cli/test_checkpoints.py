"""What rankine-compress writes and reads: stored in few bits, in native form, materialised, and models of the GPT-2 family."""

import json
import shutil

import h5py
import numpy as np
import pytest

from checkpoints import perplexity_of, results_of, stored_tensors, tensors, write_gpt2, write_hugging_face_stories, write_model
from conftest import RESULT, STORIES, Program

TWO_SIDED = {"form": "pivoted"}
FORMS = {
    "low-rank": ({"form": "low-rank"}, {"parameter_ratio": 0.8}),
    "pivoted": (TWO_SIDED, {"parameter_ratio": 0.8}),
    "mpo": ({"form": "mpo", "weighting": "none"}, {"allocation": "uniform", "parameter_ratio": 0.95}),
    "clustered": ({"form": "clustered", "weighting": "none"}, {}),
    "dense": ({"form": "dense"}, {"parameter_ratio": 0.8}),
}


def materialize(compress, *arguments, count=None):
    outcome = compress.start("--materialize", *arguments, ranks=count)
    assert outcome.code == 0, outcome.err


def manifest_of(folder):
    return json.loads((folder / "rankine.json").read_text())


@pytest.mark.parametrize("form", FORMS)
def test_the_native_form_scores_alike_as_it_is_and_materialised(compress, scorer, form):
    method, ranks = FORMS[form]
    after = results_of(compress, method=method, ranks=ranks, export={"directory": "native", "format": "native"})["perplexity_after"]
    assert perplexity_of(scorer, "native", 2) == pytest.approx(after, rel=1e-5)
    materialize(compress, "native", "dense", count=3)
    assert perplexity_of(scorer, "dense") == pytest.approx(after, rel=1e-5)
    original, dense = stored_tensors(STORIES), stored_tensors(compress.folder / "dense")
    assert {name: (array.shape, array.dtype) for name, array in dense.items()} == \
        {name: (array.shape, array.dtype) for name, array in original.items()}
    manifest = manifest_of(compress.folder / "native")
    assert len(manifest["weights"]) == 36  # those of the layers, and the embedding
    assert form in {weight["form"] for weight in manifest["weights"].values()}
    with h5py.File(compress.folder / RESULT) as file:
        for name, group in file["results/weights"].items():
            if group.attrs["form"] != "dense":
                assert manifest["weights"][name]["rank"] == group["rank"][()]
    assert not (compress.folder / "dense" / "rankine.json").exists()


def test_a_native_model_is_compressed_further(compress):
    first = results_of(compress, method=TWO_SIDED, ranks={"parameter_ratio": 0.8}, select={"weights": "*feed_forward*"},
                             export={"directory": "native", "format": "native"})
    again = results_of(compress, model={"path": "native"}, method={"form": "clustered", "weighting": "none"},
                             select={"weights": "*attention*"}, export={"directory": "both", "format": "native"})
    assert again["perplexity_before"] == pytest.approx(first["perplexity_after"], rel=1e-5)
    forms = {name: weight["form"] for name, weight in manifest_of(compress.folder / "both")["weights"].items()}
    assert {form for name, form in forms.items() if "attention" in name} == {"clustered"}
    assert "pivoted" in {form for name, form in forms.items() if "feed_forward" in name}


def bfloat16(array):
    """Rounded to nearest, ties to even, on the bits of float32."""
    bits = array.astype(np.float32).view(np.uint32).astype(np.uint64)
    return (((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)


def four_bits(matrix):
    """Blocks of 32 numbers of a row, each with 16 equally spaced values; least value and step in float16."""
    rounded = np.empty_like(matrix)
    for first in range(0, matrix.shape[1], 32):
        block = matrix[:, first:first + 32]
        least = block.min(1, keepdims=True).astype(np.float16).astype(float)
        step = ((block.max(1, keepdims=True) - least).clip(0) / 15).astype(np.float16).astype(float)
        rounded[:, first:first + 32] = least + step * np.round((block - least) / step).clip(0, 15)
    return rounded


@pytest.mark.parametrize("storage, rounding, bits", [
    ("bfloat16", bfloat16, 16), ("float16", lambda matrix: matrix.astype(np.float16), 16), ("4-bit", four_bits, 5)])
def test_dense_weights_are_rounded_as_numpy_does_it(compress, storage, rounding, bits):
    results = results_of(compress, method={"form": "dense", "weighting": "none", "storage": storage},
                               ranks={"parameter_ratio": 1.0}, export={"directory": "out"})
    original, exported = tensors(STORIES), tensors(compress.folder / "out")
    shapes = 0
    for name, matrix in original.items():
        selected = name.startswith("layers.") and matrix.ndim == 2
        expected = rounding(matrix) if selected else matrix
        np.testing.assert_allclose(exported[name], expected, rtol=1e-6, atol=1e-7)
        if selected and storage == "4-bit":  # whole blocks and bytes, and the shape
            blocks, pairs = -(-matrix.shape[1] // 32), -(-matrix.shape[1] // 2)
            shapes += matrix.shape[0] * (pairs + 4 * blocks) + 8
        elif selected:
            shapes += matrix.size * bits // 8
    assert results["bytes_after"] == shapes
    assert results["parameters_after"] == 226560


def test_factors_are_rounded_and_count_half(compress, scorer):
    deck = {"method": TWO_SIDED, "ranks": {"parameter_ratio": 0.8}}
    exact = results_of(compress, **deck)
    for name in ("exact", "bfloat16"):
        rounded = results_of(compress, **deck | {"method": {**TWO_SIDED, "storage": name}},
                                   export={"directory": name, "format": "native"})
    assert rounded["parameters_after"] == exact["parameters_after"]
    plain, short = (stored_tensors(compress.folder / name) for name in ("exact", "bfloat16"))
    bytes_of_layers = {name: sum(array.nbytes for key, array in stored.items() if "attention.w" in key or "feed_forward" in key)
                       for name, stored in (("exact", plain), ("bfloat16", short))}
    assert bytes_of_layers == {"exact": exact["bytes_after"], "bfloat16": rounded["bytes_after"]}
    for name, array in short.items():
        if name.endswith((".basis", ".coefficients")):
            np.testing.assert_array_equal((array.astype(np.uint32) << 16).view(np.float32), bfloat16(plain[name]))
    assert perplexity_of(scorer, "bfloat16") == pytest.approx(rounded["perplexity_after"], rel=1e-5)
    assert rounded["perplexity_after"] != exact["perplexity_after"]


def test_healed_numbers_are_rounded_too(compress):
    deck = {"ranks": {"parameter_ratio": 0.7}, "heal": {"steps": 20, "window_length": 256, "learning_rate": 1e-3}}
    results = results_of(compress, **deck, method={**TWO_SIDED, "storage": "float16"},
                               export={"directory": "native", "format": "native"})
    assert results["perplexity_after"] < 0.9 * results["perplexity_unhealed"]
    types = {array.dtype for name, array in stored_tensors(compress.folder / "native").items() if "attention.w" in name}
    assert types == {np.dtype(np.float16), np.dtype(np.int32)}


def test_float64_models_keep_all_digits(compress, scorer):
    write_hugging_face_stories(compress.folder / "wide", np.float64)
    compress.given["model"] = {"path": "wide", "precision": "float64"}
    after = results_of(compress, method=TWO_SIDED, ranks={"parameter_ratio": 0.8},
                             export={"directory": "native", "format": "native"})["perplexity_after"]
    stored = stored_tensors(compress.folder / "native")
    numbers = [array for name, array in stored.items() if name.endswith((".basis", ".coefficients"))]
    assert numbers and all(array.dtype == np.float64 and (array.astype(np.float32) != array).any() for array in numbers)
    assert manifest_of(compress.folder / "native")["precision"] == "float64"
    outcome = scorer.run(model={"path": "native", "precision": "float64"})
    assert outcome.code == 0, outcome.err
    assert scorer.read("score.h5")["perplexity"] == pytest.approx(after, rel=1e-12)
    materialize(compress, "native", "dense")
    dense = stored_tensors(compress.folder / "dense")
    name = next(name for name in stored if name.endswith(".basis")).removesuffix(".basis")
    basis, pivots = stored[name + ".basis"], stored[name + ".pivots"]
    np.testing.assert_array_equal(dense[name + ".weight"][pivots], basis)
    others = np.setdiff1d(np.arange(len(dense[name + ".weight"])), pivots)
    np.testing.assert_allclose(dense[name + ".weight"][others], stored[name + ".coefficients"] @ basis, rtol=0,
                               atol=1e-13 * abs(basis).max())


@pytest.fixture
def gpt2(compress):
    """A random GPT-2 with random tokens, which `compress` works on."""
    write_gpt2(compress.folder / "gpt2")
    tokens = np.random.default_rng(1).integers(0, 50, 64 * 12).astype(np.int32)
    np.save(compress.folder / "tokens.npy", tokens)
    compress.given |= {"model": {"path": "gpt2"},
                       "calibration": {"text": "tokens.npy", "windows": 8, "window_length": 64, "gradient_windows": 8,
                                       "gradient_window_length": 64},
                       "evaluate": {"text": "tokens.npy", "window_length": 64}}
    return compress


@pytest.mark.parametrize("count", [1, 3])
def test_gpt2_comes_back_as_it_was_at_ratio_one(gpt2, count):
    outcome = gpt2.start(gpt2.deck(ranks={"parameter_ratio": 1.0}, export={"directory": "out"}), ranks=count)
    assert outcome.code == 0, outcome.err
    original, exported = stored_tensors(gpt2.folder / "gpt2"), stored_tensors(gpt2.folder / "out")
    assert original.keys() == exported.keys()
    for name, array in original.items():
        np.testing.assert_array_equal(exported[name], array)
        assert exported[name].dtype == array.dtype


@pytest.mark.parametrize("format", ["dense", "native"])
def test_compressed_gpt2_scores_the_same_from_its_checkpoint(gpt2, format):
    after = results_of(gpt2, ranks={"parameter_ratio": 0.6}, select={"weights": ["*c_attn.key", "*mlp*"]},
                         export={"directory": "out", "format": format})["perplexity_after"]
    scorer = Program(gpt2.folder, "rankine-evaluate", {"output": {"file": "score.h5"}, "evaluate": gpt2.given["evaluate"]})
    assert perplexity_of(scorer, "out", 3) == pytest.approx(after, rel=1e-5)
    if format == "native":
        materialize(gpt2, "out", "dense", count=2)
        assert perplexity_of(scorer, "dense") == pytest.approx(after, rel=1e-5)
    dense, original = tensors(gpt2.folder / ("out" if format == "dense" else "dense")), tensors(gpt2.folder / "gpt2")
    joint, before = dense["transformer.h.1.attn.c_attn.weight"], original["transformer.h.1.attn.c_attn.weight"]
    np.testing.assert_array_equal(joint[:, :24], before[:, :24])
    np.testing.assert_array_equal(joint[:, 48:], before[:, 48:])
    assert np.linalg.matrix_rank(joint[:, 24:48], tol=1e-5) < 24


@pytest.fixture
def native(compress):
    """A small native folder that a test may spoil."""
    results_of(compress, method={"form": "low-rank", "weighting": "none"}, ranks={"parameter_ratio": 0.8},
                     export={"directory": "native", "format": "native"}, evaluate={"text": ""})
    return compress.folder / "native"


def edit(folder, change):
    manifest = manifest_of(folder)
    change(manifest)
    (folder / "rankine.json").write_text(json.dumps(manifest))


NAME = "layers.0.attention.wq"


@pytest.mark.parametrize("change, messages", [
    (lambda manifest: manifest.update(format_version=3), ["its format_version is 3, this program reads 1 and 2"]),
    (lambda manifest: manifest.update(format_version=1.5), ["format_version = 1.5 is not a whole number"]),
    (lambda manifest: manifest.update(precision="float16"), ["precision", "float16"]),
    (lambda manifest: manifest.pop("checksums"), ["'checksums' is missing"]),
    (lambda manifest: manifest["checksums"].pop(NAME + ".left"), [f"The tensor {NAME}.left is not listed in rankine.json"]),
    (lambda manifest: manifest["checksums"].update({NAME + ".left": "f" * 16}), [f"The tensor {NAME}.left is damaged"]),
    (lambda manifest: manifest["checksums"].update({NAME + ".left": 5}), [f"the checksum of {NAME}.left is not 16 hexadecimal digits"]),
    (lambda manifest: manifest["checksums"].update(other="f" * 16), ["The tensor other is missing"]),
    (lambda manifest: manifest["weights"][NAME].update(rank=3), [f"the weight {NAME} has rank", "rankine.json says 3"]),
    (lambda manifest: manifest["weights"][NAME].update(dense_type="I32"), ["there is no type 'I32' of weights"]),
    (lambda manifest: manifest.update(filetype="other"), ["its filetype is not rankine-model"]),
    (lambda manifest: manifest["weights"].pop(NAME), [f"rankine.json does not list {NAME}"]),
    (lambda manifest: manifest["weights"].update({NAME: "dense"}), [f"weights.{NAME}: this is not an object"]),
    (lambda manifest: manifest["weights"][NAME].update(rank=1.5), [f"weights.{NAME}.rank = 1.5 is not a whole number"]),
    (lambda manifest: manifest["weights"].update({"layers.9.attention.wq": manifest["weights"][NAME]}),
     ["rankine.json lists layers.9.attention.wq"]),
    (lambda manifest: manifest["weights"][NAME].update(form="pivoted"),
     [f"the weight {NAME} is stored as low-rank (exact)", "says pivoted (exact)"]),
    (lambda manifest: manifest["weights"][NAME].update(storage="4-bit"), ["says low-rank (4-bit)"]),
])
def test_a_wrong_manifest_is_refused(compress, scorer, native, change, messages):
    edit(native, change)
    for outcome in (compress.start("--materialize", "native", "out", ranks=2), scorer.run(model={"path": "native"})):
        assert outcome.code == 2
        for message in messages:
            assert message in outcome.err
    assert not (compress.folder / "out").exists()


@pytest.mark.parametrize("name, array, message", [
    (NAME + ".weight", np.ones((64, 64), np.float32), f"{NAME}.weight does not fit the weight (the form of the other tensors has none"),
    (NAME + ".left", np.ones((64, 5), np.float32), f"{NAME}.right does not fit the weight (its shape)"),
    (NAME + ".left", np.float32(1), f"{NAME}.left does not fit the weight"),
    (NAME + ".bias", np.ones(64, np.float32), f"the tensor {NAME}.bias has no place in the model"),
])
def test_wrong_tensors_of_a_form_are_refused(compress, scorer, native, name, array, message):
    write_model(compress.folder / "spoilt", json.loads((native / "config.json").read_text()),
                {**stored_tensors(native), name: array})
    manifest = manifest_of(native) | {"format_version": 1}  # the one without checksums, which would notice it before
    manifest.pop("checksums")
    (compress.folder / "spoilt" / "rankine.json").write_text(json.dumps(manifest))
    outcome = scorer.run(model={"path": "spoilt"}, ranks=2)
    assert outcome.code == 2 and message in outcome.err, outcome


@pytest.mark.parametrize("form, storage", [("low-rank", "exact"), ("pivoted", "exact"), ("pivoted", "bfloat16")])
def test_a_factorised_export_is_a_model_again(compress, scorer, form, storage):
    write_hugging_face_stories(compress.folder / "stories")
    after = results_of(compress, model={"path": "stories"}, method={"form": form, "weighting": "none", "storage": storage},
                       ranks={"parameter_ratio": 0.8}, export={"directory": "factors"})["negative_log_likelihood_after"]
    assert "rankine_forms" in json.loads((compress.folder / "factors" / "config.json").read_text())

    def losses(model, count):
        outcome = scorer.run(ranks=count, model={"path": model}, evaluate={"window_length": 256, "max_windows": 8})
        assert outcome.code == 0, outcome
        return scorer.read("score.h5")["negative_log_likelihood"]

    for count in (None, 3):
        np.testing.assert_allclose(losses("factors", count), after, rtol=1e-6)
    # Once more through a compression that leaves most factors alone, in the other formats.
    for format in ("dense", "native"):
        passed = results_of(compress, model={"path": "factors"}, select={"weights": ["*.0.mlp.down_proj"]},
                            method={"form": "clustered", "weighting": "none", "clusters": 16, "outliers": 0},
                            export={"directory": format, "format": format})
        np.testing.assert_allclose(losses(format, 2), passed["negative_log_likelihood_after"], rtol=1e-5)
        config = json.loads((compress.folder / format / "config.json").read_text())
        assert config.get("architectures") == ["LlamaForCausalLM"] and "auto_map" not in config


def test_a_flipped_bit_is_noticed(compress, scorer, native):
    file = native / "model.safetensors"
    data = file.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for place in (start, (start + len(data)) // 2, len(data) - 1):
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1:])
        for outcome in (compress.start("--materialize", "native", "out", ranks=2), scorer.run(model={"path": "native"})):
            assert outcome.code == 2, outcome.err
            assert "is damaged" in outcome.err and "rankine.json says" in outcome.err
    assert not (compress.folder / "out").exists()


def test_a_native_folder_of_an_older_program_is_read(compress, scorer, native):
    expected = perplexity_of(scorer, "native")

    def make_older(manifest):
        manifest["format_version"] = 1
        del manifest["checksums"]

    edit(native, make_older)
    assert perplexity_of(scorer, "native") == expected


def test_what_cannot_be_materialised_is_refused(compress, native):
    write_model(compress.folder / "spoilt", json.loads((native / "config.json").read_text()),
                {name: array for name, array in stored_tensors(native).items() if not name.startswith(NAME)})
    shutil.copy(native / "rankine.json", compress.folder / "spoilt")
    for arguments, message in [(("native", "native"), "is the folder of the compressed model itself"),
                               ((STORIES, "out"), "is no compressed model (there is no rankine.json in it)"),
                               (("nowhere", "out"), "is no compressed model (there is no rankine.json in it)"),
                               (("native", "spoilt/config.json/out"), "'spoilt/config.json' is no folder"),
                               (("spoilt", "out"), f"the tensors of {NAME} are missing")]:
        outcome = compress.start("--materialize", *arguments)
        assert outcome.code == 2
        assert message in outcome.err
    assert not (compress.folder / "out").exists()


def test_an_export_of_another_format_leaves_no_manifest(compress, native, scorer):
    after = results_of(compress, ranks={"parameter_ratio": 0.8}, export={"directory": "native"})["perplexity_after"]
    assert not (native / "rankine.json").exists()
    assert perplexity_of(scorer, "native") == pytest.approx(after, rel=1e-5)


@pytest.mark.parametrize("messages, sections", [
    (["stands beside method.storage", "16 bits or more"],
     {"method": {"storage": "4-bit"}, "export": {"directory": "out", "format": "factorised"}}),
    (["the modelling file replaces linear layers"],
     {"model": {"path": "gpt2"}, "calibration": {"text": ""}, "method": {"weighting": "none"}, "evaluate": {"text": ""},
      "export": {"directory": "out", "format": "factorised"}}),
])
def test_formats_that_do_not_fit_are_refused(compress, compress_refuses, messages, sections):
    write_gpt2(compress.folder / "gpt2")
    compress_refuses(*messages, deck=compress.deck(**sections))
