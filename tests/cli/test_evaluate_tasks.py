"""Multiple choice: likelihoods of choices, accuracies, other ranks, going on, and task files that are wrong."""

import json
import shutil

import h5py
import numpy as np
import pytest

from conftest import RESULT, STORIES

ITEMS = [
    {"context": "Once upon a time there was a brother", "choices": ["who ran", "and a sister", "."], "answer": 1},
    {"context": "The big bear ate all the butt", "choices": ["er.", "on."], "answer": 0, "delimiter": ""},
    {"context": "It was very late. ", "choices": ["She went home", "\u00e9t\u00e9 to the\u3000sea"], "answer": 0, "id": "spaces"},
    {"context": ["Tom was never", "Tim was never"], "choices": ["seen there again", "seen there again"], "answer": 1},
    {"context": "", "choices": ["Once", "upon a"], "answer": 0},
]


@pytest.fixture
def stories(evaluate):
    """The story model with a tokenizer of bytes, and of one pair: "er" is one token."""
    folder = evaluate.folder / "model"
    shutil.copytree(STORIES, folder)
    vocabulary = {symbol: place for place, symbol in enumerate([*byte_symbols(), "er"])}
    (folder / "tokenizer.json").write_text(json.dumps({
        "added_tokens": [], "normalizer": None, "decoder": {"type": "ByteLevel"},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": [["e", "r"]]}}))
    evaluate.given |= {"model": {"path": "model"}, "evaluate": {}, "tasks": {"files": ["small.jsonl"]}}
    write_task(evaluate, "small.jsonl", ITEMS)
    return evaluate


def byte_symbols():
    """How tokenizers write the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def write_task(program, name, items):
    program.write(name, "".join(json.dumps(item) + "\n" for item in items))


def ids(text):
    """Of that tokenizer. No test has "er" across the border of two words."""
    out = []
    for byte in text.encode():
        if out and out[-1] == ord("e") and byte == ord("r"):
            out[-1] = 256
        else:
            out.append(byte)
    return out


def pair(context, continuation):
    """Tokens of both, as lm-evaluation-harness makes them; the story model's sequences begin with token 1."""
    if not context:
        return [1], ids(continuation)
    words = context.rstrip()
    before = ids(words)
    return before, ids(context + continuation)[len(before):]


def small_task(program, **arguments):
    """What a run says of the task "small"."""
    program.results(**arguments)
    with h5py.File(program.folder / RESULT) as file:
        return {name: dataset[...] for name, dataset in file["results/tasks/small"].items()}


def likelihood(program, before, scored):
    """By the losses of two windows: all tokens, and those of the context."""
    losses = []
    for number, tokens in enumerate((before + scored, before)):
        np.save(program.folder / f"row{number}.npy", np.array([tokens]))
        found = program.results(evaluate={"text": f"row{number}.npy", "window_length": 256}, tasks={"files": []}) if len(tokens) > 1 else None
        losses.append(float(found["negative_log_likelihood"][0] * found["scored_tokens"]) if found else 0.0)
    return losses[1] - losses[0]


def test_choices_have_the_likelihood_of_their_tokens_behind_the_context(stories):
    task = small_task(stories)
    found = iter(task["choice_log_likelihood"])
    for item in ITEMS:
        contexts = item["context"] if isinstance(item["context"], list) else [item["context"]] * len(item["choices"])
        for context, choice in zip(contexts, item["choices"]):
            before, scored = pair(context, item.get("delimiter", " ") + choice)
            assert next(found) == pytest.approx(likelihood(stories, before, scored), abs=2e-4), item
    assert task["choice_bytes"][6] == len("\u00e9t\u00e9 to the\u3000sea".encode())
    assert task["choice_characters"][6] == len("\u00e9t\u00e9 to the\u3000sea")


def test_accuracies_follow_from_the_likelihoods(stories):
    task = small_task(stories)
    lengths = {"": np.ones(11), "_per_token": task["choice_tokens"], "_per_character": task["choice_characters"],
               "_per_byte": task["choice_bytes"]}
    for rule, length in lengths.items():
        right, first = [], 0
        for item in ITEMS:
            own = slice(first, first := first + len(item["choices"]))
            right.append(np.argmax(task["choice_log_likelihood"][own] / length[own]) == item["answer"])
        assert task[f"accuracy{rule}"] == np.mean(right)
        assert task[f"accuracy{rule}_standard_error"] == pytest.approx(np.std(right, ddof=1) / np.sqrt(len(right)))


@pytest.mark.parametrize("ranks, teams", [(3, 1), (3, 2), (4, 4)])
def test_any_number_of_ranks_gives_the_same(stories, ranks, teams):
    alone = small_task(stories)
    together = small_task(stories, ranks=ranks, parallel={"teams": teams})
    assert together["choice_log_likelihood"] == pytest.approx(alone["choice_log_likelihood"], abs=1e-4)
    assert together["accuracy"] == alone["accuracy"]


def test_texts_and_several_tasks_stand_together(stories):
    write_task(stories, "other.jsonl", ITEMS[:2])
    outcome = stories.run(evaluate={"text": str(STORIES / "test_tokens.npy"), "max_windows": 2, "window_length": 256},
                          tasks={"files": ["small.jsonl", "other.jsonl"], "max_items": 4})
    assert outcome.code == 0, outcome
    with h5py.File(stories.folder / RESULT) as file:
        results = file["results"]
        assert results["perplexity"][()] > 1 and len(results["tasks/small/answer"]) == 4
        assert list(results["tasks/other/answer"]) == [1, 0]
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["task", "items"] in [line[:2] for line in lines] and ["other", "2"] in [line[:2] for line in lines]
    assert "perplexity" in outcome.out


def test_a_compression_scores_tasks_before_and_after(stories, compress):
    before = small_task(stories)["accuracy"]
    compress.given |= {"model": {"path": "model"}, "evaluate": {}, "tasks": {"files": ["small.jsonl"]}, "run": {"directory": "kept"},
                       "method": {"weighting": "none"}, "ranks": {"parameter_ratio": 0.5}, "export": {"directory": "dense"}}
    for _ in range(2):  # the second takes the scores of the first
        outcome = compress.run()
        assert outcome.code == 0, outcome
        with h5py.File(compress.folder / RESULT) as file:
            task = {name: dataset[()] for name, dataset in file["results/tasks/small"].items()}
            assert "perplexity_before" not in file["results"]
        assert task["accuracy_before"] == before and 0 <= task["accuracy_after"] <= 1
        assert "small/accuracy" in outcome.out
    stories.given["model"] = {"path": "dense"}
    assert small_task(stories)["accuracy"] == task["accuracy_after"]


def test_long_contexts_lose_their_beginning(stories):
    long = {"context": "a" * 600 + " fox", "choices": ["ran", "sat"], "answer": 0}
    write_task(stories, "small.jsonl", [long])
    found = small_task(stories)["choice_log_likelihood"]
    config = json.loads((stories.folder / "model" / "config.json").read_text())
    before, scored = pair(long["context"], " ran")
    kept = (before + scored)[-(config["max_position_embeddings"] + 1):][:-len(scored)]
    write_task(stories, "small.jsonl", [long | {"context": bytes(kept).decode()}])
    assert small_task(stories)["choice_log_likelihood"][0] == pytest.approx(found[0], abs=1e-5)


@pytest.mark.parametrize("line, why", [
    ('{"context": "a", "choices": ["b", "c"], "anser": 0}', "the key 'anser' means nothing here; did you mean 'answer'?"),
    ('{"context": "a", "choices": ["b", "c"]}', "the key 'answer' is missing"),
    ('{"context": "a", "choices": ["b"], "answer": 0}', "it has 1 choice"),
    ('{"context": "a", "choices": ["b", "c"], "answer": 2}', "its answer is 2, where choices are counted from 0 to 1"),
    ('{"context": "a", "choices": ["b", "c"], "answer": "0"}', 'its answer is "0"'),
    ('{"context": ["a"], "choices": ["b", "c"], "answer": 0}', "it has 1 context and 2 choices"),
    ('{"context": 3, "choices": ["b", "c"], "answer": 0}', "its 'context' is no list"),
    ('{"context": "a", "choices": ["b", ""], "answer": 0}', "a choice is empty"),
    ('{"context": "   ", "choices": ["b", "c"], "answer": 0}', "a context or a choice has no tokens of its own"),
    ('{"context": "a", "choices": ["b", "%s"], "answer": 0}' % (600 * "c"), "a choice has 601 tokens, and the context of the model ends at 512"),
    ("[1, 2]", "it is no object"),
    ('{"context": "a"', "line 2 of the task small.jsonl"),
])  # fmt: skip
def test_lines_that_are_wrong(stories, evaluate_refuses, line, why):
    stories.write("small.jsonl", json.dumps(ITEMS[0]) + "\n" + line + "\n")
    evaluate_refuses("line 2 of the task small.jsonl", why)


def test_files_that_are_wrong(stories, evaluate_refuses):
    evaluate_refuses("the task missing.jsonl cannot be read", tasks={"files": ["missing.jsonl"]})
    stories.write("empty.jsonl", "\n")
    evaluate_refuses("the task empty.jsonl holds no item", tasks={"files": ["empty.jsonl"]})
    evaluate_refuses("two tasks 'small'", tasks={"files": ["small.jsonl", "./small.jsonl"]})
    (stories.folder / "model" / "tokenizer.json").unlink()
    evaluate_refuses("tokenizer.json")
