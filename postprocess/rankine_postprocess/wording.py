"""Words that fit: numbers of things, texts cut or broken to a length."""

import re

# What stays together in a line: words, and mathematics between dollar signs with the blanks in it.
_WORD = re.compile(r"(?:\\\$|\$(?:[^$\\]|\\.)*\$|\S)+")
_COMMAND = re.compile(r"\\[A-Za-z]+|\\.")


def count(number: int, thing: str) -> str:
    """ "1 rank", "2 ranks"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def shortened(text: str, most: int = 40) -> str:
    """The text, or its beginning and three dots."""
    return text if len(text) <= most else text[: most - 1] + "…"


def broken(text: str, letters: int) -> str:
    """The text in lines of at most so many letters as are seen: mathematics counts without its commands."""
    return "\n".join(_broken_line(line, letters) for line in text.split("\n"))


def _broken_line(line: str, letters: int) -> str:
    rows, width = [""], 0
    for word in (part for word in _WORD.findall(line) for part in _parts(word, letters)):
        size = _seen(word)
        if rows[-1] and width + 1 + size > letters:
            rows.append("")
            width = 0
        width += size + (1 if rows[-1] else 0)
        rows[-1] += (" " if rows[-1] else "") + word
    return "\n".join(rows)


def _parts(word: str, letters: int) -> list[str]:
    """A word longer than a line in pieces, unless it is mathematics."""
    if "$" in word or len(word) <= letters:
        return [word]
    return [word[start : start + letters] for start in range(0, len(word), letters)]


def _seen(word: str) -> int:
    return len(re.sub(r"[${}_^]", "", _COMMAND.sub("x", word)) if "$" in word else word)
