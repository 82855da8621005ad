"""Writes result files as docs/file_formats.md describes those of image networks, with chosen values."""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np


@dataclass
class ImageDeck:
    """What the file is about: a network of three classes and two kernels."""

    filetype: str = "rankine-compress"
    form: str = "tucker"
    weighting: str = "full"
    allocation: str = "uniform"
    ratio: float = 0.5
    title: str = ""
    model: str = "tiny.safetensors"  # empty for training from scratch
    seed: int = 1
    good_class: int = -1
    accuracy: float = 0.8
    before: float | None = 0.9
    re_estimated: float | None = 0.7
    kept: int = 500  # of a thousand numbers
    confusion: list = field(default_factory=lambda: [[8, 1, 1], [0, 9, 1], [2, 1, 7]])
    epochs: list[float] = field(default_factory=list)  # accuracy after each
    cuts: dict = field(default_factory=dict)  # its datasets
    rates: dict = field(default_factory=dict)  # name -> value, lower and upper end


def study(layers: int = 2) -> dict:
    """Two cuts, two fractions; the accuracy falls with the place of the layer."""
    names = [f"layer{k}.conv" for k in range(layers)] + ["all"]
    lost = 0.01 * np.arange(4).reshape(2, 2, 1) + 0.1 * np.linspace(0, 1, layers + 1)
    return {"cut": ["o|ihw", "oh|iw"], "fraction": [0.75, 0.5], "layer": names, "accuracy": 0.9 - lost, "norm_loss": lost / 10,
            "loss": 1 + lost, "rank": np.ones(lost.shape, int)}  # fmt: skip


INSPECTION = {"missed_defect_rate": (0.15, 0.05, 0.3), "false_alarm_rate": (0.2, 0.03, 0.5), "auc": (0.9, 0.8, 0.95)}


def write(path: Path, deck: ImageDeck, *, status: str = "complete") -> Path:
    with h5py.File(path, "w") as file:
        file.attrs.update({"filetype": deck.filetype, "format_version": 1, "program": deck.filetype,
                           "program_version": "0.1.0", "git_commit": "0123abc", "status": status})  # fmt: skip
        file["provenance/effective_deck"] = _effective_deck(deck)
        results = file.create_group("results")
        results.attrs.update({"title": deck.title, "model": deck.model, "architecture": "plain", "method": "2 kernels"})
        if deck.cuts:
            for name, values in deck.cuts.items():
                results[f"cuts/{name}"] = values
        else:
            _write_scores(results, deck)
        for name, value in (("before", deck.before), ("re_estimated", deck.re_estimated)):
            if value is not None and deck.model:
                results[f"accuracy_{name}"] = value
        results["parameters_before"], results["parameters_after"] = 1000, deck.kept
    return path


def _write_scores(results: h5py.Group, deck: ImageDeck) -> None:
    confusion = np.array(deck.confusion)
    rates = {"accuracy": (deck.accuracy, deck.accuracy - 0.1, deck.accuracy + 0.1), **deck.rates}
    if deck.model and deck.before is not None:
        difference = deck.accuracy - deck.before
        rates["accuracy_difference"] = (difference, difference - 0.02, difference + 0.02)
    for name, (value, low, high) in rates.items():
        results[name], results[f"{name}_interval"] = value, [low, high]
    results["confusion"] = confusion
    results["recall"] = confusion.diagonal() / np.maximum(confusion.sum(axis=1), 1)
    if deck.good_class < 0:
        results["macro_miss_rate"] = 0.2
    if deck.epochs:
        results["epoch"], results["epoch_accuracy"] = np.arange(1, len(deck.epochs) + 1), deck.epochs
    for name in ("conv1", "conv2"):
        group = results.create_group(f"weights/{name}")
        group.attrs["form"] = deck.form
        group["shape"], group["ranks"], group["parameters"] = [16, 8, 3, 3], [8, 4], 250
        group["weighted_error"], group["norm_loss"] = 0.1, 0.01


def _effective_deck(deck: ImageDeck) -> str:
    return f"""title = "{deck.title}"
[model]
architecture = "plain"
[data]
good_class = {deck.good_class}
[method]
form = "{deck.form}"
weighting = "{deck.weighting}"
cut = "oh|iw"
[ranks]
allocation = "{deck.allocation}"
error_weights = "none"
parameter_ratio = {deck.ratio}
tucker = []
rank_fraction = 0.0
[train]
epochs = {len(deck.epochs)}
seed = {deck.seed}
"""
