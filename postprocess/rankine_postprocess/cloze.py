"""Multiple choice made of a text: the right ending of a sentence among endings of other sentences of the same article."""

import random
import re
from collections.abc import Iterator

_CHOICES = 4
_ENDING = 6  # words that are to be chosen
_SHORTEST = 14  # words of a sentence that is used


def cloze_items(text: str, count: int, seed: int) -> list[dict]:
    """At most `count` items, equal for equal seeds. Articles begin at lines "= Title =", as WikiText has them."""
    generator = random.Random(seed)
    articles = [sentences for sentences in map(_sentences, _articles(text)) if len(sentences) >= 2 * _CHOICES]
    places = [(article, place) for article in articles for place in range(1, len(article))]
    generator.shuffle(places)
    return [_item(article, place, generator) for article, place in places[:count]]


def _articles(text: str) -> Iterator[str]:
    yield from re.split(r"^ *= [^=\n]+ = *$", text, flags=re.MULTILINE)


def _sentences(article: str) -> list[list[str]]:
    """As lists of words; headings are none."""
    lines = (line for line in article.splitlines() if not line.lstrip().startswith("="))
    found = (sentence.split() for line in lines for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", line))
    return [words for words in found if len(words) >= _SHORTEST and words[-1][-1] in ".!?"]


def _item(article: list[list[str]], place: int, generator: random.Random) -> dict:
    words = article[place]
    right = " ".join(words[-_ENDING:])
    others = sorted({" ".join(one[-_ENDING:]) for k, one in enumerate(article) if k != place} - {right})
    choices = [right, *generator.sample(others, _CHOICES - 1)]
    generator.shuffle(choices)
    context = " ".join([*article[place - 1], *words[:-_ENDING]])
    return {"context": context, "choices": choices, "answer": choices.index(right)}
