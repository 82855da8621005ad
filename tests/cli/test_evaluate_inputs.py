"""Checkpoints, texts and decks that are wrong: exit code, a message that names the place, and no result."""

import json
import os
import re
import shutil
import struct

import numpy as np
import pytest

from checkpoints import tensors, write_gpt2
from conftest import RESULT, STORIES


def read_checkpoint(path):
    """Header and values of a safetensors file."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + length]), data[8 + length:]


def write_checkpoint(path, header, values):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)


@pytest.fixture
def model(evaluate):
    """A copy of the story model that a test may spoil."""
    folder = evaluate.folder / "model"
    shutil.copytree(STORIES, folder)
    evaluate.given["model"] = {"path": "model"}
    return folder


def edit_config(model, **changes):
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | changes))


def split_into_shards(model):
    """Two shards with their index; returns their names."""
    header, values = read_checkpoint(model / "model.safetensors")
    header.pop("__metadata__", None)
    names = sorted(header)
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {}
    for shard, part in zip(shards, (names[:20], names[20:])):
        own, data = {}, b""
        for name in part:
            begin, end = header[name]["data_offsets"]
            own[name] = header[name] | {"data_offsets": [len(data), len(data) + end - begin]}
            data += values[begin:end]
            index[name] = shard
        write_checkpoint(model / shard, own, data)
    (model / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    (model / "model.safetensors").unlink()
    return shards


def test_shards_give_the_same_perplexity(evaluate, model):
    split_into_shards(model)
    assert evaluate.results(ranks=2)["perplexity"] == pytest.approx(3.57647, abs=1e-4)


def test_a_missing_shard(model, evaluate_refuses):
    shards = split_into_shards(model)
    (model / shards[1]).unlink()
    evaluate_refuses(shards[1], ranks=2)


def test_a_truncated_shard(model, evaluate_refuses):
    shards = split_into_shards(model)
    data = (model / shards[0]).read_bytes()
    (model / shards[0]).write_bytes(data[:-100])
    evaluate_refuses(shards[0], ranks=2)


def test_a_header_that_is_too_long(model, evaluate_refuses):
    data = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(struct.pack("<Q", 100_000_001) + data[8:])
    evaluate_refuses("model.safetensors", "100000001")


def test_tensors_that_overlap(model, evaluate_refuses):
    header, values = read_checkpoint(model / "model.safetensors")
    begin, end = header["layers.0.attention.wk.weight"]["data_offsets"]
    header["layers.0.attention.wk.weight"]["data_offsets"] = [begin - 64, end - 64]
    write_checkpoint(model / "model.safetensors", header, values)
    evaluate_refuses("layers.0.attention.wk.weight", "model.safetensors")


def test_weights_of_another_shape(model, evaluate_refuses):
    edit_config(model, intermediate_size=180)
    evaluate_refuses("layers.0.feed_forward.w1.weight has shape [172, 64] and not [180, 64]")


def test_weights_of_more_layers(model, evaluate_refuses):
    edit_config(model, num_hidden_layers=6)
    evaluate_refuses("layers.5.attention.wq.weight is missing")


def test_an_unknown_architecture(model, evaluate_refuses):
    edit_config(model, model_type="mamba")
    evaluate_refuses('the architecture "mamba" is not supported', "config.json")


def test_an_unsupported_value(model, evaluate_refuses):
    edit_config(model, rope_scaling={"rope_type": "yarn", "factor": 4.0})
    evaluate_refuses('rope_scaling.rope_type = "yarn" is not supported', "config.json")


def add_tensor(model, name, array, dtype="F32"):
    header, values = read_checkpoint(model / "model.safetensors")
    data = array.tobytes()
    header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [len(values), len(values) + len(data)]}
    write_checkpoint(model / "model.safetensors", header, values + data)


def test_tensors_that_the_model_has_no_place_for(model, evaluate_refuses):
    add_tensor(model, "layers.3.attention.wq.bias", np.full(64, 3, np.float32))
    evaluate_refuses("the tensor layers.3.attention.wq.bias has no place in the model", ranks=2)


def test_tables_that_follow_from_the_config_change_nothing(evaluate, model):
    add_tensor(model, "layers.0.attention.rotary_emb.inv_freq", np.ones(4, np.float32))
    add_tensor(model, "freqs_cos", np.ones((512, 4), np.float32))
    assert evaluate.results()["perplexity"] == pytest.approx(3.57647, abs=1e-4)


def test_masks_and_a_copied_head_of_gpt2_change_nothing(evaluate):
    folder = write_gpt2(evaluate.folder / "gpt2")
    np.save(evaluate.folder / "tokens.npy", np.random.default_rng(1).integers(0, 50, 256).astype(np.int32))
    sections = {"model": {"path": "gpt2"}, "evaluate": {"text": "tokens.npy", "window_length": 64}}
    before = evaluate.results(**sections)["perplexity"]
    add_tensor(folder, "transformer.h.0.attn.bias", np.tri(64, dtype=np.uint8).reshape(1, 1, 64, 64), "U8")
    add_tensor(folder, "transformer.h.0.attn.masked_bias", np.float32(-1e4))
    add_tensor(folder, "lm_head.weight", tensors(folder)["transformer.wte.weight"].astype(np.float32))
    assert evaluate.results(**sections)["perplexity"] == before


def test_weights_that_are_integers(model, evaluate_refuses):
    header, values = read_checkpoint(model / "model.safetensors")
    header["norm.weight"]["dtype"] = "I32"
    write_checkpoint(model / "model.safetensors", header, values)
    evaluate_refuses("the tensor norm.weight holds integers (I32)")


def test_a_quantised_checkpoint(model, evaluate_refuses):
    edit_config(model, quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True})
    evaluate_refuses("the checkpoint is quantised, quantization_config: bitsandbytes", "config.json")


@pytest.mark.parametrize("changes, message", [
    ({"rope_parameters": {"rope_theta": 10000.0, "partial_rotary_factor": 1.5}},
     "rotary positions turn 12 of the 8 numbers of a head"),
    ({"rope_theta": "10000"}, 'rope_theta = "10000" is not a finite number'),
    ({"rope_parameters": {"rope_theta": [1e4]}}, "rope_parameters.rope_theta = [...] is not a finite number"),
    ({"hidden_size": 64.5}, "hidden_size = 64.5 is not a whole number"),
    ({"num_attention_heads": None}, "'num_attention_heads' is missing"),
    ({"bos_token_id": 2**32 + 1}, "bos_token_id = 4294967297 is not a whole number from 0 to 511"),
    ({"eos_token_id": [2, 512]}, "eos_token_id holds 512"),
    ({"rms_norm_eps": float("nan")}, "not valid JSON"),
    ({"logits_scaling": 8.0}, "the key logits_scaling = 8.0 is not known"),
    ({"sliding_window": 128}, "sliding_window = 128 is not supported: llama models have none"),
])
def test_values_of_the_config(model, evaluate_refuses, changes, message):
    edit_config(model, **changes)
    evaluate_refuses(message)


def test_layers_without_end(evaluate, model):
    edit_config(model, num_hidden_layers=10**9)
    outcome = evaluate.start(evaluate.deck(), "--check", memory_limit=2**33)
    assert outcome.code == 2, outcome
    assert "num_hidden_layers = 1000000000 is not a whole number from 1 to 1000000" in outcome.err


def test_a_sliding_window_changes_nothing_unless_it_is_shorter_than_what_is_scored(evaluate, model):
    edit_config(model, model_type="mistral", architectures=["MistralForCausalLM"], sliding_window=256)
    assert evaluate.results()["perplexity"] == pytest.approx(3.57647, abs=1e-4)
    edit_config(model, sliding_window=32)
    (evaluate.folder / RESULT).unlink()
    assert evaluate.results()["perplexity"] > 3.6


def test_a_generation_config_that_is_damaged(model, evaluate_refuses):
    (model / "generation_config.json").write_text('{"eos_token_id": "two"}')
    evaluate_refuses("generation_config.json", 'eos_token_id = "two" is not a whole number')


@pytest.mark.parametrize("shape", [(3, 0), (0, 16), (0,)])
def test_a_text_without_tokens(evaluate, evaluate_refuses, shape):
    np.save(evaluate.folder / "empty.npy", np.zeros(shape, np.int32))
    evaluate_refuses("empty.npy", evaluate={"text": "empty.npy"})


def test_texts_that_cannot_be_opened(evaluate, evaluate_refuses):
    (evaluate.folder / "loop.txt").symlink_to("loop.txt")
    (evaluate.folder / "loop.npy").symlink_to("loop.npy")
    for name in ("loop.txt", "loop.npy", "a" * 300, "a/" * 3000 + "a.npy"):
        evaluate_refuses(name[:250], evaluate={"text": name})


def test_no_config(model, evaluate_refuses):
    (model / "config.json").unlink()
    evaluate_refuses("config.json cannot be read")


def test_no_model(evaluate_refuses):
    evaluate_refuses("nowhere", model={"path": "nowhere"})


def test_a_missing_tokenizer(evaluate, evaluate_refuses):
    evaluate.write("text.txt", "Once upon a time")
    evaluate_refuses("tokenizer.json", evaluate={"text": "text.txt"}, ranks=2)


def test_prompts_without_a_tokenizer(evaluate_refuses):
    evaluate_refuses("tokenizer.json", generate={"prompts": ["Once"]})


def test_a_missing_text(evaluate_refuses):
    evaluate_refuses("missing.npy", evaluate={"text": "missing.npy"})


def test_a_text_shorter_than_a_window(evaluate, evaluate_refuses):
    np.save(evaluate.folder / "short.npy", np.arange(100, dtype=np.uint16))
    evaluate_refuses("short.npy has 100 tokens (a window takes 256)", evaluate={"text": "short.npy"}, ranks=2)


@pytest.mark.parametrize("wrong", [512, 60000, -1])
def test_a_token_beyond_the_vocabulary(evaluate, evaluate_refuses, wrong):
    tokens = np.ones(400, dtype=np.int32)
    tokens[333] = wrong
    np.save(evaluate.folder / "tokens.npy", tokens)
    evaluate_refuses(f"token 333 of tokens.npy is {wrong}", "511", evaluate={"text": "tokens.npy"})


def test_a_prompt_beyond_the_vocabulary(evaluate_refuses):
    evaluate_refuses("token 512", generate={"prompt_tokens": [1, 512]})


def test_windows_longer_than_the_context(evaluate, evaluate_refuses):
    np.save(evaluate.folder / "long.npy", np.ones(2000, dtype=np.uint16))
    evaluate_refuses("513 tokens", "512 tokens", evaluate={"text": "long.npy", "window_length": 513})


@pytest.mark.parametrize("ranks, name, value", [
    (1, "layers.3.feed_forward.w2.weight", float("nan")),
    (3, "layers.3.feed_forward.w2.weight", float("nan")),
    (2, "norm.weight", float("inf"))])
def test_a_weight_that_is_not_finite(evaluate, model, ranks, name, value):
    header, values = read_checkpoint(model / "model.safetensors")
    end = header[name]["data_offsets"][1]
    values = values[:end - 4] + struct.pack("<f", value) + values[end:]  # the last row: one rank's only
    write_checkpoint(model / "model.safetensors", header, values)
    outcome = evaluate.run(ranks=ranks)
    assert outcome.code == 4, outcome
    assert outcome.err.count("error: ") == 1, outcome.err
    assert f"the tensor {name} holds a number that is not finite" in outcome.err
    assert evaluate.result_files() == []


def test_a_continuation_of_a_model_that_overflows(evaluate, model):
    header, values = read_checkpoint(model / "model.safetensors")
    begin, end = header["norm.weight"]["data_offsets"]
    values = values[:begin] + np.full(64, 3e38, np.float32).tobytes() + values[end:]
    write_checkpoint(model / "model.safetensors", header, values)
    evaluate.given["evaluate"] = {}
    outcome = evaluate.run(ranks=2, generate={"prompt_tokens": [1]}, parallel={"teams": 2})
    assert outcome.code == 4, outcome
    assert "a continuation meets logits that are not finite" in outcome.err
    assert evaluate.result_files() == []


def test_a_reference_of_another_vocabulary(evaluate, model, evaluate_refuses):
    header, values = read_checkpoint(model / "model.safetensors")
    shape = header["tok_embeddings.weight"]["shape"]
    size = header["tok_embeddings.weight"]["data_offsets"][1]
    assert header["tok_embeddings.weight"]["data_offsets"][0] == 0
    header["tok_embeddings.weight"] |= {"shape": [shape[0] + 1, shape[1]], "data_offsets": [0, size + 256]}
    for entry, tensor in header.items():
        if entry not in ("__metadata__", "tok_embeddings.weight"):
            tensor["data_offsets"] = [offset + 256 for offset in tensor["data_offsets"]]
    write_checkpoint(model / "model.safetensors", header, values[:size] + bytes(256) + values[size:])
    edit_config(model, vocab_size=513)
    evaluate_refuses("vocabularies of 512 and 513 tokens", model={"path": str(STORIES)},
                     evaluate={"reference_model": "model"})


def test_a_misspelt_keyword(evaluate_refuses):
    evaluate_refuses("window_lenght", "Did you mean evaluate.window_length?", evaluate={"window_lenght": 256})


def test_a_stride_longer_than_the_window(evaluate_refuses):
    evaluate_refuses("evaluate.stride = 300 is larger", evaluate={"stride": 300})


def test_nothing_to_do(evaluate, evaluate_refuses):
    evaluate.given["evaluate"] = {}
    evaluate_refuses("evaluate.text is not set")


def test_more_teams_than_ranks(evaluate):
    outcome = evaluate.run(ranks=2, parallel={"teams": 3})
    assert outcome.code == 2 and "Cannot form 3 teams of 2 ranks" in outcome.err


@pytest.mark.parametrize("name", ["text.txt", "text.npy", "config.json", "model.safetensors"])
def test_a_pipe_in_place_of_an_input_is_not_waited_for(evaluate, model, evaluate_refuses, name):
    (model / name).unlink(missing_ok=True)
    os.mkfifo(model / name)
    text = {"text": str(model / name)} if name.startswith("text") else {}
    evaluate_refuses(name, "it is a pipe, not a file", evaluate=text)


@pytest.mark.parametrize("path, why", [("nowhere.txt", "there is no such file; relative paths begin where"),
                                       ("loop", "Too many levels of symbolic links"),
                                       (300 * "x" + ".txt", "File name too long")])  # fmt: skip
def test_a_text_that_cannot_be_reached(evaluate, evaluate_refuses, path, why):
    (evaluate.folder / "loop").symlink_to("loop")
    evaluate_refuses(f"the text {path} cannot be read ({why}", evaluate={"text": path})


def test_too_little_memory(evaluate_refuses):
    outcome = evaluate_refuses("a rank may use 102.4 MiB", "Use a smaller evaluate.window_length or fewer generate.tokens.",
                               code=3, parallel={"memory_per_rank": 0.1})
    assert "float32" not in outcome.err
    evaluate_refuses('model.precision = "float32"', code=3, parallel={"memory_per_rank": 0.1},
                     model={"precision": "float64"})


def test_too_few_ranks_for_the_memory(evaluate):
    def check(ranks, gibibytes):
        return evaluate.run("--check", "--ranks", ranks, parallel={"memory_per_rank": gibibytes})

    def needed(ranks):
        return float(re.search(r"largest rank at most ([\d.]+) MiB", check(ranks, 100).out)[1]) / 1024

    refused = check(1, (needed(1) + needed(4)) / 2)
    assert refused.code == 3
    advised = int(re.search(r"Use at least (\d+) ranks in one team", refused.err)[1])
    assert 1 < advised <= 4
    assert check(advised, (needed(1) + needed(4)) / 2).code == 0
    assert "(1 rank a team)" in refused.out or "; 1 rank a team)" in refused.out
