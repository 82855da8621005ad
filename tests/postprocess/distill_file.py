"""Writes result files as docs/file_formats.md describes those of rankine-distill, with chosen values."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import compression_file
import h5py
import image_file
import numpy as np

BLOCKS = [f"layer{stage}.{block}" for stage in (1, 2, 3) for block in range(9)]  # of ResNet-56
SOME_BLOCKS = [f"layer{stage}.{block}" for stage in (1, 2, 3) for block in range(3)]  # of ResNet-20
LAYERS = [f"model.layers.{layer}" for layer in range(30)]  # of SmolLM2


@dataclass
class DistillDeck:
    """What the file is about: a network of a few slices, trained by so many teams."""

    is_of_images: bool = True
    mode: str = "local"
    slices: list[str] = field(default_factory=lambda: list(SOME_BLOCKS))
    teams: int = 1
    waves: int = 1
    samples: int = 3800
    held_out: int = 200
    seed: int = 1
    ratio: float = 0.5
    kept: int = 500  # of a thousand numbers; of images only
    title: str = ""
    after: float = 0.88  # accuracy or perplexity
    preparation: float = 0.0  # seconds before the teacher
    overhead: float = 0.0  # of the wall time, beyond the longest team
    outcomes: dict = field(default_factory=dict)  # position -> outcome
    restored: tuple = ()  # positions
    scored: bool = False
    epochs: int = 5

    @property
    def trains_slices(self) -> bool:
        return self.mode in ("local", "hybrid")


def write(path: Path, deck: DistillDeck, *, status: str = "complete") -> Path:
    _write_network(path, deck, status)
    with h5py.File(path, "a") as file:
        file.attrs.update({"filetype": "rankine-distill", "program": "rankine-distill", "n_ranks": deck.teams})
        results = file["results"]
        results.attrs["mode"] = deck.mode
        metric, before = ("accuracy", 0.91) if deck.is_of_images else ("perplexity", 20.0)
        for name, value in ((f"{metric}_before", before), (f"{metric}_after", deck.after)):
            if name in results:
                del results[name]
            results[name] = value
        if deck.mode != "global":
            results[f"{metric}_fit"] = before + 1.2 * (deck.after - before)
        if deck.trains_slices:
            results[f"{metric}_local"] = before + 1.1 * (deck.after - before)
            _write_local(file, deck)
        if deck.mode in ("global", "hybrid"):
            results["training_loss" if deck.is_of_images else "healing_loss"] = 2.0 * 0.9 ** np.arange(20)
        file["timing/fit_seconds"] = 3.0
        text = file["provenance/effective_deck"][()].decode()
        del file["provenance/effective_deck"]
        file["provenance/effective_deck"] = _effective_deck(deck, text)
    return path


def _write_network(path: Path, deck: DistillDeck, status: str) -> None:
    if deck.is_of_images:
        network = image_file.ImageDeck(ratio=deck.ratio, kept=deck.kept, accuracy=deck.after, before=0.91,
                                       title=deck.title)  # fmt: skip
        image_file.write(path, network, status=status)
    else:
        network = compression_file.CompressDeck(ratio=deck.ratio, perplexity=deck.after, title=deck.title)
        compression_file.write(path, network, status=status)


def costs(count: int) -> np.ndarray:
    """Seconds of slices, uneven but the same for every file."""
    return 10.0 * (1.0 + 0.6 * np.sin(1.7 * np.arange(count)) ** 2)


def schedule(seconds: np.ndarray, teams: int) -> list[tuple[int, float]]:
    """Team and begin of each, the longest first to whom is free first."""
    free, found = np.zeros(teams), [(0, 0.0)] * len(seconds)
    for place in np.argsort(-seconds, kind="stable"):
        team = int(np.argmin(free))
        found[place] = (team, float(free[team]))
        free[team] += seconds[place]
    return found


def _write_local(file: h5py.File, deck: DistillDeck) -> None:
    count = len(deck.slices)
    seconds = costs(count)
    plan = schedule(seconds, deck.teams)
    teacher = 8.0 / deck.teams
    begin = deck.preparation + teacher
    for position, name in enumerate(deck.slices):
        team, started = plan[position]
        run = (team, begin + started, float(seconds[position]))
        _write_slice(file.create_group(f"results/slices/{name}"), deck, position, run)
    last = begin + max(started + length for (_, started), length in zip(plan, seconds))
    local = file.create_group("results/local")
    for name in ("samples", "held_out", "waves", "teams"):
        local[name] = getattr(deck, name)
    teams = np.array([1, 2, 4, 8, 16, 32, 48])
    totals = [max(start + length for (_, start), length in zip(schedule(seconds, n), seconds)) + 8.0 / n for n in teams]
    local["simulated_teams"], local["simulated_seconds"] = teams, totals
    file["timing/teacher_seconds"], file["timing/local_seconds"] = teacher, last * (1 + deck.overhead)


def _write_slice(group: h5py.Group, deck: DistillDeck, position: int, run: tuple[int, float, float]) -> None:
    team, started, seconds = run
    outcome = deck.outcomes.get(position, "trained")
    fit = 0.02 * (1.0 + 0.5 * np.sin(position)) * (1 + 0.1 * position)
    after = fit * (0.3 + 0.02 * position) if outcome == "trained" else fit
    group.attrs["outcome"], group.attrs["is_restored"] = outcome, int(position in deck.restored)
    group["position"], group["parameters"], group["team"] = position, 1000 * (position + 1), team
    group["feature_error_before"], group["feature_error_fit"], group["feature_error_after"] = 8 * fit, fit, after
    group["feature_errors"] = after + (fit - after) * 0.4 ** np.arange(1, deck.epochs + 1)
    group["seconds"], group["cost"], group["started"], group["finished"] = seconds, 0.9 * seconds, started, started + seconds
    if deck.scored:
        group["score"] = 0.91 - 0.002 * position if deck.is_of_images else 20.0 + 0.1 * position


def _effective_deck(deck: DistillDeck, text: str) -> str:
    text = re.sub(r"\[(train|heal)\]\n(?:[a-z_]+ = .*\n)*", "", text)
    samples = f"training_images = {deck.samples + deck.held_out}\n"
    if deck.is_of_images:
        text = text.replace("[data]\n", f"[data]\n{samples}")
    return f"""{text}[slices]
by = "block"
[distill]
mode = "{deck.mode}"
epochs = {deck.epochs}
batch_size = 64
learning_rate = 0.001
seed = {deck.seed}
targets = "teacher"
global_epochs = 5
[parallel]
teams = {deck.teams}
"""
