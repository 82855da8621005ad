"""Multiple choice as rankine-evaluate takes it ([tasks]), from the local files of known sets.

Contexts, choices and answers are those of the tasks of lm-evaluation-harness 0.4.13 of the same names; what it does with them in Python stands
here again. Any other task of the harness goes by the samples that it writes (`lm_eval --log_samples`).
"""

import re
from collections.abc import Callable

Item = dict[str, object]  # context, choices, answer, delimiter


def _piqa(doc: dict) -> Item:
    return _item(f"Question: {doc['goal']}\nAnswer:", [doc["sol1"], doc["sol2"]], doc["label"])


def _arc(doc: dict) -> Item:
    question, texts, labels = _labelled_choices(doc, "question")
    return _item(f"Question: {question}\nAnswer:", texts, labels.index(doc["answerKey"]))


def _openbookqa(doc: dict) -> Item:
    question, texts, labels = _labelled_choices(doc, "question_stem")
    return _item(question, texts, labels.index(doc["answerKey"].lstrip()))


def _labelled_choices(doc: dict, question: str) -> tuple[str, list[str], list[str]]:
    """Of Hugging Face's columns, or of the authors' {question: {stem, choices: [{text, label}]}}."""
    inner = doc["question"] if isinstance(doc.get("question"), dict) else doc
    choices = inner["choices"]
    if isinstance(choices, dict):
        return str(inner[question]), list(choices["text"]), list(choices["label"])
    return str(inner["stem"]), [one["text"] for one in choices], [one["label"] for one in choices]


def _hellaswag(doc: dict) -> Item:
    context = f"{doc['activity_label']}: {doc['ctx_a']} {doc['ctx_b'].capitalize()}"
    return _item(_without_brackets(context), [_without_brackets(ending) for ending in doc["endings"]], doc["label"])


def _without_brackets(text: str) -> str:
    """WikiHow left them there."""
    text = text.strip().replace(" [title]", ". ")
    return re.sub(r"\[.*?\]", "", text).replace("  ", " ")


def _winogrande(doc: dict) -> Item:
    before, _, after = doc["sentence"].partition("_")
    return _item([before + doc["option1"], before + doc["option2"]], [after.strip()] * 2, int(doc["answer"]) - 1)


def _boolq(doc: dict) -> Item:
    answer = doc["label"] if "label" in doc else doc["answer"]
    return _item(f"{doc['passage']}\nQuestion: {doc['question']}?\nAnswer:", ["no", "yes"], answer)


def _mathqa(doc: dict) -> Item:
    choices = [one[4:].rstrip(" ,") for one in re.findall(r"[abcd] \) .*?, |e \) .*?$", doc["options"])]
    return _item(f"Question: {doc['Problem']}\nAnswer:", choices, "abcde".index(doc["correct"]))


def _sample(doc: dict) -> Item:
    """A line of the harness' own samples file."""
    pairs = [(one["arg_0"], one["arg_1"]) if isinstance(one, dict) else one for one in _in_order(doc["arguments"])]
    contexts, texts = zip(*pairs)
    delimiter = " " if all(text.startswith(" ") for text in texts) else ""
    context = contexts[0] if len(set(contexts)) == 1 else list(contexts)
    return _item(context, [text.removeprefix(delimiter) for text in texts], doc["target"], delimiter)


def _in_order(arguments) -> list:
    return list(arguments.values()) if isinstance(arguments, dict) else list(arguments)


def _item(context, choices: list[str], answer, delimiter: str = " ") -> Item:
    item: Item = {"context": context, "choices": [str(choice) for choice in choices], "answer": int(answer)}
    if not 0 <= item["answer"] < len(choices):
        raise ValueError("it has no answer (test splits often hide theirs; take the validation split)")
    return item if delimiter == " " else item | {"delimiter": delimiter}


LAYOUTS: dict[str, Callable[[dict], Item]] = {
    "piqa": _piqa, "hellaswag": _hellaswag, "arc": _arc, "winogrande": _winogrande, "boolq": _boolq,
    "openbookqa": _openbookqa, "mathqa": _mathqa, "samples": _sample,
}  # fmt: skip
