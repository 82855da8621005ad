"""Writes result files as docs/file_formats.md describes those of rankine-compress, with chosen values."""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

KINDS = {"self_attn.q_proj": (8, 8), "self_attn.v_proj": (4, 8), "mlp.up_proj": (16, 8), "mlp.down_proj": (8, 16)}
LAYERS = 3


@dataclass
class CompressDeck:
    """What the file is about: a model of three layers with four weights each."""

    form: str = "pivoted"
    weighting: str = "two-sided"
    allocation: str = "additive"
    ratio: float = 0.8
    clusters: int = 16
    gradient_windows: int = 8
    error_weights: str = "none"
    fit_order: str = "at-once"
    title: str = ""
    evaluation: str = "text.txt: 20 windows of 1024 tokens"
    perplexity: float = 30.0
    unhealed: float | None = None
    bond_dimension: int = 0
    # gate size, depth, overlap alone and with gates, entropy before and after
    gates: tuple | None = None
    healing_loss: list[float] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    # rows of experiment, clusters, layers, seed, loss
    experiments: list[tuple] = field(default_factory=list)
    sensitivity: dict = field(default_factory=dict)  # its datasets
    has_weights: bool = True  # False for an adapter on the model as it is
    block: int = 0  # of an adapter; 0 for none
    adapter: str = "cayley"
    adapter_seed: int = 1
    unadapted: float = 25.0
    noise: dict = field(default_factory=dict)  # its datasets


def write(path: Path, deck: CompressDeck, *, status: str = "complete") -> Path:
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {"filetype": "rankine-compress", "format_version": 1, "program": "rankine-compress",
             "program_version": "0.1.0", "git_commit": "0123abc", "status": status}
        )  # fmt: skip
        file["provenance/effective_deck"] = _effective_deck(deck)
        results = file.create_group("results")
        results.attrs.update({"title": deck.title, "model": "tiny", "precision": "float32", "method": "12 weights",
                              "evaluation": deck.evaluation})  # fmt: skip
        if deck.has_weights:
            _write_weights(results, deck)
        else:
            results["parameters_before"] = 0
        results["perplexity_before"], results["perplexity_after"] = 20.0, deck.perplexity
        if deck.unhealed is not None:
            results["perplexity_unhealed"] = deck.unhealed
            results["recovered"] = np.log(deck.unhealed / deck.perplexity) / np.log(deck.unhealed / 20.0)
        if deck.healing_loss:
            results["healing_loss"] = deck.healing_loss
        if deck.held_out_loss:
            results["healing_held_out_loss"] = deck.held_out_loss
        if deck.experiments:
            _write_experiments(results.create_group("experiments"), deck.experiments)
        if deck.block:
            _write_adapter(results.create_group("adapter"), deck)
        for name, values in deck.noise.items():
            results[f"noise/{name}"] = values
        for name, values in deck.sensitivity.items():
            results[f"sensitivity/{name}"] = values
    return path


def kept(deck: CompressDeck, layer: int, kind: str) -> float:
    """The part that the weight keeps: more in later layers."""
    return min(1.0, deck.ratio + 0.05 * (layer - 1) + (0.1 if "v_proj" in kind else 0.0))


def _write_weights(results: h5py.Group, deck: CompressDeck) -> None:
    before = after = stored = 0
    for layer in range(LAYERS):
        for kind, (rows, columns) in KINDS.items():
            group = results.create_group(f"weights/model.layers.{layer}.{kind}")
            size = rows * columns
            is_clustered = deck.form == "clustered"
            numbers = deck.clusters if is_clustered else round(kept(deck, layer, kind) * size)
            group.attrs["form"] = deck.form
            group["rank"], group["parameters"], group["parameters_before"] = min(rows, columns) // 2, numbers, size
            group["bytes"] = numbers * 4 + (size // 2 if is_clustered else 0)
            group["weighted_error"] = 0.1
            if not is_clustered:
                group["spectrum"] = 2.0 * 0.5 ** np.arange(min(rows, columns))
            if deck.gates:
                names = ("overlap_alone", "overlap", "entropy_before", "entropy_after")
                group["gate_parameters"] = 6 * deck.gates[1]
                for name, value in zip(names, deck.gates[2:]):
                    group[name] = value
            before, after, stored = before + size, after + numbers, stored + int(group["bytes"][()])
    results["parameters_before"], results["parameters_after"], results["bytes_after"] = before, after, stored


def _write_experiments(group: h5py.Group, rows: list[tuple]) -> None:
    names, clusters, layers, seeds, losses = zip(*rows)
    group["experiment"] = list(names)
    group["clusters"], group["layers"], group["seed"] = list(clusters), list(layers), list(seeds)
    group["negative_log_likelihood"] = np.array(losses, dtype=float)


def _write_adapter(group: h5py.Group, deck: CompressDeck) -> None:
    """On one matrix of 576 columns; of LoRA `block` is the rank."""
    group.attrs["kind"] = deck.adapter
    if deck.adapter != "lora":
        group.attrs.update({"side": "inputs", "block": deck.block, "layers": 1})
    per_column = {"cayley": (deck.block - 1) / 2, "block-diagonal": deck.block, "lora": 2 * deck.block}[deck.adapter]
    group["numbers"] = int(576 * per_column)
    group["bytes"] = 4 * int(576 * per_column)
    group["perplexity_unadapted"] = deck.unadapted
    group["training_loss"] = [3.0, 2.9, 2.8]


def _effective_deck(deck: CompressDeck) -> str:
    return f"""title = "{deck.title}"
[calibration]
text = "calibration.txt"
gradient_windows = {deck.gradient_windows}
[method]
form = "{deck.form}"
weighting = "{deck.weighting}"
sites = 2
clusters = {deck.clusters}
outliers = 8
[fit]
order = "{deck.fit_order}"
[ranks]
allocation = "{deck.allocation}"
error_weights = "{deck.error_weights}"
parameter_ratio = {deck.ratio}
bond_dimension = {deck.bond_dimension}
[disentangler]
gate_size = {deck.gates[0] if deck.gates else 2}
depth = {deck.gates[1] if deck.gates else 4}
[heal]
steps = {len(deck.healing_loss)}
loss = "next-token"
check_every = 10
[adapter]
kind = "{deck.adapter if deck.block else 'none'}"
side = "inputs"
block = {deck.block}
layers = 1
seed = {deck.adapter_seed}
"""


GATES = {2: 0, 4: 2, 8: 20, 16: 100, 32: 444, 64: 1868}
RATES = [0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
SHOTS = [1e4, np.inf]


def contrast(block, rate):
    kept = (1 - 15 / 16 * rate * block**2 / (block**2 - 1)) ** GATES[block]
    return kept + (1 - kept) / block


def noise(block, gain=0.02):
    """The adapter gains more with its block; lost contrast costs 2 nat, shots a little."""
    rows = [[25.0 * np.exp(-gain * np.log2(block) + 2 * (1 - contrast(block, rate)) ** 2 + 100 / shots) for shots in SHOTS]
            for rate in RATES]  # fmt: skip
    return {"error_rates": RATES, "shots": SHOTS, "perplexity": rows, "contrast": [contrast(block, rate) for rate in RATES],
            "gates": GATES[block], "qubits": int(np.log2(block))}  # fmt: skip


def lines(panel, gid):
    return [line for line in panel.lines if line.get_gid() == gid]


def legend_texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]
