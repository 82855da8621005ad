"""Checkpoints of rankine-compress in stock transformers: loaded by their folder alone, with the losses that Rankine has."""

import importlib.util
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from checkpoints import results_of, write_gpt2, write_hugging_face_stories
from conftest import PEERS, STORIES, Program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def transformers(peers):
    """Runs a model folder on windows of tokens."""
    return lambda *arguments: peers("run_with_transformers.py", *arguments)


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


def add_mask(folder: Path) -> None:
    """An attention mask as older software stored it: it follows from config.json, and no export holds it."""
    file = folder / "model.safetensors"
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, values = json.loads(data[8:8 + length]), data[8 + length:]
    mask = np.tri(64, dtype=np.uint8).tobytes()
    header["transformer.h.0.attn.bias"] = {"dtype": "BOOL", "shape": [1, 1, 64, 64], "data_offsets": [len(values), len(values) + len(mask)]}
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + values + mask)


def test_a_compressed_gpt2_is_loaded(compress, transformers):
    add_mask(write_gpt2(compress.folder / "gpt2"))
    np.save(compress.folder / "tokens.npy", np.random.default_rng(1).integers(0, 50, 64 * 8).astype(np.int32))
    compress.given |= {"model": {"path": "gpt2"}, "evaluate": {"text": "tokens.npy", "window_length": 64}}
    results = results_of(compress, 2, method={"form": "clustered", "weighting": "none", "clusters": 8}, calibration={"text": ""},
                         export={"directory": "out"})
    found = transformers(compress.folder / "out", compress.folder / "tokens.npy", 64, 8)
    np.testing.assert_allclose(found["losses"], results["negative_log_likelihood_after"], rtol=1e-4)
    assert found["class"] == "GPT2LMHeadModel"


def hugging_face_from_gguf():
    """The module of that script, without the package that reads GGUF files."""
    sys.modules.setdefault("gguf", types.ModuleType("gguf"))
    spec = importlib.util.spec_from_file_location("hugging_face_from_gguf", ROOT / "scripts" / "hugging_face_from_gguf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tokenizer_of_fetch_smollm2_feeds_generate(tmp_path, peers):
    folder = write_hugging_face_stories(tmp_path / "stories")
    source = {"tokenizer.ggml.tokens": ["a", "x"] + [f"t{i}\u0120" for i in range(2, 512)],
              "tokenizer.ggml.token_type": [1, 1, 3] + [1] * 509, "tokenizer.ggml.merges": [],
              "tokenizer.chat_template": "", "llama.context_length": 512,
              **{f"tokenizer.ggml.{name}_token_id": 2 for name in ("bos", "eos", "padding", "unknown")}}
    model = hugging_face_from_gguf().SmolLm2(source)
    for name in ("tokenizer", "tokenizer_config", "generation_config"):
        (folder / f"{name}.json").write_text(json.dumps(getattr(model, name)()))
    theirs = peers("generate_with_transformers.py", folder, "xa", 12)
    assert theirs["inputs"] == ["attention_mask", "input_ids"]
    assert len(theirs["ids"]) == 12
    evaluate = Program(tmp_path, "rankine-evaluate", {"model": {"path": "stories"}})
    ours = evaluate.results(generate={"prompts": ["xa"], "tokens": 12})
    assert ours["continuation_tokens"][0].decode() == " ".join(map(str, theirs["ids"]))
    assert ours["continuations"][0].decode() == theirs["text"]


def test_fetch_gemma3_merges_by_score_and_takes_one_from_the_norms():
    tokens = ["<bos>", "<0x61>", "  ", "   ", "\u2581w", "or", "ld", "\u2581wor", "\u2581world", "orld", "\u2581", "w", "o", "r", "l", "d"]
    kinds = [3, 6, 4, 4] + [1] * 12
    model = hugging_face_from_gguf().Gemma3({"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": kinds})
    blank = "\u2581"
    assert model.merges() == [f"{blank} {blank}", f"{blank*2} {blank}", f"{blank} {blank*2}", f"{blank} w", "o r", "l d", f"{blank}w or",
                              f"{blank}w orld", f"{blank}wor ld", "or ld"]
    assert model.hugging_face_name("blk.3.post_ffw_norm.weight") == "model.layers.3.post_feedforward_layernorm.weight"
    norm = np.array([1.5], np.float32)
    assert model.values("model.layers.3.self_attn.q_norm.weight", norm).tolist() == [0.5]
    assert model.values("model.layers.3.self_attn.q_proj.weight", norm).tolist() == [1.5]


# As Mistral's: its own beginning, a refusal, ends of what the model says.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
)


def test_conversations_become_the_text_and_the_tokens_of_transformers(tmp_path, peers):
    tokenizer = ROOT / "tests" / "data" / "tokenizers" / "llama2.json"
    (tmp_path / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "chat_template": CHAT_TEMPLATE}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    talks = [["What is a rank?", "A count."], ["Gr\u00fc\u00dfe", " No\n\nline ", "x"]]
    messages = [[{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(talk)] for talk in talks]
    (tmp_path / "talks.jsonl").write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in messages))
    theirs = peers("chat_with_transformers.py", tmp_path, tmp_path / "talks.jsonl")
    for name in ("ours.txt", "ours.npy"):  # with the package tokenizers of that Python
        subprocess.run([PEERS, "-m", "rankine_postprocess", "chat-text", tmp_path, tmp_path / "talks.jsonl", "-o", tmp_path / name], check=True,
                       env=os.environ | {"PYTHONPATH": str(ROOT / "postprocess")}, capture_output=True)
    assert (tmp_path / "ours.txt").read_text() == theirs["text"]
    assert np.load(tmp_path / "ours.npy").tolist() == theirs["ids"]
