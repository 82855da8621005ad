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


@pytest.fixture(params=MODELS)
def model(request, compress, peers):
    """`compress` on a small model of an architecture and random tokens."""
    name = peers("make_with_transformers.py", compress.folder / "model", json.dumps({"model_type": request.param} | MODELS[request.param]))
    if name is None:
        pytest.skip(f"these transformers have no {request.param}")
    np.save(compress.folder / "tokens.npy", np.random.default_rng(1).integers(3, 50, 48 * 8).astype(np.int32))
    compress.given |= {"model": {"path": "model"}, "evaluate": {"text": "tokens.npy", "window_length": 48},
                       "calibration": {"text": "tokens.npy", "windows": 4, "window_length": 48, "gradient_windows": 4,
                                       "gradient_window_length": 48}}
    return compress


def transformers_of(model, peers, folder: str) -> dict:
    return peers("run_with_transformers.py", model.folder / folder, model.folder / "tokens.npy", 48, 8)


def test_losses_are_those_of_transformers_before_and_after_compression(model, peers):
    stock = transformers_of(model, peers, "model")
    results = results_of(model, 2, ranks={"parameter_ratio": 0.8}, export={"directory": "dense", "format": "dense"},
                         heal={"steps": 2, "window_length": 48})
    np.testing.assert_allclose(results["negative_log_likelihood_before"], stock["losses"], atol=1e-5)
    exported = transformers_of(model, peers, "dense")
    np.testing.assert_allclose(results["negative_log_likelihood_after"], exported["losses"], atol=1e-5)
    assert exported["class"] == stock["class"]
    original, dense = stored_tensors(model.folder / "model"), stored_tensors(model.folder / "dense")
    assert {name: array.shape for name, array in dense.items()} == {name: array.shape for name, array in original.items()}


def test_the_native_form_scores_alike_and_continues_alike(model, peers):
    results = results_of(model, 3, ranks={"parameter_ratio": 0.8}, export={"directory": "native", "format": "native"})
    scorer = Program(model.folder, "rankine-evaluate", {"model": {"path": "native"}, "evaluate": model.given["evaluate"]})
    scores = scorer.results(generate={"prompt_tokens": list(range(3, 15)), "tokens": 20}, ranks=2)
    assert scores["perplexity"] == pytest.approx(results["perplexity_after"], rel=1e-5)
    outcome = model.start("--materialize", "native", "materialised", ranks=2)
    assert outcome.code == 0, outcome.err
    assert transformers_of(model, peers, "materialised")["losses"] == pytest.approx(results["negative_log_likelihood_after"], abs=1e-5)
