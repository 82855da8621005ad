"""One part of a result file as text: deck, log, provenance, or the inputs of the run."""

from collections.abc import Callable

import numpy as np

from .errors import InputError
from .result import Result


def _deck(result: Result) -> str:
    return _there(result, result.effective_deck, "deck")


def _log(result: Result) -> str:
    return _there(result, result.log, "log")


def _provenance(result: Result) -> str:
    """What made the file, and the hashes of what it read."""
    values = {name: value for name, value in result.attributes.items() if value != ""}
    values |= {name: value for name, value in result.groups.get("provenance", {}).items() if value != ""}
    values |= result.groups.get("provenance/versions", {})
    width = max(len(name) for name in values)
    files = input_files(result)
    lines = [f"{name:<{width}}  {value}" for name, value in values.items()]
    return "\n".join(lines + (["", "inputs", *(f"{sha256}  {name}" for name, sha256 in files.items())] if files else []))


def _inputs(result: Result) -> str:
    """As sha256sum prints them; of a simulation also the lattice and the circuit the file holds."""
    lines = [f"{sha256}  {name}" for name, sha256 in input_files(result).items()]
    lines += [f"{sha256}  /inputs: {name}" for name, sha256 in held_inputs(result).items()]
    return "\n".join(lines) or "the run read no file but its deck"


def _edges(result: Result) -> str:
    return "".join(f"{' '.join(map(str, edge))}\n" for edge in _held(result, "edges").tolist()).rstrip("\n")


def _gates(result: Result) -> str:
    texts = _held(result, "steps")
    return "".join(f"{texts[index]}step\n" for index in _held(result, "step_order")).rstrip("\n")


PARTS: dict[str, Callable[[Result], str]] = {
    "deck": _deck, "log": _log, "provenance": _provenance, "inputs": _inputs, "edges": _edges, "gates": _gates,
}  # fmt: skip


def input_files(result: Result) -> dict[str, str]:
    """Name -> SHA-256 of the files the run read whole."""
    listed = result.datasets.get("provenance/inputs")
    pairs = [str(line).partition(" ") for line in ([] if listed is None else np.ravel(listed.values))]
    return {name.strip(): sha256 for sha256, _, name in pairs}


def held_inputs(result: Result) -> dict[str, str]:
    """Name -> SHA-256 of what the file itself holds of its inputs: edges and gates of a simulation."""
    places = {"edges": "inputs/edges", "gates": "inputs/step_order"}
    return {name: str(result.datasets[place].attributes.get("sha256", "")) for name, place in places.items() if place in result.datasets}


def _there(result: Result, text: str, what: str) -> str:
    if not text:
        raise InputError(f"{result.path}: the file holds no {what}.")
    return text.rstrip("\n")


def _held(result: Result, name: str) -> np.ndarray:
    dataset = result.datasets.get(f"inputs/{name}")
    if dataset is None:
        raise InputError(f"{result.path}: the file holds no lattice and no circuit. Only those of rankine-simulate do.")
    return dataset.values
