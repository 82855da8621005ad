"""The runs of a deck, each with its merged deck and the hash that names its folder."""

import copy
import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePath

from .deck import Deck, set_value
from .errors import InputError
from .sweep import settings
from .toml_text import deck_text

WITHOUT_MEANING = ("output", "run")  # sections that change where results go, not what they are
HASH_DIGITS = 12


@dataclass(frozen=True)
class Run:
    number: int  # from 1, in the order of the sweep
    hash: str
    program: str  # its name, without folders
    parameters: dict  # values of the swept keywords, and of those computed from them
    sections: dict  # the merged deck; "{run}" stands in the texts of `with_places`
    with_places: tuple[str, ...]

    def deck_in(self, folder: str) -> str:
        """The deck that the program gets when the run lies in this folder."""
        sections = copy.deepcopy(self.sections)
        for key in self.with_places:
            section, _, name = key.rpartition(".")
            values = sections[section] if section else sections
            values[name] = values[name].replace("{run}", folder)
        return f"# program: {self.program}\n{deck_text(sections)}"


def runs_of(deck: Deck) -> list[Run]:
    """All runs of a deck; a deck without [sweep] has one. Raises InputError with all problems together."""
    runs = [_run(deck, number, setting) for number, setting in enumerate(settings(deck), 1)]
    first: dict[str, Run] = {}
    for run in runs:
        if (same := first.setdefault(run.hash, run)) is not run:
            raise InputError(f"Runs {same.number} and {run.number} are the same, {deck.where('sweep.product')} (both have "
                             f"{describe(run.parameters)}; [run] and [output] do not tell runs apart). Remove one of the values.")  # fmt: skip
    return runs


def _run(deck: Deck, number: int, setting) -> Run:
    sections = copy.deepcopy(deck.sections)
    for key, value in (setting.swept | setting.computed | setting.texts).items():
        set_value(sections, key, value)
    program = PurePath(deck.program).name
    return Run(number, _hash(program, sections), program, setting.swept | setting.computed, sections, tuple(setting.texts))


def _hash(program: str, sections: dict) -> str:
    counted = {name: section for name, section in sections.items() if name not in WITHOUT_MEANING}
    text = json.dumps([program, counted], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def describe(parameters: dict) -> str:
    """Short, for tables and messages: "theta_h=0.3 steps=5", with the names' sections where they are needed."""
    short = [key.rpartition(".")[2] for key in parameters]
    names = [name if short.count(name) == 1 else key for name, key in zip(short, parameters)]
    return " ".join(f"{name}={_shown(value)}" for name, value in zip(names, parameters.values())) or "the deck as it is"


def _shown(value) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"  # 1e+12, and not all its zeros
    return value if isinstance(value, str) else json.dumps(value)
