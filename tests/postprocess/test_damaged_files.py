"""Damaged result files: every command draws what is left or says in one line what is wrong.

RANKINE_MUTATIONS=2000 runs that many of each kind of file.
"""

import os
import random
import shutil
import warnings
from functools import partial
from pathlib import Path

import bench_file
import evaluate_file
import pytest
import test_bench
import test_compressions
from compression_file import CompressDeck, noise
from compression_file import write as write_compression
from damage import damage
from distill_file import DistillDeck
from distill_file import write as write_distillation
from image_file import INSPECTION, ImageDeck, study
from image_file import write as write_images
from rankine_postprocess import figure
from result_file import Deck, write
from test_distill_results import predictions
from test_layout import PROFILE, cosine

MUTATIONS = int(os.environ.get("RANKINE_MUTATIONS", 25))


def simulation(path: Path) -> Path:
    deck = Deck(theta_h=[0.2, 0.4, 0.6], max_bond_dimension=[8, 16], steps=[4, 5])
    return write(path, deck, {"Z62": cosine, "magnetization": cosine})


def sandwich(path: Path) -> Path:
    """No command reads it, which all of them have to say."""
    return write(path, Deck(), {"magnetization": cosine}, filetype="rankine-knit")


def evaluation(path: Path) -> Path:
    return evaluate_file.add_profile(evaluate_file.write(path, [1.0, 1.5, 2.0], divergence=0.1), [[1.0, 2.0], [3.0, 4.0]])


def healed(path: Path) -> Path:
    return write_compression(path, CompressDeck(healing_loss=[3.0, 2.0, 1.0], unhealed=60.0))


def profile(path: Path) -> Path:
    return write_compression(path, CompressDeck(form="mpo", sensitivity=PROFILE))


def experiments(path: Path) -> Path:
    return write_compression(path, CompressDeck(form="clustered", experiments=test_compressions.EXPERIMENTS))


def adapter(path: Path) -> Path:
    return write_compression(path, CompressDeck(block=8, noise=noise(8)))


def benchmark(path: Path) -> Path:
    return test_bench.write(path, 2, lambda n, method: 1e-9 * n**3)


def other_benchmark(path: Path) -> Path:
    return bench_file.write(path, "images")


def images(path: Path) -> Path:
    return write_images(path, ImageDeck(epochs=[0.7, 0.8], good_class=0, rates=INSPECTION))


def cuts(path: Path) -> Path:
    return write_images(path, ImageDeck(cuts=study()))


def slices(path: Path) -> Path:
    return write_distillation(path, DistillDeck(slices=["a", "b", "c"], teams=2, mode="hybrid", scored=True, restored=(1,)))


def layers(path: Path) -> Path:
    deck = DistillDeck(is_of_images=False, slices=["a", "b"], waves=2, after=25.0, outcomes={0: "diverged"})
    return write_distillation(path, deck)


def pair(path: Path) -> Path:
    return predictions(path, 3, 4, 20, is_second=False)


def lay_out(drawn, path):
    """All of saving that depends on the content; pixels take long, and so does the room between panels."""
    drawn.set_layout_engine("none")
    drawn.draw_without_rendering()


any_simulation, any_compression, any_distillation = (partial(make) for make in (simulation, adapter, slices))
ANY = [["table", "FILE", "GOOD"], ["list", "FOLDER"], ["show", "FILE", "deck"], ["show", "FILE", "log"], ["show", "FILE", "provenance"],
       ["diff", "FILE", "GOOD"], ["diff", "GOOD", "FILE"], ["export", "FILE"], ["timing", "FILE"]]  # fmt: skip
PLOT = ["plot", "FILE", "-o", "OUT"]
COMMANDS = {
    simulation: [["table", "FILE", "--all-steps"], ["compare", "FILE", "REFERENCE"], PLOT,
                 [*PLOT, "--against", "bond-dimension"], ["plot", "FILE", "GOOD", "-o", "OUT", "--against", "step"]],
    sandwich: [["table", "FILE"], PLOT, ["bench", "FILE", "-o", "OUT"], ["export", "FILE"], ["diff", "FILE", "GOOD"]],
    evaluation: [*ANY, PLOT, ["compare", "FILE", "GOOD"], ["timing", "FILE", "-o", "OUT"], ["export", "FILE", "--values", "timing/profile"]],
    any_simulation: [*ANY, ["table", "FILE", "--columns", "Z62"], ["show", "FILE", "gates"], ["export", "FILE", "--values", "Z62"]],
    any_compression: [*ANY, ["table", "FILE"], ["export", "FILE", "--values", "weights"], ["export", "FILE", "--values", "noise"]],
    any_distillation: [*ANY, ["export", "FILE", "--values", "slices"]],
    healed: [PLOT, [*PLOT, "--view", "tradeoff"], [*PLOT, "--view", "healing"], ["plot", "FILE", "GOOD", "-o", "OUT"]],
    profile: [PLOT],
    experiments: [PLOT, [*PLOT, "--view", "layers"]],
    adapter: [PLOT, [*PLOT, "--view", "adapters"], ["plot", "FILE", "GOOD", "-o", "OUT"],
              ["plot", "FILE", "GOOD", "-o", "OUT", "--view", "adapters"]],
    images: [["table", "FILE"], PLOT, [*PLOT, "--view", "confusion"], [*PLOT, "--view", "accuracy"],
             ["plot", "FILE", "GOOD", "-o", "OUT"]],
    cuts: [["table", "FILE"], PLOT, [*PLOT, "--view", "norm-loss"]],
    slices: [["table", "FILE"], PLOT, [*PLOT, "--view", "time-line"], [*PLOT, "--view", "slice-epochs"],
             [*PLOT, "--view", "accuracy"], ["plot", "FILE", "GOOD", "-o", "OUT", "--view", "speed-up"]],
    layers: [["table", "FILE"], PLOT, [*PLOT, "--view", "time-line"], [*PLOT, "--view", "images"],
             ["plot", "FILE", "GOOD", "-o", "OUT"]],
    pair: [["compare", "FILE", "GOOD"], ["compare", "GOOD", "FILE"]],
    other_benchmark: [PLOT, ["table", "FILE"], ["table", "FILE", "GOOD"], ["plot", "FILE", "GOOD", "-o", "OUT"]],
    benchmark: [["bench", "FILE", "-o", "OUT"], ["bench", "FILE", "GOOD", "-o", "OUT"]],
}  # fmt: skip


def _name(make) -> str:
    return make.__name__ if hasattr(make, "__name__") else f"any_{make.func.__name__}"


@pytest.mark.parametrize("make", COMMANDS, ids=_name)
def test_damage_is_told_in_one_line(run, tmp_path, monkeypatch, make):
    monkeypatch.setattr(figure, "save", lay_out)
    reference = tmp_path / "reference.csv"
    reference.write_text("0.2 0.5\n0.4 0.3\n")
    good = make(tmp_path / "good.h5")
    codes = []
    for number in range(MUTATIONS):
        chance = random.Random(number)
        file = Path(shutil.copy(good, tmp_path / f"{number}.h5"))
        what = damage(file, chance)
        places = {"FILE": file, "GOOD": good, "FOLDER": tmp_path, "OUT": tmp_path / "out.png", "REFERENCE": reference}
        command = [places.get(word, word) for word in chance.choice(COMMANDS[make])]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            code, out, err = run(*command)
        told = [line for line in err.splitlines() if not line.startswith("observable: ")]
        assert code in ((0, 1, 2) if command[0] == "diff" else (0, 2)), f"mutation {number}: {what}"
        assert len(told) == (1 if code == 2 else 0), f"mutation {number}: {what}: {err}"
        assert not caught, f"mutation {number}: {what}: {caught[0].message}"
        codes.append(code)
        file.unlink()
    assert 2 in codes and (0 in codes or make is sandwich)
