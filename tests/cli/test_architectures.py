"""Each architecture of language models beside stock transformers: a small random model, evaluated, compressed and read back."""

import json

import numpy as np
import pytest

from checkpoints import results_of, stored_tensors
from conftest import Program

SIZES = {"vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 6, "intermediate_size": 20,
         "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
GROUPED = {"num_key_value_heads": 2}
MODELS = {
    "llama": SIZES | GROUPED | {"attention_bias": True, "mlp_bias": True, "head_dim": 8},
    "mistral": SIZES | GROUPED | {"sliding_window": 7},
    "qwen2": SIZES | GROUPED | {"use_sliding_window": False, "tie_word_embeddings": True},
    "qwen3": SIZES | GROUPED | {"head_dim": 6, "use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1},
    "gemma": SIZES | GROUPED | {"head_dim": 8},
    "gemma3_text": SIZES | GROUPED | {"head_dim": 8, "sliding_window": 6, "sliding_window_pattern": 2, "query_pre_attn_scalar": 11,
                                      "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    "phi3": SIZES | GROUPED | {"sliding_window": 11, "original_max_position_embeddings": 64},
    "gpt_neox": SIZES | {"rotary_pct": 0.5, "use_parallel_residual": True},
    "gpt2": {"vocab_size": 50, "n_embd": 24, "n_layer": 2, "n_head": 4, "n_positions": 64, "bos_token_id": 0, "eos_token_id": 1},
}


# Whose query, key and value, or gate and up, share a tensor: not all of their weights can be factors in transformers.
JOINT = ["phi3", "gpt_neox", "gpt2"]


def exports(compress, name: str) -> dict:
    """A model compressed and exported in each way; the results of the runs by format."""
    formats = ["dense", "native"] + ([] if name in JOINT else ["factorised"])
    return {format: results_of(compress, 1 + number, model={"path": name}, ranks={"parameter_ratio": 0.8},
                               export={"directory": f"{name}-{format}", "format": format},
                               heal={"steps": 2 if format == "dense" else 0, "window_length": 48})
            for number, format in enumerate(formats)}


def check_native(compress, name: str, results: dict) -> None:
    """The native form scores alike, continues a prompt, and is materialised."""
    scorer = Program(compress.folder, "rankine-evaluate", {"model": {"path": f"{name}-native"}, "evaluate": compress.given["evaluate"]})
    scores = scorer.results(generate={"prompt_tokens": list(range(3, 15)), "tokens": 20}, ranks=2)
    assert scores["perplexity"] == pytest.approx(results["perplexity_after"], rel=1e-5), name
    outcome = compress.start("--materialize", f"{name}-native", f"{name}-materialised", ranks=2)
    assert outcome.code == 0, outcome.err


def test_losses_are_those_of_transformers_before_and_after_compression(compress, peers):
    configs = {name: {"model_type": name} | members for name, members in MODELS.items()}
    classes = peers("make_with_transformers.py", compress.folder, json.dumps(configs))
    names = [name for name, found in classes.items() if found]  # older transformers have not all
    assert len(names) >= 7
    np.save(compress.folder / "tokens.npy", np.random.default_rng(1).integers(3, 50, 48 * 8).astype(np.int32))
    compress.given |= {"evaluate": {"text": "tokens.npy", "window_length": 48},
                       "calibration": {"text": "tokens.npy", "windows": 4, "window_length": 48, "gradient_windows": 4,
                                       "gradient_window_length": 48}}
    found = {name: exports(compress, name) for name in names}
    for name in names:
        check_native(compress, name, found[name]["native"])
    folders = names + [f"{name}-{format}" for name in names for format in found[name] if format != "native"]
    folders += [f"{name}-materialised" for name in names]
    # Once a class of a folder's own is loaded, transformers takes it for the stock one: these come last.
    folders.sort(key=lambda folder: folder.endswith("-factorised"))
    stock = peers("score_with_transformers.py", compress.folder / "tokens.npy", 48, *(compress.folder / folder for folder in folders))
    of = {folder.rsplit("/", 1)[1]: scores for folder, scores in stock.items()}
    for name in names:
        by_format = found[name]
        np.testing.assert_allclose(by_format["dense"]["negative_log_likelihood_before"], of[name]["losses"], atol=1e-5, err_msg=name)
        for format, results in by_format.items():
            folder = f"{name}-{'materialised' if format == 'native' else format}"
            np.testing.assert_allclose(of[folder]["losses"], results["negative_log_likelihood_after"], atol=1e-5, err_msg=folder)
            assert of[folder]["class"] == ("RankineForCausalLM" if format == "factorised" else classes[name])
        original, dense = stored_tensors(compress.folder / name), stored_tensors(compress.folder / f"{name}-dense")
        assert {key: array.shape for key, array in dense.items()} == {key: array.shape for key, array in original.items()}
