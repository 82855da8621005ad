"""rankine-compress with [adapter] and [noise]: what training brings back, ranks, restart, exports, noise, refusals."""

import json

import h5py
import numpy as np
import pytest

from checkpoints import results_of, tensors, write_hugging_face_stories
from conftest import RESULT, STORIES, Program, expect_refusal

CLUSTERS = {"form": "clustered", "weighting": "none", "clusters": 8, "outliers": 0}
CAYLEY = {"kind": "cayley", "block": 4, "steps": 20, "window_length": 256}
COMPRESSED = {"method": CLUSTERS, "adapter": CAYLEY}
AS_IT_IS = {"select": {"weights": []}, "adapter": CAYLEY}
LLAMA_8B = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096,
            "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
            "max_position_embeddings": 131072, "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
            "tie_word_embeddings": False, "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
            "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                             "original_max_position_embeddings": 8192, "rope_type": "llama3"}}


def group(program: Program, name: str) -> dict:
    """Datasets and attributes of a group of /results."""
    with h5py.File(program.folder / RESULT) as file:
        found = file["results"][name]
        return {key: dataset[...] for key, dataset in found.items()} | dict(found.attrs)


@pytest.fixture
def scored(tmp_path):
    """The perplexity of a model folder in the test's folder, on the same windows."""
    def perplexity(path, **model) -> float:
        scorer = Program(tmp_path, "rankine-evaluate", {
            "output": {"file": "scored.h5"}, "model": {"path": str(path)} | model,
            "evaluate": {"text": str(STORIES / "test_tokens.npy"), "window_length": 256, "max_windows": 8}})
        outcome = scorer.run()
        assert outcome.code == 0, outcome.err
        return float(scorer.read("scored.h5")["perplexity"])
    return perplexity


@pytest.mark.parametrize("kind, numbers, blocks", [
    ({"kind": "cayley"}, 5 * 6 * (6 * 16 + 43), 5 * (6 * 16 + 43)),
    ({"kind": "cayley", "side": "both", "layers": 2, "weights": "*.wo"}, 5 * 2 * 2 * 6 * 16, 5 * 2 * 2 * 16),
    ({"kind": "block-diagonal", "side": "outputs", "weights": "*.w2"}, 5 * 64 * 4, 5 * 16),
    ({"kind": "lora", "rank": 2, "weights": ["*.w1"]}, 5 * 2 * (64 + 172), 0)])
def test_an_adapter_brings_perplexity_back_that_compression_cost(compress, kind, numbers, blocks):
    results = results_of(compress, method=CLUSTERS, adapter=CAYLEY | kind)
    adapter = group(compress, "adapter")
    assert adapter["numbers"] == numbers and adapter["bytes"] == 4 * numbers and adapter["blocks"] == blocks
    assert adapter["kind"] == kind["kind"]
    assert len(adapter["training_loss"]) == 20
    before, unadapted, after = results["perplexity_before"], adapter["perplexity_unadapted"], results["perplexity_after"]
    assert before < after < unadapted
    assert adapter["recovered"] == pytest.approx((unadapted - after) / (unadapted - before), rel=1e-12)
    assert results["parameters_after"] == results_of(compress, method=CLUSTERS)["parameters_after"]


def test_larger_blocks_bring_more_back(compress):
    shares = []
    for block in (2, 4, 16, 64):
        results_of(compress, method=CLUSTERS, adapter=CAYLEY | {"block": block, "weights": ["*.attention.*", "*.w1", "*.w3"]})
        shares.append(group(compress, "adapter")["recovered"])
    assert shares == sorted(shares)


def test_any_number_of_ranks_finds_the_same_adapter(compress):
    found = []
    for ranks in (1, 2, 3):
        results = results_of(compress, ranks, method=CLUSTERS, adapter=CAYLEY | {"side": "both", "loss": "distillation"})
        found.append((results["perplexity_after"], group(compress, "adapter")["training_loss"]))
    for perplexity, losses in found[1:]:
        assert perplexity == pytest.approx(found[0][0], rel=1e-4)
        np.testing.assert_allclose(losses, found[0][1], rtol=1e-3)


def test_seeds_give_orders_of_windows(compress):
    losses = []
    for seed in (1, 1, 2):
        results_of(compress, method=CLUSTERS, adapter=CAYLEY | {"seed": seed, "steps": 3})
        losses.append(group(compress, "adapter")["training_loss"])
    np.testing.assert_array_equal(losses[0], losses[1])
    assert np.all(losses[0] != losses[2])


def test_the_control_trains_the_model_as_it_is(compress):
    results = results_of(compress, **AS_IT_IS)
    adapter = group(compress, "adapter")
    assert "parameters_after" not in results and "recovered" not in adapter
    assert adapter["perplexity_unadapted"] == results["perplexity_before"]
    assert results["perplexity_after"] != results["perplexity_before"]
    still = results_of(compress, **AS_IT_IS | {"adapter": CAYLEY | {"steps": 0}, "calibration": {"text": ""}})
    assert still["perplexity_after"] == pytest.approx(still["perplexity_before"], rel=1e-6)


def test_the_frozen_weights_stay_as_they_are(compress):
    for steps in (0, 20):
        results_of(compress, method=CLUSTERS, adapter=CAYLEY | {"steps": steps},
                   export={"directory": f"after{steps}", "format": "native"})
    before, after = tensors(compress.folder / "after0"), tensors(compress.folder / "after20")
    assert before.keys() == after.keys()
    changed = {name for name, array in before.items() if not np.array_equal(array, after[name])}
    assert len(changed) == 35 and all("rotation" in name for name in changed)


@pytest.mark.parametrize("sections", [COMPRESSED, COMPRESSED | {"method": {"form": "low-rank", "weighting": "full", "storage": "4-bit"}},
                                      AS_IT_IS, COMPRESSED | {"adapter": CAYLEY | {"kind": "lora"}}])
def test_exports_score_as_the_adapted_model_did(compress, scored, sections):
    for format in ("dense", "native"):
        results = results_of(compress, 2, **sections, export={"directory": format, "format": format})
        assert scored(format) == pytest.approx(float(results["perplexity_after"]), rel=1e-5)


def test_a_compressed_checkpoint_is_a_base(compress, scored):
    results_of(compress, method=CLUSTERS, export={"directory": "base", "format": "native"})
    original = str(STORIES)
    results = results_of(compress, model={"path": "base"}, **AS_IT_IS | {"adapter": CAYLEY | {"loss": "distillation", "original": original}},
                         export={"directory": "adapted", "format": "native"})
    assert results["perplexity_after"] < 0.9 * results["perplexity_before"]
    assert scored("adapted") == pytest.approx(float(results["perplexity_after"]), rel=1e-5)


@pytest.mark.parametrize("kind", [{"kind": "cayley"}, {"kind": "lora", "rank": 2}])
def test_a_folder_for_peft_is_the_adapter(compress, compress_refuses, scored, kind):
    write_hugging_face_stories(compress.folder / "renamed")
    compress.given["model"] = {"path": "renamed"}
    results = results_of(compress, 2, **AS_IT_IS | {"adapter": CAYLEY | kind | {"directory": "peft"}})
    assert scored("renamed", adapter="peft") == pytest.approx(float(results["perplexity_after"]), rel=1e-5)
    (compress.folder / RESULT).unlink()
    compress.write("file", "text")
    compress_refuses("adapter.directory = file cannot be written to", "'file' is no folder",
                     **AS_IT_IS | {"adapter": CAYLEY | {"directory": "file"}})


def test_a_blocks_noise_costs_perplexity(compress):
    noise = {"error_rates": [0.0, 0.1, 0.5], "shots": [100, 1000000]}
    results = results_of(compress, **AS_IT_IS, noise=noise)
    found = group(compress, "noise")
    assert found["qubits"] == 2 and found["gates"] == 2
    np.testing.assert_array_equal(found["error_rates"], noise["error_rates"])
    np.testing.assert_array_equal(found["shots"], [100, 1000000, np.inf])
    perplexity = found["perplexity"]
    assert perplexity[0, 2] == pytest.approx(float(results["perplexity_after"]), rel=1e-6)
    assert found["perplexity_exact"] == results["perplexity_after"]
    assert found["perplexity_unadapted"] == group(compress, "adapter")["perplexity_unadapted"]
    assert found["contrast"][0] == 1 and np.all(np.diff(found["contrast"]) < 0)
    assert np.all(np.diff(perplexity[:, 2]) > 0)
    # With half of all gates wrong little but noise is left, however many shots.
    assert np.all(perplexity[:2, 0] > perplexity[:2, 1]) and perplexity[0, 1] == pytest.approx(perplexity[0, 2], rel=1e-2)
    results_of(compress, 2, **AS_IT_IS, noise=noise)
    np.testing.assert_allclose(group(compress, "noise")["perplexity"], perplexity, rtol=1e-3)


def test_check_says_what_an_adapter_costs_without_weights(tmp_path):
    llama = Program(tmp_path, "rankine-compress", {"model": {"path": "llama"}, "select": {"weights": []}})
    (tmp_path / "llama").mkdir()
    (tmp_path / "llama" / "config.json").write_text(json.dumps(LLAMA_8B))
    deck = llama.deck(adapter={"kind": "cayley", "block": 4, "weights": ["model.layers.16.self_attn.q_proj"]})
    checked = llama.start(deck, "--check")
    assert checked.code == 0, checked.err
    for message in ("8030261248 parameters", "cayley adapter on 1 weight: 6144 numbers in 24.0 KiB, 1024 blocks of 4 on inputs (2 qubits a block)",
                    "llama holds no weights: this can be checked, not run"):
        assert message in checked.out
    for ranks in (None, 2):
        refused = llama.start(deck, ranks=ranks)
        assert refused.code == 2
        assert "There is no checkpoint in 'llama'" in refused.err
    refused = llama.start(llama.deck(), "--check")
    assert refused.code == 2


@pytest.mark.parametrize("messages, sections", [
    (["select.weights is empty", "there is nothing to do"], {"select": {"weights": []}}),
    (['the pattern "*.wx" in adapter.weights matches no weight'], {"adapter": {"weights": ["*.wq", "*.wx"]}}),
    (["adapter.weights", "an empty list"], {"adapter": {"weights": []}}),
    (["adapter.block = 16 does not divide the 172 inputs of layers.0.feed_forward.w2", "the nearest divisors are 4 and 43"],
     {"adapter": {"block": 16}}),
    (["adapter.block = 5 does not divide the 64 outputs of layers.0.attention.wq", "the nearest divisors are 4 and 8"],
     {"adapter": {"block": 5, "side": "outputs"}}),
    (["adapter.block = 65"], {"adapter": {"block": 65}}),
    (["the modelling file knows no adapters"], {"export": {"directory": "out", "format": "factorised"}}),
    (["a profile leaves no compressed model behind"], {"method": {"form": "low-rank"}, "sensitivity": {"bond_dimensions": [4]}}),
    (["the model is its own original"], {"select": {"weights": []}, "adapter": {"loss": "distillation"}}),
    (["nowhere/config.json cannot be read"], {"adapter": {"loss": "distillation", "original": "nowhere"}}),
    (["adapter.directory is set for a model whose weights are called like layers.0.attention.wq"], {"adapter": {"directory": "peft"}}),
    (['adapter.kind = "cayley" stands beside model.adapter'], {"model": {"adapter": "peft"}}),
    (['adapter.kind = "block-diagonal" stands beside adapter.directory'], {"adapter": {"kind": "block-diagonal", "directory": "peft"}}),
    (['adapter.side = "both" stands beside adapter.directory'], {"adapter": {"side": "both", "directory": "peft"}}),
    (["adapter.layers = 2 stands beside adapter.directory"], {"adapter": {"layers": 2, "directory": "peft"}}),
    (["adapters need the model's loss on a text"], {"calibration": {"text": ""}}),
    (["noise.error_rates", "from 0 to 1"], {"noise": {"error_rates": [-0.1]}}),
    (["noise.error_rates", "from 0 to 1"], {"noise": {"error_rates": [1.5]}}),
    (["noise.shots", "from 1"], {"noise": {"error_rates": [0.1], "shots": [0]}}),
    (["noise.error_rates is empty, so there is no study"], {"noise": {"shots": [10]}}),
    (["only orthogonal blocks are quantum circuits"], {"adapter": {"kind": "lora"}, "noise": {"error_rates": [0.1]}}),
    (["adapter.block = 43", "a circuit of k qubits is a block of 2^k"],
     {"adapter": {"block": 43, "weights": "*.w2"}, "noise": {"error_rates": [0.1]}}),
    (["the noise study is made of perplexities"], {"evaluate": {"text": ""}, "noise": {"error_rates": [0.1]}}),
])
def test_what_cannot_be_done_is_refused_before_any_work(compress, compress_refuses, messages, sections):
    if sections.get("select") != {"weights": []} or "adapter" in sections:
        compress.given["adapter"] = {"kind": "cayley"}
    compress.given["method"] = CLUSTERS
    compress_refuses(*messages, deck=compress.deck(**sections))


def test_image_networks_have_no_adapters(compress):
    expect_refusal(compress)('adapter.kind = "cayley" is asked for an image network', model={"architecture": "resnet18"},
                             adapter={"kind": "cayley"})


def test_a_diverged_training_is_named(compress):
    refused = compress.start(compress.deck(**COMPRESSED | {"adapter": CAYLEY | {"learning_rate": 1e300, "warm_up": 0}}))
    assert refused.code == 4
    assert "of adapter step 1 is not finite (the training diverged). Lower adapter.learning_rate." in refused.err


def test_an_adapter_is_not_put_on_another(compress, compress_refuses):
    results_of(compress, **COMPRESSED, export={"directory": "adapted", "format": "native"})
    (compress.folder / RESULT).unlink()
    compress_refuses("has an adapter already", model={"path": "adapted"}, **AS_IT_IS)
