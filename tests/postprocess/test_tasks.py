"""Files of multiple choice: those of known sets, of the harness' samples, and of texts."""

import json

import evaluate_file
import h5py
import pytest
from rankine_postprocess import task_figure
from rankine_postprocess.cloze import cloze_items
from rankine_postprocess.command_line import main
from rankine_postprocess.task_layouts import LAYOUTS

ARC = {"question": "Which is hot?", "choices": {"text": ["ice", "fire"], "label": ["A", "B"]}, "answerKey": "B"}
DOCUMENTS = {
    "piqa": ({"goal": "Cut bread.", "sol1": "Use a saw.", "sol2": "Use a knife.", "label": 1},
             "Question: Cut bread.\nAnswer:", ["Use a saw.", "Use a knife."], 1),
    "arc": (ARC, "Question: Which is hot?\nAnswer:", ["ice", "fire"], 1),
    "openbookqa": ({"question_stem": "Fire is"} | ARC | {"question": None, "answerKey": " A"}, "Fire is", ["ice", "fire"], 0),
    "hellaswag": ({"activity_label": "Baking", "ctx_a": "A man [step] mixes.", "ctx_b": "he", "endings": ["eats. [title] Done", "runs"], "label": "0"},
                  "Baking: A man mixes. He", ["eats.. Done", "runs"], 0),
    "winogrande": ({"sentence": "The cup on the _ broke.", "option1": "table", "option2": "sky", "answer": "1"},
                   ["The cup on the table", "The cup on the sky"], ["broke."] * 2, 0),
    "boolq": ({"passage": "Rain is wet.", "question": "is rain wet", "label": 1}, "Rain is wet.\nQuestion: is rain wet?\nAnswer:", ["no", "yes"], 1),
    "mathqa": ({"Problem": "1 + 1", "options": "a ) 1 , b ) 2 , c ) 3 , d ) 4 , e ) none", "correct": "b"},
               "Question: 1 + 1\nAnswer:", ["1", "2", "3", "4", "none"], 1),
    "samples": ({"arguments": {"gen_args_0": {"arg_0": "Two and", "arg_1": " two"}, "gen_args_1": {"arg_0": "Two and", "arg_1": " ten"}}, "target": "1"},
                "Two and", ["two", "ten"], 1),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_known_sets(tmp_path, layout):
    document, context, choices, answer = DOCUMENTS[layout]
    (tmp_path / "set.jsonl").write_text(json.dumps(document) + "\n\n" + json.dumps(document) + "\n")
    assert main(["tasks", layout, str(tmp_path / "set.jsonl"), "-o", str(tmp_path / "task.jsonl")]) == 0
    items = [json.loads(line) for line in (tmp_path / "task.jsonl").read_text().splitlines()]
    assert items == 2 * [{"context": context, "choices": choices, "answer": answer}]


def test_labels_in_a_file_of_their_own(tmp_path, capsys):
    document = {key: value for key, value in DOCUMENTS["piqa"][0].items() if key != "label"}
    (tmp_path / "set.json").write_text(json.dumps([document, document]))
    (tmp_path / "labels.lst").write_text("1\n0\n")
    assert main(["tasks", "piqa", str(tmp_path / "set.json"), "--labels", str(tmp_path / "labels.lst")]) == 0
    assert [json.loads(line)["answer"] for line in capsys.readouterr().out.splitlines()] == [1, 0]


@pytest.mark.parametrize("text, why", [
    ('{"goal": "a"}', "item 1 is not laid out as piqa is (it has no 'sol1')"),
    (json.dumps(DOCUMENTS["piqa"][0] | {"label": -1}), "it has no answer"),
    ("{", "neither JSON lines nor a JSON list"),
])
def test_files_that_are_something_else(tmp_path, capsys, text, why):
    (tmp_path / "set.jsonl").write_text(text)
    assert main(["tasks", "piqa", str(tmp_path / "set.jsonl")]) == 2
    assert why in capsys.readouterr().err


def article(title, sentences):
    words = "the quick brown fox goes over many a hill to see what is behind number"
    return f" = {title} = \n\n" + " ".join(f"{title} says that {words} {k} of {title} ." for k in range(sentences)) + "\n"


def test_endings_of_sentences_among_those_of_their_article():
    text = article("One", 12) + " = = Part = = \n" + article("Two", 9) + article("Short", 3)
    items = cloze_items(text, 15, seed=4)
    assert items == cloze_items(text, 15, seed=4) != cloze_items(text, 15, seed=5)
    assert len(items) == 15 and {item["answer"] for item in items} == {0, 1, 2, 3}
    for item in items:
        title = item["context"].split()[0]
        assert title in ("One", "Two") and len(set(item["choices"])) == 4
        assert all(choice.split()[-2] == title and len(choice.split()) == 6 for choice in item["choices"])
    assert len(cloze_items(text, 1000, seed=1)) == 11 + 8


def add_task(path, name, accuracy, *, end=""):
    with h5py.File(path, "a") as file:
        group = file.require_group(f"results/tasks/{name}")
        evaluate_file.put(group, f"accuracy{end}", accuracy, [])
        evaluate_file.put(group, f"accuracy_standard_error{end}", 0.02, [])
    return path


def test_accuracies_stand_in_tables_and_figures(tmp_path, capsys):
    files = [add_task(evaluate_file.write(tmp_path / f"{name}.h5", [1.0, 2.0]), "cloze", value) for name, value in (("a", 0.5), ("b", 0.75))]
    assert main(["table", *map(str, files)]) == 0
    shown = capsys.readouterr().out
    assert "tasks/cloze/accuracy" in shown and "0.75" in shown
    assert main(["plot", *map(str, files), "--view", "tasks", "-o", str(tmp_path / "tasks.png")]) == 0
    scores = [task_figure.read_task_scores(file) for file in files]
    bars = task_figure.draw(scores).axes[0].containers
    assert [bar.get_height() for group in bars for bar in getattr(group, "patches", [])] == [0.5, 0.75]


def test_a_figure_without_tasks_says_so(tmp_path, capsys):
    file = evaluate_file.write(tmp_path / "a.h5", [1.0, 2.0])
    assert main(["plot", str(file), "--view", "tasks", "-o", str(tmp_path / "tasks.png")]) == 2
    assert "Set tasks.files in its deck" in capsys.readouterr().err
