"""Checkpoints of rankine-compress in stock transformers: loaded by their folder alone, with the losses that Rankine has."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from checkpoints import results_of, write_gpt2, write_hugging_face_stories
from conftest import STORIES

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "build" / "python-peers" / "bin" / "python"
SCRIPT = Path(__file__).parent / "run_with_transformers.py"


@pytest.fixture
def transformers(tmp_path):
    """Runs a model folder on windows of tokens in an interpreter that has transformers; nothing is fetched."""
    assert PYTHON.exists(), "There are no Python packages to compare with in build/python-peers. Run scripts/setup --peers."

    def run(folder, tokens, length, windows):
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run([PYTHON, SCRIPT, str(folder), str(tokens), str(length), str(windows)], env=environment,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def stories(compress):
    """The story model in Hugging Face's layout."""
    write_hugging_face_stories(compress.folder / "stories")
    compress.given["model"] = {"path": "stories"}
    return compress


@pytest.mark.parametrize("form", ["low-rank", "pivoted"])
def test_both_exports_have_the_losses_and_logits_of_the_compressed_model(stories, transformers, form):
    found = {}
    for format in ("dense", "factorised"):
        results = results_of(stories, method={"form": form}, ranks={"parameter_ratio": 0.85},
                             export={"directory": format, "format": format})
        found[format] = transformers(stories.folder / format, STORIES / "test_tokens.npy", 256, 8)
        np.testing.assert_allclose(found[format]["losses"], results["negative_log_likelihood_after"], rtol=1e-4)
    assert [found[format]["class"] for format in found] == ["LlamaForCausalLM", "RankineForCausalLM"]
    dense, factorised = (np.array(found[format]["logits"]) for format in found)
    np.testing.assert_allclose(factorised, dense, atol=1e-4 * abs(dense).max())


def test_factors_of_16_bits_are_loaded(stories, transformers):
    results = results_of(stories, method={"form": "low-rank", "storage": "bfloat16"}, ranks={"parameter_ratio": 0.85},
                         export={"directory": "short", "format": "factorised"})
    found = transformers(stories.folder / "short", STORIES / "test_tokens.npy", 256, 8)
    np.testing.assert_allclose(found["losses"], results["negative_log_likelihood_after"], rtol=1e-4)


def test_a_compressed_gpt2_is_loaded(compress, transformers):
    write_gpt2(compress.folder / "gpt2")
    np.save(compress.folder / "tokens.npy", np.random.default_rng(1).integers(0, 50, 64 * 8).astype(np.int32))
    compress.given |= {"model": {"path": "gpt2"}, "evaluate": {"text": "tokens.npy", "window_length": 64}}
    results = results_of(compress, 2, method={"form": "clustered", "weighting": "none", "clusters": 8}, calibration={"text": ""},
                         export={"directory": "out"})
    found = transformers(compress.folder / "out", compress.folder / "tokens.npy", 64, 8)
    np.testing.assert_allclose(found["losses"], results["negative_log_likelihood_after"], rtol=1e-4)
    assert found["class"] == "GPT2LMHeadModel"
