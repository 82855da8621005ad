"""Adapters in PEFT's files: scored as stock PEFT scores them, merged, and refused where they do not fit."""

import json
import shutil

import numpy as np
import pytest

from checkpoints import results_of, stored_tensors, write_hugging_face_stories, write_tensors
from conftest import STORIES, compress_stories, evaluate_stories, expect_refusal

TARGETS = ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"]
WIDTH = 64  # of the story model
ADAPTERS = {
    "exact": {"kind": "OFT", "oft_block_size": 8, "use_cayley_neumann": False, "target_modules": TARGETS[:4]},
    "series": {"kind": "OFT", "oft_block_size": 4, "use_cayley_neumann": True, "target_modules": TARGETS},
    "shared": {"kind": "OFT", "r": 16, "oft_block_size": 0, "use_cayley_neumann": True, "num_cayley_neumann_terms": 3,
               "block_share": True, "target_modules": TARGETS[:4]},
    "lora": {"kind": "LORA", "r": 4, "lora_alpha": 6, "use_rslora": True, "target_modules": TARGETS},
}


@pytest.fixture(scope="module")
def stories(tmp_path_factory):
    """A folder with the story model in Hugging Face's layout."""
    folder = tmp_path_factory.mktemp("adapters")
    write_hugging_face_stories(folder / "stories")
    return folder


def evaluate_in(folder):
    evaluate = evaluate_stories(folder)
    evaluate.given["model"] = {"path": "stories"}
    evaluate.given["evaluate"] |= {"max_windows": 8}
    return evaluate


def test_adapters_of_stock_peft_have_its_losses_and_logits(stories, peers):
    jobs = [{"folder": str(stories / name), "make": made} for name, made in ADAPTERS.items()]
    theirs = peers("run_with_peft.py", stories / "stories", STORIES / "test_tokens.npy", 256, 8, json.dumps(jobs))
    evaluate = evaluate_in(stories)
    plain = evaluate.results()["negative_log_likelihood"]
    for job, expected in zip(jobs, theirs):
        for ranks in (1, 3):
            ours = evaluate.results(ranks=ranks, model={"adapter": job["folder"]})
            np.testing.assert_allclose(ours["negative_log_likelihood"], expected["losses"], rtol=3e-5, err_msg=job["folder"])
            assert ours["perplexity"] == pytest.approx(np.exp(np.mean(expected["losses"])), rel=1e-4)
        assert abs(np.subtract(expected["losses"], plain)).max() > 0.01


def test_stock_peft_has_the_losses_of_adapters_that_are_written(stories, peers):
    compress, ours, jobs = compress_stories(stories), [], []
    for kind in ({"kind": "cayley", "block": 8}, {"kind": "lora", "rank": 2}):
        jobs.append({"folder": str(stories / f"written_{kind['kind']}"), "make": None})
        adapter = {"weights": ["*_proj"], "steps": 3, "learning_rate": 0.03, "warm_up": 0.0, "window_length": 256, "directory": jobs[-1]["folder"]}
        if kind["kind"] == "cayley":
            adapter["weights"] = ["*.self_attn.*", "*.up_proj"]  # 64 wide
        given = {"model": {"path": "stories"}, "select": {"weights": []}, "method": {"weighting": "none"}, "ranks": {"allocation": "uniform"}}
        found = results_of(compress, 2, **given, adapter=kind | adapter)
        ours.append(found["negative_log_likelihood_after"])
        assert abs(ours[-1] - found["negative_log_likelihood_before"]).max() > 0.01, "training changed nothing"
    for expected, losses in zip(peers("run_with_peft.py", stories / "stories", STORIES / "test_tokens.npy", 256, 8, json.dumps(jobs)), ours):
        np.testing.assert_allclose(losses, expected["losses"], rtol=3e-5)


def config_of(**changes):
    config = {"peft_type": "OFT", "oft_block_size": 8, "r": 0, "use_cayley_neumann": False, "bias": "none"} | changes
    return {key: value for key, value in config.items() if value != "missing"}


def write_adapter(folder, config, arrays):
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(config))
    write_tensors(folder / "adapter_model.safetensors", {f"base_model.model.{name}": array for name, array in arrays.items()})
    return str(folder)


def blocks(scale=0.2, size=8, width=WIDTH, seed=3):
    random = np.random.default_rng(seed)
    return (scale * random.normal(size=(width // size, size * (size - 1) // 2))).astype(np.float32)


QUERY = "model.layers.1.self_attn.q_proj"


def rotation_of(numbers, size):
    """PEFT's R, which stands to the right of x, as one matrix."""
    whole = np.zeros((len(numbers) * size,) * 2)
    for block, above in enumerate(numbers):
        q = np.zeros((size, size))
        q[np.triu_indices(size, 1)] = above
        q -= q.T
        place = slice(block * size, (block + 1) * size)
        whole[place, place] = (np.eye(size) - q) @ np.linalg.inv(np.eye(size) + q)
    return whole


@pytest.mark.parametrize("format", ["dense", "native"])
def test_an_adapter_is_merged_or_kept_by_exports(tmp_path, format):
    write_hugging_face_stories(tmp_path / "stories")
    numbers = blocks()
    adapter = write_adapter(tmp_path / "adapter", config_of(), {f"{QUERY}.oft_R.weight": numbers})
    compress = compress_stories(tmp_path)
    given = {"model": {"path": "stories", "adapter": adapter}, "select": {"weights": ["*.0.mlp.down_proj"]},
             "method": {"form": "clustered", "weighting": "none", "clusters": 64}, "calibration": {"text": ""}}
    after = results_of(compress, 2, **given, export={"directory": "out", "format": format})
    found = stored_tensors(tmp_path / "out")
    if format == "dense":
        merged = stored_tensors(tmp_path / "stories")[f"{QUERY}.weight"].astype(float) @ rotation_of(numbers, 8).T
        np.testing.assert_allclose(found[f"{QUERY}.weight"], merged, atol=1e-6)
    else:
        np.testing.assert_array_equal(found[f"{QUERY}.rotation.inputs.0"], -numbers)
        assert found[f"{QUERY}.rotation.inputs.strides"].tolist() == [1]
    evaluate = evaluate_in(tmp_path)
    for ranks in (1, 3):
        again = evaluate.results(ranks=ranks, model={"path": "out"})
        np.testing.assert_allclose(again["negative_log_likelihood"], after["negative_log_likelihood_after"], rtol=1e-5)


def test_an_adapter_that_is_not_asked_for_is_mentioned(tmp_path):
    model = write_hugging_face_stories(tmp_path / "stories")
    adapter = tmp_path / "adapter"
    write_adapter(adapter, config_of(), {f"{QUERY}.oft_R.weight": blocks()})
    shutil.copy(adapter / "adapter_config.json", model)
    evaluate = evaluate_in(tmp_path)
    outcome = evaluate.run()
    assert outcome.code == 0 and "holds an adapter too" in outcome.out + outcome.err
    outcome = evaluate.run(model={"adapter": "adapter"})
    assert "holds an adapter too" not in outcome.out + outcome.err and "on 1 weight\n" in outcome.out + outcome.err


def test_adapters_that_do_not_fit_are_refused(tmp_path):
    write_hugging_face_stories(tmp_path / "stories")
    refuses = expect_refusal(evaluate_in(tmp_path))
    good = {f"{QUERY}.oft_R.weight": blocks()}

    def expect(*messages, config=None, arrays=None):
        shutil.rmtree(tmp_path / "adapter", ignore_errors=True)
        write_adapter(tmp_path / "adapter", config_of(**(config or {})), good if arrays is None else arrays)
        refuses(*messages, model={"adapter": "adapter"})

    expect("peft_type", "VERA", config={"peft_type": "VERA"})
    expect("'peft_type' is missing", config={"peft_type": "missing"})
    expect("'oft_block_size' is missing", config={"oft_block_size": "missing"})
    expect("'use_cayley_neumann' is missing", config={"use_cayley_neumann": "missing"})
    expect("'num_cayley_neumann_terms' is missing", config={"use_cayley_neumann": True})
    expect("r is 8 and oft_block_size is 8", config={"r": 8})
    expect("coft", config={"coft": True})
    expect("fan_in_fan_out", config={"fan_in_fan_out": True})
    expect("bias", config={"bias": "oft_only"})
    expect("modules_to_save", config={"modules_to_save": ["lm_head"]})
    expect("oft_block_size = 6", "does not divide the 64 inputs", config={"oft_block_size": 6})
    expect("has shape [8, 28]", "asks for [16, 6]", config={"oft_block_size": 4})
    expect("changes model.layers.9.self_attn.q_proj", "no such weight", arrays={"model.layers.9.self_attn.q_proj.oft_R.weight": blocks()})
    expect("has shape [16, 28]", arrays={f"{QUERY}.oft_R.weight": blocks(width=128)})
    expect("lora_A.weight", arrays={f"{QUERY}.lora_A.weight": np.ones((2, WIDTH), np.float32)})
    expect("has no tensors", arrays={})
    lora = {"peft_type": "LORA", "lora_alpha": 2}
    expect("'lora_alpha' is missing", config=lora | {"lora_alpha": "missing"})
    expect("lacks the tensor", config=lora, arrays={f"{QUERY}.lora_A.weight": np.ones((2, WIDTH), np.float32)})
    expect("use_dora", config=lora | {"use_dora": True})
    shutil.rmtree(tmp_path / "adapter")
    refuses("adapter_config.json", model={"adapter": "adapter"})
