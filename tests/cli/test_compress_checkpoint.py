"""rankine-compress continues runs that were stopped: from each stage, on other numbers of ranks, after being killed."""

import json
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest

from conftest import RESULT, Program

DECK = {
    "ranks": {"allocation": "fermi", "parameter_ratio": 0.6, "fermi_steps": 6},
    "heal": {"steps": 12, "loss": "distillation", "window_length": 256, "learning_rate": 1e-3},
}
KEPT = DECK | {"checkpoint": {"directory": "kept", "interval": 0}}


def run(program: Program, sections: dict, ranks: int | None = None) -> tuple[dict, str]:
    """Results and log of a run that must succeed."""
    outcome = program.start(program.deck(**sections), ranks=ranks)
    assert outcome.code == 0, outcome.err
    return program.read(), outcome.err


def stages(program: Program) -> dict:
    """The folders of the checkpoint by the name of their stage."""
    return {folder.name.rsplit("-", 1)[0]: folder for folder in (program.folder / "kept").iterdir()}


def expect_same(results: dict, straight: dict) -> None:
    assert results["parameters_after"] == straight["parameters_after"]
    assert results["perplexity_before"] == pytest.approx(straight["perplexity_before"], rel=1e-6)
    assert results["perplexity_unhealed"] == pytest.approx(straight["perplexity_unhealed"], rel=1e-4)
    assert results["perplexity_after"] == pytest.approx(straight["perplexity_after"], rel=1e-3)
    assert results["healing_loss"] == pytest.approx(straight["healing_loss"], rel=5e-3)


def test_a_run_goes_on_from_each_stage_with_any_number_of_ranks(compress):
    straight, _ = run(compress, DECK)
    results, _ = run(compress, KEPT, ranks=2)
    expect_same(results, straight)
    assert set(stages(compress)) == {"scores", "inputs", "gradients", "fermi", "weights", "healing-a", "healing-b"}
    last = ["healing-a", "healing-b", "weights", "fermi", "gradients", "inputs"]  # the last stages first
    for gone, message, ranks in ((1, "healing goes on after step", 3), (2, "compressed weights taken from the checkpoint", 1),
                                 (3, "FermiGrad goes on after step 6", 2), (6, "(from the checkpoint)", 1)):
        for name, folder in stages(compress).items():
            if name in last[:gone]:
                shutil.rmtree(folder)
        results, log = run(compress, KEPT, ranks)
        assert message in log
        expect_same(results, straight)


def test_a_killed_run_goes_on(compress):
    straight, _ = run(compress, DECK)
    sections = KEPT | {"heal": DECK["heal"] | {"steps": 200}}
    process = subprocess.Popen(compress.command(compress.deck(**sections)), cwd=compress.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(compress.folder.glob("kept/healing-*/stage.json")):
        assert process.poll() is None and time.monotonic() < deadline, "healing was never saved"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "result.h5.partial" in compress.result_files()
    results, log = run(compress, sections)
    assert "healing goes on after step" in log
    assert len(results["healing_loss"]) == 200
    assert results["perplexity_unhealed"] == pytest.approx(straight["perplexity_unhealed"], rel=1e-4)


def test_decks_share_what_was_measured_and_nothing_else(compress):
    run(compress, KEPT)
    other = KEPT | {"ranks": {"allocation": "additive", "parameter_ratio": 0.8}}
    straight, _ = run(compress, {name: section for name, section in other.items() if name != "checkpoint"})
    results, log = run(compress, other)
    assert "input moments taken from the checkpoint" in log
    assert "output gradients taken from the checkpoint" in log
    assert "compressed weights taken" not in log and "healing goes on" not in log
    expect_same(results, straight)
    _, log = run(compress, other | {"calibration": compress.given["calibration"] | {"first_window": 1}})
    assert "taken from the checkpoint" not in log


def test_what_was_left_half_written_does_not_count(compress):
    run(compress, KEPT)
    for name in ("weights", "inputs"):
        folder = stages(compress)[name]
        (folder / "stage.json").unlink()
        data = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(data[:len(data) // 2])
    for name in ("healing-a", "healing-b"):
        shutil.rmtree(stages(compress)[name])
    _, log = run(compress, KEPT)
    assert "input moments taken" not in log and "compressed weights taken" not in log


def test_a_damaged_checkpoint_is_named(compress):
    run(compress, KEPT)
    folder = stages(compress)["weights"]
    (folder / "model.safetensors").write_bytes(b"short")
    outcome = compress.start(compress.deck(**KEPT))
    assert outcome.code == 2
    assert folder.name in outcome.err


@pytest.mark.parametrize("stage, notes", [("weights", "[1, 2]"), ("weights", "[]"), ("inputs", "{}"), ("inputs", '{"of_weight": [7], "count": 1}'),
                                          ("scores", '{"negative_log_likelihood": [1.0], "seconds": 1.0}'), ("healing-a", '"text"')])
def test_notes_of_another_shape_are_named_on_any_number_of_ranks(compress, stage, notes):
    run(compress, KEPT)
    if stage == "inputs":
        shutil.rmtree(stages(compress)["weights"])
    folder = stages(compress)[stage]
    (folder / "stage.json").write_text(notes)
    for ranks in (1, 2):
        outcome = compress.start(compress.deck(**KEPT), ranks=ranks)
        assert outcome.code == 2, outcome.err
        assert f"Cannot go on from 'kept/{folder.name}'" in outcome.err
        assert "Remove that folder" in outcome.err


STUDIES = {
    "sensitivity": ("perplexity", {"sensitivity": {"bond_dimensions": [2, 4]}, "method": {"form": "mpo", "weighting": "full", "sweeps": 0}}),
    "experiments": ("negative_log_likelihood", {"method": {"form": "clustered", "weighting": "none"},
                             "experiments": {"names": ["scrambled", "layer-by-layer"], "clusters": [4, 8], "layer_step": 2}}),
}


def points_of(program: Program, study: str, dataset: str) -> np.ndarray:
    with h5py.File(program.folder / RESULT) as file:
        return file[f"results/{study}/{dataset}"][...]


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_goes_on_behind_its_last_point(compress, study):
    dataset, sections = STUDIES[study]
    sections = sections | {"ranks": {"allocation": "uniform"}, "checkpoint": {"directory": "kept"}}
    run(compress, sections)
    straight = points_of(compress, study, dataset)
    notes = stages(compress)[study] / "stage.json"
    points = json.loads(notes.read_text())
    assert len(points) == straight.size
    for left, ranks in ((len(points), 2), (len(points) // 2 + 1, 1), (1, 3)):
        notes.write_text(json.dumps(points[:left]))
        _, log = run(compress, sections, ranks)
        assert f"{left} point{'s' if left > 1 else ''} taken from the checkpoint" in log
        np.testing.assert_allclose(points_of(compress, study, dataset), straight, rtol=1e-4)
    _, log = run(compress, sections | {"evaluate": compress.given["evaluate"] | {"max_windows": 1}})
    assert "points taken" not in log
