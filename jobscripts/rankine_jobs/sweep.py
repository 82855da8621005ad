"""[sweep] of a deck: which keywords take which values together, and what follows from them."""

import itertools
import math
import re
from dataclasses import dataclass

from . import expression, ranges
from .deck import Deck
from .errors import Problems

MOST_RUNS = 100_000
RUN_FOLDER = "run"  # the place "{run}" in texts
TABLES = ("product", "zip", "derived")


@dataclass(frozen=True)
class Axis:
    """Keywords whose values go together: one row for each position on the axis."""

    keys: tuple[str, ...]
    rows: list[tuple]


@dataclass(frozen=True)
class Setting:
    """What one run has beside the deck."""

    swept: dict  # of products and zips
    computed: dict  # of derived expressions
    texts: dict  # of derived texts; {run} is left in them


def settings(deck: Deck) -> list[Setting]:
    """Of every run of the deck, in order; the last keyword of the product runs fastest, but zips faster."""
    problems = Problems()
    for name in set(deck.sweep) - set(TABLES):
        problems.add(f"unknown table [sweep.{name}]", deck.where(f"sweep.{name}"), "a sweep has product, zip and derived",
                     "Write one of them.")  # fmt: skip
    axes = _product_axes(deck, problems) + _zip_axes(deck, problems)
    derived = _derived(deck, problems)
    _refuse_repeated(deck, [key for axis in axes for key in axis.keys] + list(derived), problems)
    problems.raise_if_any()
    n_runs = math.prod(len(axis.rows) for axis in axes)
    if n_runs > MOST_RUNS:
        problems.add(f"a sweep of {n_runs} runs", deck.where("sweep.product"), f"at most {MOST_RUNS} are possible", "Split it.")
        problems.raise_if_any()
    found = [_setting(deck, _joined(axes, rows), derived, problems)
             for rows in itertools.product(*(axis.rows for axis in axes))]  # fmt: skip
    problems.raise_if_any()
    return found


def _joined(axes: list[Axis], rows: tuple) -> dict:
    return {key: value for axis, row in zip(axes, rows) for key, value in zip(axis.keys, row)}


def _product_axes(deck: Deck, problems: Problems) -> list[Axis]:
    table = deck.sweep.get("product", {})
    if not isinstance(table, dict):
        problems.add("sweep.product is no table", deck.where("sweep"), "it holds keywords and their values", "Write [sweep.product].")
        return []
    columns = _columns(deck, "sweep.product", table, problems)
    return [Axis((key,), [(value,) for value in values]) for key, values in columns.items()]


def _zip_axes(deck: Deck, problems: Problems) -> list[Axis]:
    tables = deck.sweep.get("zip", [])
    if not isinstance(tables, list):
        problems.add("sweep.zip is one table", deck.where("sweep.zip"), "there may be several", "Write [[sweep.zip]].")
        return []
    axes = []
    for table in tables:
        columns = _columns(deck, "sweep.zip", table, problems)
        lengths = {key: len(values) for key, values in columns.items()}
        if len(set(lengths.values())) > 1:
            problems.add("lists of unequal lengths go together: " + ", ".join(f"{key} has {n}" for key, n in lengths.items()),
                         deck.where("sweep.zip", next(iter(lengths))), "a zip takes one value of each for a run",
                         "Give as many values of each.")  # fmt: skip
        elif columns:
            axes.append(Axis(tuple(columns), list(zip(*columns.values()))))
    return axes


def _columns(deck: Deck, table_name: str, table: dict, problems: Problems) -> dict[str, list]:
    """Values by keyword."""
    columns = {}
    for key, given in _flat(table).items():
        try:
            _require_keyword(key)
            columns[key] = ranges.values_of(given)
        except ValueError as error:
            problems.add(f"{key} cannot be swept", deck.where(table_name, key), str(error), f"Write a list, or {ranges.FORMS}.")
    return columns


def _flat(table: dict, prefix: str = "") -> dict:
    """By dotted names, whether these are quoted or not."""
    flat = {}
    for name, value in table.items():
        is_table = isinstance(value, dict) and not ranges.is_range(value)
        flat |= _flat(value, f"{prefix}{name}.") if is_table else {prefix + name: value}
    return flat


def _require_keyword(key: str) -> None:
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)?", key):
        raise ValueError("a keyword is section.name, or the name of one at the top level")
    if key in ("output.file", "run.directory"):
        raise ValueError("every run has a file and a folder of its own")


def _derived(deck: Deck, problems: Problems) -> dict[str, str]:
    table = deck.sweep.get("derived", {})
    found = {}
    for key, text in (_flat(table) if isinstance(table, dict) else {}).items():
        try:
            _require_keyword(key)
            if not isinstance(text, str):
                raise ValueError(f"{text!r} is no text")
            found[key] = text
        except ValueError as error:
            problems.add(f"{key} cannot be derived", deck.where("sweep.derived", key), str(error),
                         'Write an expression, "10 * circuit.steps", or a text with places, "{run}/model".')  # fmt: skip
    return found


def _refuse_repeated(deck: Deck, keys: list[str], problems: Problems) -> None:
    for key in dict.fromkeys(keys):
        if keys.count(key) > 1:
            problems.add(f"{key} is swept twice", deck.where("sweep"), "a run has one value of it", "Keep one of them.")
        if key in deck.overridden:
            problems.add(f"{key} is swept, and given", "command line", "a run has one value of it", "Remove the argument.")


class _Derivation:
    """Derived values of one run, each computed when it is first needed."""

    def __init__(self, deck: Deck, swept: dict, derived: dict[str, str]):
        self._deck, self._swept, self._derived = deck, swept, derived
        self._values: dict = {}
        self._under_way: list[str] = []

    def value_of(self, key: str):
        if key == RUN_FOLDER:
            return "{run}"
        if key in self._swept:
            return self._swept[key]
        if key in self._derived:
            return self.derive(key)
        value = self._deck.value(key)
        if value is None or isinstance(value, dict):
            raise ValueError(f"{key} is neither in the deck nor in its sweep")
        return value

    def derive(self, key: str):
        if key in self._under_way:
            raise ValueError(f"it depends on itself: {' -> '.join([*self._under_way, key])}")
        if key not in self._values:
            self._under_way.append(key)
            text = self._derived[key]
            self._values[key] = (expression.fill if is_text(text) else expression.evaluate)(text, self.value_of)
            self._under_way.pop()
        return self._values[key]


def is_text(derived: str) -> bool:
    """Whether it is a text with places, rather than an expression."""
    return "{" in derived


def _setting(deck: Deck, swept: dict, derived: dict[str, str], problems: Problems) -> Setting:
    computed, texts = {}, {}
    for key, text in derived.items():
        try:
            (texts if is_text(text) else computed)[key] = _Derivation(deck, swept, derived).derive(key)
        except ValueError as error:
            where = deck.where("sweep.derived", key)
            if not any(f"{key} = {text!r} cannot be derived, {where}" in one for one in problems.messages):
                problems.add(f"{key} = {text!r} cannot be derived", where, str(error), "Name keywords that the runs have.")
    return Setting(swept, computed, texts)
