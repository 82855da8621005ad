"""A deck and what the command line changes in it; its [sweep] apart from what programs read."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError, Problems

DEFAULT_PROGRAM = "rankine-simulate"


@dataclass(frozen=True)
class Deck:
    path: str
    text: str
    sections: dict  # what programs read: top-level keywords and sections
    sweep: dict  # the table [sweep]; empty for a deck of one run
    overridden: frozenset[str]  # keywords given on the command line
    program: str

    def where(self, table: str, key: str = "") -> str:
        """Of a table or a key in it, for messages: "deck.toml:12"."""
        line = _line_of(self.text, table, key)
        return f"{self.path}:{line}" if line else self.path

    def value(self, key: str):
        """Of a keyword "section.name", or "name" of the top level; None if the deck does not give it."""
        section, name = split_key(key)
        values = self.sections.get(section, {}) if section else self.sections
        return values.get(name) if isinstance(values, dict) else None


def split_key(key: str) -> tuple[str, str]:
    """Section and name; the section of the top level is empty."""
    section, _, name = key.rpartition(".")
    return section, name


def set_value(sections: dict, key: str, value) -> None:
    section, name = split_key(key)
    target = sections.setdefault(section, {}) if section else sections
    target[name] = value


def read_deck(path: str, overrides: list[str] = (), program: str = "") -> Deck:
    """Reads a deck; `overrides` are "section.key=value", `program` replaces that of the first line."""
    text = _load(path)
    try:
        sections = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"Cannot parse the deck, {path} ({error}). Correct the TOML there.") from error
    sweep = sections.pop("sweep", {})
    if not isinstance(sweep, dict):
        raise InputError(f"sweep is given a value, {path} (it is a section). Write [sweep.product] and keywords below.")
    keys = _override(sections, overrides)
    named = re.match(r"# program: (\S+)", text)
    return Deck(path, text, sections, sweep, frozenset(keys), program or (named[1] if named else DEFAULT_PROGRAM))


def _load(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise InputError(f"Cannot read the deck, {path} ({error.strerror}). Give the path of a deck.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"Cannot read the deck, {path} (it is not UTF-8 text). Give the path of a deck.") from error


def _override(sections: dict, overrides: list[str]) -> list[str]:
    problems, keys = Problems(), []
    for argument in overrides:
        key, equals, text = (part.strip() for part in argument.partition("="))
        if not equals or not re.fullmatch(r"[\w-]+(\.[\w-]+)?", key):
            problems.add(f"cannot use the argument {argument!r}", "command line", "an override has the form section.key=value",
                         "Write one, or remove the argument.")  # fmt: skip
        elif not isinstance(sections.get(split_key(key)[0], {}), dict):
            problems.add(f"cannot set {key}", "command line", f"{split_key(key)[0]} is no section of the deck", "Correct the name.")
        else:
            try:
                set_value(sections, key, parse_value(text))
                keys.append(key)
            except tomllib.TOMLDecodeError as error:
                problems.add(f"cannot parse the value of {key}", "command line", str(error), "Write it as TOML, in shell quotes.")
    problems.raise_if_any()
    return keys


def parse_value(text: str):
    """A TOML value; a text that is none stands for itself, unless it begins like a list or a quoted string."""
    try:
        found = tomllib.loads(f"value = {text}")
        if set(found) == {"value"}:
            return found["value"]
    except tomllib.TOMLDecodeError:
        if text[:1] in tuple("[{\"'"):
            raise
    return text


def _line_of(text: str, table: str, key: str) -> int:
    """Number of the line that gives the key in a table, else that of the table's header; 0 if neither is found."""
    header_line, current = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\[?\s*([^\[\]]+?)\s*\]", line):
            current = header[1]
            header_line = header_line or (number if current == table else 0)
        elif key and current == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return number
    return header_line
