"""Image networks that rankine-compress trains: from scratch with Tucker kernels and dense, after compression, stopped and gone
on with, and what it says of a training that fails."""

import json
import random
import re
import shutil

import numpy as np
import pytest

from checkpoints import results_of, stored_tensors
from conftest import RESULT, Program, expect_refusal
from images import image_compression, save
from stopping import go_on_until_done

LAYERS = [
    {"type": "convolution", "name": "conv1", "outputs": 8, "kernel": 3, "padding": 1, "bias": False},
    {"type": "batch-norm", "name": "norm1"}, {"type": "relu"}, {"type": "max-pool", "kernel": 2},
    {"type": "convolution", "name": "conv2", "outputs": 8, "kernel": 3, "padding": 1}, {"type": "relu"},
    {"type": "global-pool"}, {"type": "linear", "name": "fc", "outputs": 3}]
T_CNN = {"method": {"form": "tucker", "weighting": "none"}, "ranks": {"allocation": "uniform", "parameter_ratio": 0.6},
         "select": {"weights": ["conv2"]}}


def striped(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Stripes that lie, stand or slant, of any phase, under noise; and which of these they are."""
    numbers = np.random.default_rng(seed)
    labels = numbers.permutation(count) % 3
    y, x = np.mgrid[:8, :8] * np.pi / 2
    waves = np.stack([y, x, x + y])[labels] + numbers.uniform(0, 2 * np.pi, (count, 1, 1))
    images = 127 + 80 * np.sin(waves) + numbers.normal(0, 20, waves.shape)
    return images.clip(0, 255).astype(np.uint8), labels


@pytest.fixture
def stripes(tmp_path) -> Program:
    return striped_program(tmp_path)


def striped_program(folder) -> Program:
    """A network to be trained from scratch on stripes."""
    program = image_compression(folder)
    images, labels = striped(180, 1)
    test_images, test_labels = striped(90, 2)
    program.given["data"] = save(program, images=images, labels=labels, test_images=test_images, test_labels=test_labels) | {
        "layout": "nhw", "mean": 0.5, "std": 0.3}
    program.write("layers.json", json.dumps({"layers": LAYERS}))
    program.given["model"] = {"architecture": "plain", "layers": "layers.json"}
    program.given["train"] = {"epochs": 12, "batch_size": 20, "learning_rate": 0.02}
    return program


@pytest.mark.parametrize("method", [T_CNN, {"method": {"form": "dense"}}, T_CNN | {"ranks": {"tucker": [5, 5, 2, 2]}}])
def test_networks_learn_from_scratch(stripes, method):
    results = results_of(stripes, 2, **method)
    assert results["accuracy_after"] > 0.9
    assert "accuracy_before" not in results
    assert results["training_loss"].shape == (12 * 9,)
    assert results["training_loss"][-9:].mean() < results["training_loss"][:9].mean() / 3
    assert (results["epoch"] == np.arange(1, 13)).all() and results["epoch_accuracy"][-1] == results["accuracy_after"]
    if method is T_CNN:
        assert results["parameters_after"] < results["parameters_before"]


def test_the_number_of_ranks_does_not_matter(stripes):
    deck = T_CNN | {"train": {"epochs": 2}}
    one = results_of(stripes, 1, **deck)
    for count in (2, 3, 4):
        found = results_of(stripes, count, **deck)
        np.testing.assert_allclose(found["training_loss"], one["training_loss"], rtol=2e-3)
        assert found["parameters_after"] == one["parameters_after"]
    again = results_of(stripes, 4, **deck)
    for name, values in again.items():
        np.testing.assert_array_equal(values, found[name], err_msg=name)
    other = results_of(stripes, 4, **deck | {"train": {"epochs": 2, "seed": 2}})
    assert (other["training_loss"] != found["training_loss"]).all()


def test_epochs_are_scored_as_often_as_asked(stripes):
    results = results_of(stripes, **T_CNN | {"train": {"epochs": 5, "score_every": 2, "crop": 1, "flip": True}})
    assert results["epoch"].tolist() == [2, 4, 5]
    assert ((0 <= results["epoch_accuracy"]) & (results["epoch_accuracy"] <= 1)).all()


def test_a_trained_network_is_compressed_and_trained_again(stripes):
    results_of(stripes, method={"form": "dense"}, export={"directory": "trained"})
    model = {"path": "trained", "layers": ""}
    results = results_of(stripes, 2, model=model, train={"epochs": 2, "learning_rate": 1e-3},
                         method={"form": "tucker", "weighting": "full"}, ranks={"parameter_ratio": 0.3})
    assert results["accuracy_before"] > 0.9
    assert results["accuracy_after"] >= results["accuracy_re_estimated"] - 0.05
    assert results["epoch"].tolist() == [1, 2]


def test_a_training_that_diverges_is_refused(stripes):
    for count in (None, 2):
        outcome = stripes.start(stripes.deck(**T_CNN | {"train": {"learning_rate": 1e6}}), ranks=count)
        assert outcome.code == 4, outcome
        assert outcome.err.count("error: ") == 1 and "Lower train.learning_rate." in outcome.err
        assert RESULT not in stripes.result_files()


def test_decks_that_train_nothing_are_refused(stripes):
    expect_refusal(stripes)("train.epochs is 0 and model.path is not set", train={"epochs": 0})


@pytest.mark.parametrize("count", [None, 2])
def test_a_stopped_training_ends_as_a_straight_one(tmp_path, count):
    programs = {}
    for name in ("straight", "stopped"):
        (tmp_path / name).mkdir()
        programs[name] = striped_program(tmp_path / name)
    sections = T_CNN | {"train": {"epochs": 400, "score_every": 100}, "export": {"directory": "network"}}
    straight = results_of(programs["straight"], count, **sections)
    kept = sections | {"run": {"directory": "kept", "checkpoint_interval": 0.2}}
    stops = go_on_until_done(programs["stopped"], kept, random.Random(1), count, ("file", "time") if count else ("SIGTERM", "file"))
    assert stops > 0, "the run was never stopped"
    found = programs["stopped"].read()
    assert found.keys() == straight.keys()
    for name, values in straight.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    networks = [stored_tensors(program.folder / "network") for program in programs.values()]
    for name, values in networks[0].items():
        np.testing.assert_array_equal(networks[1][name], values, err_msg=name)


def test_a_training_goes_on_with_another_number_of_ranks(stripes):
    deck = T_CNN | {"train": {"epochs": 3}}
    straight = results_of(stripes, 1, **deck)
    kept = deck | {"run": {"directory": "kept", "checkpoint_interval": 0}}
    results_of(stripes, 2, **kept)
    for count in (1, 3):
        states = sorted((stripes.folder / "kept").iterdir(), key=lambda state: json.loads((state / "stage.json").read_text())["notes"]["steps"])
        assert len(states) > 1
        shutil.rmtree(states[-1])
        outcome = stripes.start(stripes.deck(**kept), ranks=count)
        assert outcome.code == 0, outcome.err
        assert re.search(r"training goes on after step 2\d", outcome.err), outcome.err
        found = stripes.read()
        np.testing.assert_allclose(found["training_loss"], straight["training_loss"], rtol=5e-3)
        assert found["epoch"].tolist() == [1, 2, 3]
