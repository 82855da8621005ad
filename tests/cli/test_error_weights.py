"""rankine-compress compares errors of weights by trimmed and clipped gradients, by what each costs alone, and by depth."""

import json
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest

from conftest import RESULT, Program

LOW_RANK = {"form": "low-rank", "weighting": "two-sided"}
MEASURED = {"allocation": "additive", "parameter_ratio": 0.7, "error_weights": "measured", "measured_ratio": 0.3}
FEW = {"windows": 2, "window_length": 128, "gradient_windows": 2, "gradient_window_length": 128}
COUNTED = {"gradient_trim": 0.125, "gradient_clip": 2, "ridge": 0.43, "input_ridge": 0.11}


def ranks_of(program: Program, count: int | None = None, **sections) -> dict[str, int]:
    """The ranks of the weights after a run that must succeed."""
    deck = {"method": LOW_RANK, "calibration": FEW} | sections
    outcome = program.start(program.deck(**deck), ranks=count)
    assert outcome.code == 0, outcome.err
    with h5py.File(program.folder / RESULT) as file:
        return {name: int(weight["rank"][()]) for name, weight in file["results/weights"].items()}


def kept_losses(program: Program) -> list[float]:
    """Of the weights one by one, from run.directory."""
    (file,) = program.folder.glob("kept/error-weights-*/stage.json")
    return [point["loss"] for point in json.loads(file.read_text())["notes"]]


def test_it_measures_what_a_compression_of_one_weight_alone_loses(compress, scorer):
    """Against rankine-evaluate on models in which only that weight has the rank."""
    ranks_of(compress, ranks=MEASURED, run={"directory": "kept"})
    losses = kept_losses(compress)
    assert len(losses) == 35
    for place, name, rank in ((2, "layers.0.attention.wv", 6), (20, "layers.2.feed_forward.w2", 13), (31, "layers.4.attention.wo", 9)):
        alone = ranks_of(compress, select={"weights": [name]}, ranks={"allocation": "uniform", "bond_dimension": rank},
                         export={"directory": name, "format": "dense"})
        assert alone == {name: rank}
        scores = scorer.start(scorer.deck(model={"path": name}, evaluate={
            "text": compress.given["calibration"]["text"], "window_length": 128, "max_windows": 2,
            "reference_model": compress.given["model"]["path"]}))
        assert scores.code == 0, scores.err
        divergence = float(scorer.read("score.h5")["kl_divergence"])
        assert losses[place] == pytest.approx(divergence, rel=1e-3), name


def test_measured_errors_do_not_depend_on_ranks_and_teams(compress):
    ranks_of(compress, ranks=MEASURED, run={"directory": "kept"})
    straight = kept_losses(compress)
    for ranks, teams in ((3, 1), (3, 2)):
        shutil.rmtree(compress.folder / "kept")
        ranks_of(compress, ranks, ranks=MEASURED, run={"directory": "kept"}, parallel={"teams": teams})
        np.testing.assert_allclose(kept_losses(compress), straight, rtol=1e-3)


def test_one_measurement_serves_all_ratios_and_a_killed_run(compress):
    deck = {"ranks": MEASURED, "run": {"directory": "kept"}}
    straight = ranks_of(compress, ranks=MEASURED)
    process = subprocess.Popen(compress.command(compress.deck(method=LOW_RANK, calibration=FEW, **deck)), cwd=compress.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(compress.folder.glob("kept/error-weights-*/stage.json")):
        assert process.poll() is None and time.monotonic() < deadline, "nothing was kept in time"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert ranks_of(compress, **deck) == straight
    losses = kept_losses(compress)
    fewer = ranks_of(compress, ranks=MEASURED | {"parameter_ratio": 0.5}, run={"directory": "kept"})
    assert kept_losses(compress) == losses
    assert sum(fewer.values()) < sum(straight.values())


def test_a_depth_bias_gives_numbers_to_early_layers(compress):
    def of_first_layers(**ranks) -> int:
        found = ranks_of(compress, ranks={"parameter_ratio": 0.6} | ranks)
        return sum(rank for name, rank in found.items() if name.split(".")[1] in "01")

    alike = of_first_layers()
    assert alike < of_first_layers(depth_bias=20) < of_first_layers(depth_bias=400)
    assert of_first_layers(depth_bias=20) != of_first_layers(depth_bias=20, depth_bias_decay=3)


def test_counted_gradients_have_moments_of_their_own(compress):
    alike = ranks_of(compress, run={"directory": "kept"})
    counted = ranks_of(compress, calibration=FEW | COUNTED, run={"directory": "kept"})
    assert len(list(compress.folder.glob("kept/gradients-*"))) == 2
    assert len(list(compress.folder.glob("kept/inputs-*"))) == 1
    assert counted != alike
    assert ranks_of(compress, 3, calibration=FEW | COUNTED, parallel={"teams": 2}).keys() == counted.keys()


@pytest.mark.parametrize("messages, sections", [
    (["calibration.gradient_clip = 0.5 is below 1"], {"calibration": {"gradient_clip": 0.5}}),
    (["calibration.gradient_trim"], {"calibration": {"gradient_trim": 0.5}}),
    (["no error weights are measured"], {"ranks": {"measured_windows": 3}}),
    (["errors are measured at ranks of factors"], {"ranks": {"error_weights": "measured"}, "method": {"form": "mpo"}}),
    (["equal shares compare no errors"], {"ranks": {"error_weights": "measured", "allocation": "uniform"}}),
    (["ranks.measured_windows = 9 is more than calibration.windows = 8"], {"ranks": MEASURED | {"measured_windows": 9}}),
    (["ranks.depth_bias is 0"], {"ranks": {"depth_bias_decay": 1}}),
    (["no ranks are allocated by their errors"], {"ranks": {"depth_bias": 1, "allocation": "uniform"}}),
])
def test_what_has_no_use_is_refused_before_any_work(compress, compress_refuses, messages, sections):
    compress_refuses(*messages, deck=compress.deck(**sections))
