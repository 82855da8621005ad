"""What rankine-evaluate computes, at any number of ranks and teams, and what its result file holds."""

import json
import shutil

import h5py
import numpy as np
import pytest

from conftest import RESULT, STORIES

PERPLEXITY = 3.57647  # of an independent implementation


@pytest.mark.parametrize("ranks, teams", [(1, 1), (2, 1), (2, 2), (3, 2), (4, 1), (9, 1)])
def test_perplexity_at_any_number_of_ranks(evaluate, ranks, teams):
    results = evaluate.results(ranks=ranks, evaluate={"max_windows": 8} if ranks == 9 else {}, parallel={"teams": teams})
    if ranks == 9:  # more ranks than heads; eight windows to be quick
        one = evaluate.results(evaluate={"max_windows": 8})
        assert results["perplexity"] == pytest.approx(one["perplexity"], rel=1e-5)
    else:
        assert results["perplexity"] == pytest.approx(PERPLEXITY, rel=1e-5)
        assert results["scored_tokens"] == 64 * 255


def test_sliding_windows_score_each_token_once(evaluate):
    whole = evaluate.results()
    sliding = evaluate.results(evaluate={"window_length": 128, "stride": 32})
    assert sliding["scored_tokens"] == 64 * 255
    assert whole["perplexity"] < sliding["perplexity"] < 1.2 * whole["perplexity"]  # less before each token


def test_perplexity_is_the_exponential_of_the_mean_over_tokens(evaluate):
    results = evaluate.results(evaluate={"window_length": 100, "stride": 60})
    weights = results["window_scored_tokens"]
    mean = np.average(results["negative_log_likelihood"], weights=weights)
    assert weights.sum() == results["scored_tokens"]
    assert results["perplexity"] == pytest.approx(np.exp(mean), rel=1e-12)


def test_float64_agrees(evaluate):
    results = evaluate.results(model={"precision": "float64"})
    assert results["perplexity"] == pytest.approx(PERPLEXITY, rel=1e-5)


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_model_compared_with_itself(evaluate, ranks):
    results = evaluate.results(ranks=ranks, evaluate={"reference_model": str(STORIES), "max_windows": 4})
    assert results["kl_divergence"] == pytest.approx(0, abs=1e-7)
    assert results["top_token_agreement"] == 1


def test_the_beginning_token_in_each_window(evaluate):
    tokens = np.load(STORIES / "test_tokens.npy")
    assert (tokens[:, 0] == 1).all()  # rows begin with it already
    np.save(evaluate.folder / "without.npy", tokens[:, 1:])
    evaluate.given["evaluate"] = {"text": "without.npy", "window_length": 256,
                                  "beginning_of_sequence": "each-window"}
    assert evaluate.results()["perplexity"] == pytest.approx(PERPLEXITY, rel=1e-5)


def test_continuations(evaluate):
    ids = np.load(STORIES.parents[2] / "tests" / "data" / "stories260K_greedy32_ids.npy")
    evaluate.given["evaluate"] = {}
    results = evaluate.results(ranks=3, generate={"prompt_tokens": [1], "tokens": 31})
    assert results["continuation_tokens"][0].decode() == " ".join(map(str, ids[1:]))


@pytest.fixture
def story_folder(evaluate):
    """Continues "x", token 1, with a copy of the story model and a tokenizer that calls token i "ti "."""
    folder = evaluate.folder / "model"
    shutil.copytree(STORIES, folder)
    evaluate.given["model"] = {"path": "model"}
    evaluate.given["generate"] = {"prompts": ["x"], "tokens": 20}
    evaluate.given["evaluate"] = {}
    tokens = {"x" if i == 1 else f"t{i}\u0120": i for i in range(512)}
    (folder / "tokenizer.json").write_text(json.dumps({
        "added_tokens": [], "normalizer": None, "decoder": {"type": "ByteLevel"},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
        "model": {"type": "BPE", "vocab": tokens, "merges": []}}))
    return folder


def edit_json(path, **changes):
    document = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(document | changes))


def continuation(evaluate, ranks=None):
    results = evaluate.results(ranks=ranks)
    ids = [int(word) for word in results["continuation_tokens"][0].decode().split()]
    return ids, results["continuations"][0].decode()


def test_a_continuation_ends_with_an_end_token_and_shows_no_special_ones(evaluate, story_folder):
    whole, text = continuation(evaluate)
    assert len(whole) == 20 and text == "".join(f"t{i} " for i in whole)
    special, end = whole[3], whole[9]
    assert special not in (whole[:3] + whole[4:]) and end not in whole[:9]
    expected = whole[:10], "".join(f"t{i} " for i in whole[:9] if i != special)
    edit_json(story_folder / "tokenizer.json", added_tokens=[
        {"id": special, "content": f"t{special}\u0120", "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}])
    edit_json(story_folder / "config.json", eos_token_id=end)
    assert continuation(evaluate, ranks=2) == expected
    edit_json(story_folder / "config.json", eos_token_id=[511, end])
    assert continuation(evaluate) == expected
    # The file that says how to generate goes before.
    edit_json(story_folder / "generation_config.json", eos_token_id=[special, 511])
    assert continuation(evaluate)[0] == whole[:4]
    edit_json(story_folder / "generation_config.json", eos_token_id=None)
    assert continuation(evaluate) == expected


def test_a_prompt_may_outgrow_a_sliding_window(evaluate, story_folder):
    whole = continuation(evaluate)
    edit_json(story_folder / "config.json", model_type="mistral", architectures=["MistralForCausalLM"], sliding_window=64)
    assert continuation(evaluate) == whole
    edit_json(story_folder / "config.json", sliding_window=2)
    short = continuation(evaluate)
    assert len(short[0]) == 20 and short != whole


def test_every_dataset_says_what_it_is(evaluate):
    evaluate.results(evaluate={"reference_model": str(STORIES), "max_windows": 2}, generate={"prompt_tokens": [1]})
    with h5py.File(evaluate.folder / RESULT) as file:
        assert file.attrs["filetype"] == "rankine-evaluate"
        assert file.attrs["status"] == "complete"
        groups = [file["results"], file["timing"], file["timing/profile"]]
        for name, dataset in [item for group in groups for item in group.items() if isinstance(item[1], h5py.Dataset)]:
            assert dataset.attrs["long_name"] and dataset.attrs["units"], name
            assert len(dataset.attrs["dims"]) == dataset.ndim, name
        results = file["results"]
        assert {"perplexity", "negative_log_likelihood", "scored_tokens", "kl_divergence",
                "top_token_agreement"} <= set(results)
        assert results["negative_log_likelihood"].shape == (2,)
        assert dict(results.attrs)["window_length"] == 256
        assert dict(results.attrs)["stride"] == 256
        assert dict(results.attrs)["beginning_of_sequence"] == "tokenizer"
        assert dict(results.attrs)["precision"] == "float32"
        text = file["provenance/effective_deck"][()].decode()
    assert evaluate.start(evaluate.write("again.toml", text), "--check").code == 0


def test_the_rules_are_printed_with_the_number(evaluate):
    outcome = evaluate.run(evaluate={"max_windows": 3})
    assert "3 windows of 256 tokens, stride 256, 765 scored tokens, beginning of sequence: tokenizer, float32" in outcome.out
    assert "perplexity" in outcome.out


def test_a_dry_run_prints_the_deck_and_writes_nothing(evaluate):
    outcome = evaluate.start(evaluate.deck(), "--dry-run", "--ranks", 2)
    assert outcome.code == 0, outcome.err
    assert "window_length = 256" in outcome.out and "memory of the largest rank" in outcome.out
    assert evaluate.result_files() == []


@pytest.mark.parametrize("option", ["--help", "--version", "--help-deck", "--print-defaults"])
def test_information(evaluate, option):
    outcome = evaluate.start(option)
    assert outcome.code == 0 and outcome.out and not outcome.err
