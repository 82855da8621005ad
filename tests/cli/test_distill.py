"""rankine-distill trains slices: better than their fit, alike on any ranks and teams, apart from one another, through kills and
stops; and exports them."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from checkpoints import results_of, stored_tensors
from conftest import RESULT, Program
from distilling import distill_images, distill_stories

QUICK = {"epochs": 4, "batch_size": 8, "learning_rate": 3e-3}
# Conv1, the blocks, conv2: three slices of the images' network.
THREE = {"by": "list", "list": ["conv1", "layer1.0..layer1.1", "conv2"]}
MLPS = {"weights": ["*feed_forward*"]}
DECKS = {
    "images": {"ranks": {"parameter_ratio": 0.5, "allocation": "uniform"}, "distill": QUICK},
    "stories": {"ranks": {"parameter_ratio": 0.6, "allocation": "uniform"}, "select": MLPS,
                "method": {"form": "low-rank", "weighting": "two-sided"}, "calibration": {"window_length": 64, "gradient_window_length": 64},
                "evaluate": {"window_length": 64}, "distill": QUICK | {"batch_size": 2}},
}
# Datasets and attributes of a slice in the result file, with the score that may be asked for.
OF_A_SLICE = {"position", "parameters", "feature_error_before", "feature_error_fit", "feature_error_after", "feature_errors", "team",
              "started", "finished", "seconds", "cost", "score", "outcome", "is_restored"}
KINDS = {"images": (distill_images, "accuracy"), "stories": (distill_stories, "perplexity")}
# Ranks and teams, which share images or rows of weights.
RANKS = {"images": [(2, 2), (3, 1), (4, 3)], "stories": [(2, 1), (3, 2), (4, 4)]}


def program_of(kind: str, folder: Path) -> Program:
    """The program with the deck of this kind."""
    program = KINDS[kind][0](folder)
    for name, section in DECKS[kind].items():
        program.given[name] = program.given.get(name, {}) | section
    return program


@pytest.fixture
def images(tmp_path) -> Program:
    return program_of("images", tmp_path)


@pytest.fixture
def stories(tmp_path) -> Program:
    return program_of("stories", tmp_path)


@pytest.fixture(params=KINDS)
def both(request, tmp_path) -> tuple[Program, str]:
    """Each program, and what its network is scored by."""
    return program_of(request.param, tmp_path), KINDS[request.param][1]


def run(program: Program, count: int | None = None, **sections) -> tuple[dict, dict, str]:
    """Arrays of /results, slices, and log of a run that must succeed."""
    outcome = program.start(program.deck(**sections), ranks=count)
    assert outcome.code == 0, outcome.err
    return program.read(), slices_of(program), outcome.err


def slices_of(program: Program, name: str = RESULT) -> dict:
    """Datasets and attributes of every slice, in the order of the network."""
    with h5py.File(program.folder / name) as file:
        groups = file["results"].get("slices", {})
        slices = {name: {key: value[...] for key, value in group.items()} | dict(group.attrs) for name, group in groups.items()}
    return dict(sorted(slices.items(), key=lambda slice: slice[1]["position"]))


def errors_of(slices: dict, when: str) -> np.ndarray:
    return np.array([slice[f"feature_error_{when}"] for slice in slices.values()])


def assert_same(found: dict, expected: dict, exactly: bool = False) -> None:
    """Slices with the same errors."""
    assert found.keys() == expected.keys()
    for name, slice in expected.items():
        for key in ("feature_error_before", "feature_error_fit", "feature_error_after", "feature_errors"):
            np.testing.assert_allclose(found[name][key], slice[key], rtol=0 if exactly else 1e-4, err_msg=f"{name}: {key}")
        for key in ("outcome", "parameters", "position"):
            assert found[name][key] == slice[key], (name, key)


def kernels(folder: Path) -> dict:
    """What stands in an exported network but for the statistics of its batch norms."""
    return {name: array for name, array in stored_tensors(folder).items() if ".running_" not in name}


# --- what training does --------------------------------------------------------------------------------------------------

def test_slices_are_better_than_their_fit(both):
    program, metric = both
    results, slices, _ = run(program, distill={"score_slices": True})
    after, fit = errors_of(slices, "after"), errors_of(slices, "fit")
    assert len(slices) >= 4 and (after <= fit).all() and (after < 0.98 * fit).sum() > len(slices) / 2
    for position, (name, slice) in enumerate(slices.items()):
        assert slice.keys() == OF_A_SLICE, name
        assert slice["position"] == position and slice["is_restored"] == 0 and slice["team"] == 0, name
        assert slice["parameters"] > 0 and slice["seconds"] > 0 and slice["cost"] > 0 and slice["score"] > 0
        assert slice["started"] >= 0 and slice["finished"] == pytest.approx(slice["started"] + slice["seconds"])
        assert slice["feature_errors"].shape == (QUICK["epochs"],)
        best = slice["feature_errors"].min()
        assert slice["feature_error_after"] == min(best, slice["feature_error_fit"])
        assert slice["outcome"] == ("trained" if best < slice["feature_error_fit"] else "fit kept")
        assert slice["feature_error_before"] > 0
    assert results[f"{metric}_local"] == results[f"{metric}_after"]
    with h5py.File(program.folder / RESULT) as file:
        assert file["results"].attrs["mode"] == "local"
        local = {name: value[...] for name, value in file["results/local"].items()}
        for name in ("fit", "teacher", "local"):
            assert file[f"timing/{name}_seconds"][()] > 0
        assert file["timing/global_seconds"][()] == 0
    assert local.keys() == {"samples", "held_out", "waves", "teams", "simulated_teams", "simulated_seconds"}
    assert local["samples"] + local["held_out"] == (48 if metric == "accuracy" else 8)
    assert local["held_out"] >= 1 and local["waves"] == 1 and local["teams"] == 1
    assert local["simulated_teams"].tolist() == list(range(1, 49)) and (np.diff(local["simulated_seconds"]) <= 1e-9).all()


def test_the_whole_network_is_trained(both):
    program, metric = both
    loss = "training_loss" if metric == "accuracy" else "healing_loss"
    for mode, targets in (("hybrid", "teacher"), ("global", "labels")):
        results, slices, _ = run(program, distill={"mode": mode, "targets": targets, "epochs": 2, "global_epochs": 3})
        assert {f"{metric}_{stage}" for stage in ("before", "fit", "after")} <= results.keys()
        assert (f"{metric}_local" in results) == (mode == "hybrid") == bool(slices)
        batches = 6 if metric == "accuracy" else 4
        assert results[loss].shape == ({"hybrid": 3, "global": 2}[mode] * batches,)
        assert results[loss][-batches:].mean() < results[loss][:batches].mean()
        with h5py.File(program.folder / RESULT) as file:
            assert file["results"].attrs["mode"] == mode and ("local" in file["results"]) == (mode == "hybrid")
            assert file["timing/global_seconds"][()] > 0


@pytest.mark.parametrize("ranks", [{"rank_fraction": 1.0}, {"tucker": [6, 6]}])
def test_kernels_of_full_rank_are_the_original(images, ranks):
    results, slices, _ = run(images, ranks=ranks, select={"weights": ["layer*"]})
    assert list(slices) == ["layer1.0", "layer1.1"]
    for when in ("before", "fit", "after"):
        assert errors_of(slices, when).max() < 1e-8
    assert results["accuracy_before"] == results["accuracy_fit"] == results["accuracy_local"] == results["accuracy_after"]


# --- what is passed over ---------------------------------------------------------------------------------------------------

def test_slices_that_stay_dense_are_passed_over(stories):
    deck = {"ranks": {"allocation": "additive", "parameter_ratio": 0.7}}
    _, slices, log = run(stories, distill={"learning_rates": [1e-3] * 5}, **deck)
    left = [f"layers.{layer}" for layer in range(5) if f"layers.{layer}" not in slices]
    assert 0 < len(left) < 5
    for name in left:
        assert f"{name} is passed over: all of its weights stay dense" in log
    for name, slice in slices.items():
        assert name == f"layers.{slice['position']}" and slice["feature_error_fit"] > 0
    results, slices, log = run(stories, ranks={"parameter_ratio": 1.0}, distill={"score_slices": True})
    assert slices == {} and log.count("is passed over") == 5
    assert results["perplexity_after"] == results["perplexity_before"]


# --- ranks and teams -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS)
def test_ranks_and_teams_change_nothing(kind, tmp_path):
    program = program_of(kind, tmp_path)
    metric = KINDS[kind][1]
    deck = {"slices": {"count": 2}}  # fewer than there are teams
    expected, slices, _ = run(program, **deck)
    again, same, _ = run(program, **deck)
    assert_same(same, slices, exactly=True)
    assert again[f"{metric}_after"] == expected[f"{metric}_after"]
    for ranks, teams in RANKS[kind]:
        found, others, _ = run(program, ranks, parallel={"teams": teams}, **deck)
        assert_same(others, slices)
        tolerance = 0 if metric == "accuracy" else 1e-4
        for stage in ("before", "fit", "local", "after"):
            assert found[f"{metric}_{stage}"] == pytest.approx(expected[f"{metric}_{stage}"], rel=tolerance), (ranks, teams)
        assert {int(slice["team"]) for slice in others.values()} == set(range(min(teams, 2)))


def test_borders_in_waves_change_nothing(stories):
    expected, slices, log = run(stories)
    unit = {"KiB": 2.0**-20, "MiB": 2.0**-10, "GiB": 1.0}
    total, borders = (float(value) * unit[name] for value, name in
                      (re.search(rf"{word} ([\d.]+) (\w+)", log).groups() for word in ("at most", "borders")))
    found, others, _ = run(stories, parallel={"memory_per_rank": total - borders / 2})
    with h5py.File(stories.folder / RESULT) as file:
        assert file["results/local/waves"][()] >= 2
    assert_same(others, slices)
    assert found["perplexity_after"] == pytest.approx(expected["perplexity_after"], rel=1e-4)


# --- slices apart from one another -----------------------------------------------------------------------------------------

def test_what_no_slice_has_stays_as_it_was_fitted(images):
    export = {"directory": "fitted", "format": "native"}
    run(images, distill={"mode": "fit-only"}, export=export)
    _, slices, _ = run(images, slices={"by": "list", "list": ["layer1.0"]}, export=export | {"directory": "trained"})
    assert [slice["outcome"] for slice in slices.values()] == ["trained"] and slices.keys() == {"layer1.0"}
    fitted, trained = kernels(images.folder / "fitted"), kernels(images.folder / "trained")
    assert fitted.keys() == trained.keys()
    for name, array in fitted.items():
        assert np.array_equal(array, trained[name]) != name.startswith("layer1.0."), name


def test_slices_are_counted_or_listed(images):
    for slices, names in (({"count": 3}, ["conv1", "layer1.0", "layer1.1-conv2"]), (THREE, ["conv1", "layer1.0-layer1.1", "conv2"])):
        assert list(run(images, slices=slices, distill={"epochs": 1})[1]) == names


@pytest.mark.parametrize("ranks, teams", [(None, 0), (3, 2)])
def test_a_diverging_slice_keeps_its_fit_and_the_others_are_as_ever(images, ranks, teams):
    deck = {"slices": THREE, "parallel": {"teams": 1}}
    _, clean, _ = run(images, distill={"learning_rates": [1e-3] * 3}, export={"directory": "clean", "format": "native"}, **deck)
    rates = {"learning_rates": [1e-3, 1e4, 1e-3]}
    deck["parallel"] = {"teams": teams}
    _, found, log = run(images, ranks, distill=rates, export={"directory": "found", "format": "native"}, **deck)
    middle = found.pop("layer1.0-layer1.1")
    assert middle["outcome"] == "diverged" and middle["feature_error_after"] == middle["feature_error_fit"]
    assert log.count("layer1.0-layer1.1: its training diverged, the fit is kept") == 1
    assert_same(found, {name: clean[name] for name in found}, exactly=ranks is None)
    expected = kernels(images.folder / "clean")
    for name, array in kernels(images.folder / "found").items():
        if ranks is None:
            assert np.array_equal(array, expected[name]) != name.startswith("layer1."), name


def test_a_diverged_slice_alone_is_trained_again_with_another_rate(images):
    deck = {"slices": THREE, "run": {"directory": "kept"}}
    first, found, _ = run(images, distill={"learning_rates": [1e-3, 1e4, 1e-3]}, **deck)
    assert found["layer1.0-layer1.1"]["outcome"] == "diverged"
    second, found, log = run(images, distill={"learning_rates": [1e-3, 2e-3, 1e-3]}, **deck)
    assert "2 finished slices taken from 'kept'" in log
    assert {name: slice["is_restored"] for name, slice in found.items()} == {"conv1": 1, "layer1.0-layer1.1": 0, "conv2": 1}
    assert found["layer1.0-layer1.1"]["outcome"] == "trained"


def test_a_diverged_slice_ends_the_run_where_asked(both):
    program, metric = both
    deck, name, ranks, teams = {"accuracy": ({"slices": THREE}, "layer1.0-layer1.1", 3, 2), "perplexity": ({"slices": {"count": 3}}, "layers.1-layers.2", 2, 1)}[metric]
    outcome = program.start(program.deck(distill={"learning_rates": [1e-3, 1e6, 1e-3], "fail_on_divergence": True}, parallel={"teams": teams}, **deck),
                            ranks=ranks)
    assert outcome.code == 4 and outcome.err.count("error: ") == 1, outcome.err
    assert f"the training of {name} diverged (distill.fail_on_divergence" in outcome.err
    assert not (program.folder / RESULT).exists()
    kept = slices_of(program, RESULT + ".partial")
    assert [slice["outcome"] for slice in kept.values()] == ["trained", "diverged", "trained"]


# --- stops -----------------------------------------------------------------------------------------------------------------

LONG = {"distill": QUICK | {"epochs": 120}}


def finished(program: Program) -> int:
    return len(list(program.folder.glob("kept/slice-*/stage.json")))


def children(process: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


def interrupt(program: Program, sections: dict, which: signal.Signals, ranks: int | None = None) -> tuple[int, str]:
    """Exit code and log of a run, to whose last rank a signal is sent when it has finished a slice."""
    log = program.folder / "log"
    with log.open("w") as stream, subprocess.Popen(program.command(program.deck(**sections), ranks=ranks), cwd=program.folder,
                                                   stdout=subprocess.DEVNULL, stderr=stream) as process:
        deadline = time.monotonic() + 60
        while finished(program) == 0:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.002)
        os.kill(process.pid if ranks is None else children(process.pid)[-1], which)
        process.wait(timeout=60)
    return process.returncode, log.read_text()


@pytest.fixture(scope="module")
def straight_runs(tmp_path_factory) -> dict:
    """Results and slices of runs that nothing stops."""
    return {kind: run(program_of(kind, tmp_path_factory.mktemp(kind)), **LONG)[:2] for kind in KINDS}


@pytest.mark.parametrize("kind, which, ranks, then", [("images", signal.SIGKILL, 2, None), ("images", signal.SIGTERM, None, 3),
                                                      ("stories", signal.SIGKILL, None, 2), ("stories", signal.SIGTERM, None, 2)])
def test_finished_slices_outlive_a_kill_and_a_stop(kind, which, ranks, then, straight_runs, tmp_path):
    program, metric = program_of(kind, tmp_path), KINDS[kind][1]
    straight, slices = straight_runs[kind]
    kept = LONG | {"run": {"directory": "kept"}}
    code, log = interrupt(program, kept, which, ranks)
    if which == signal.SIGTERM:
        assert code == 75 and "; the same command goes on\n" in log, log
    else:
        assert code != 0
    taken = finished(program)
    assert 0 < taken < len(slices), "nothing was left to do"
    results, found, log = run(program, then, **kept)
    assert f"{taken} finished slice{'s' if taken > 1 else ''} taken from 'kept'" in log
    assert sum(int(slice["is_restored"]) for slice in found.values()) == taken
    assert_same(found, slices)
    assert results[f"{metric}_after"] == pytest.approx(straight[f"{metric}_after"], rel=0 if metric == "accuracy" else 1e-4)


def test_a_training_of_the_network_goes_on_from_its_own_kind_alone(both):
    """What was trained behind slices is no state of a training that begins with the fit."""
    program, metric = both
    recipe = DECKS["images" if metric == "accuracy" else "stories"]["distill"] | {"epochs": 1}
    whole = {"mode": "global"}
    hybrid = {"mode": "hybrid", "global_epochs": 1, "global_learning_rate": recipe["learning_rate"]}
    clean, _, _ = run(program, distill=recipe | whole)
    kept = {"run": {"directory": "kept"}}
    run(program, distill=recipe | hybrid, **kept)
    found, _, log = run(program, distill=recipe | whole, **kept)
    assert "goes on after step" not in log
    assert found[f"{metric}_after"] == clean[f"{metric}_after"]


# --- exports ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", ["dense", "native"])
def test_an_export_scores_as_the_network_did(both, form):
    program, metric = both
    results, _, _ = run(program, export={"directory": "exported", "format": form})
    assert results[f"{metric}_after"] != results[f"{metric}_before"] or metric == "accuracy"
    given = {name: program.given[name] for name in ("evaluate", "data", "model") if name in program.given}
    folder = {"path": "exported"} if metric == "perplexity" else {"path": "exported", "architecture": "plain", "layers": ""}
    if metric == "accuracy":
        given["data"] = {name: value for name, value in given["data"].items() if name.startswith("test_")}
    score = results_of(Program(program.folder, "rankine-evaluate", given), model=folder)[metric]
    assert score == pytest.approx(results[f"{metric}_after"], rel=0 if metric == "accuracy" else 1e-5)
