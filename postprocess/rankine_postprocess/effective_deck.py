"""The deck that a result file holds: every keyword with its value, as TOML."""

import tomllib
from pathlib import Path

from .errors import InputError
from .fields import one_line


def deck_sections(path: Path, text: str) -> dict[str, dict]:
    """section -> keyword -> value. Raises InputError where the text is not TOML."""
    return {section: values for section, values in _parsed(path, text).items() if isinstance(values, dict)}


def deck_values(path: Path, text: str) -> dict[str, object]:
    """ "section.keyword" -> value, in the order of the deck; keywords outside of sections by their names."""
    found: dict[str, object] = {}
    for name, value in _parsed(path, text).items():
        found |= {f"{name}.{keyword}": one for keyword, one in value.items()} if isinstance(value, dict) else {name: value}
    return found


def _parsed(path: Path, text: str) -> dict:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: /provenance/effective_deck is not TOML ({one_line(str(error))}).") from error
