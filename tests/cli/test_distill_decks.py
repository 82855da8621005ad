"""What rankine-distill refuses and forecasts, and that its fit alone is what rankine-compress makes."""

import re

import h5py
import numpy as np
import pytest

from checkpoints import results_of
from conftest import RESULT, Program, compress_stories, expect_refusal
from distilling import LAYERS, TUCKER, distill_images, distill_stories
from images import plain_network, random_images, save


@pytest.fixture
def images(tmp_path) -> Program:
    return distill_images(tmp_path)


@pytest.fixture
def stories(tmp_path) -> Program:
    return distill_stories(tmp_path)


# --- what is refused -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("messages, sections", [
    (["slices.list is empty, deck.toml", "slices.by = \"list\" takes slices from it"], {"slices": {"by": "list"}}),
    (["slices.list has no use here", "slices.by = \"block\" makes them"], {"slices": {"by": "block", "list": ["conv1"]}}),
    (["slices.count has no use here"], {"slices": {"by": "list", "list": ["conv1"], "count": 2}}),
    (["slices.list names layer1.2, which is no part of the network (it has 6 parts, from conv1 to fc)", "Did you mean layer1."],
     {"slices": {"by": "list", "list": ["layer1.2"]}}),
    (["slices.list names layer1.0.conv1 (a border behind it would cut the skip connection of layer1.0). Name layer1.0 itself."],
     {"slices": {"by": "list", "list": ["layer1.0.conv1"]}}),
    (["the slices conv1..layer1.1 and layer1.0 of slices.list overlap"], {"slices": {"by": "list", "list": ["conv1..layer1.1", "layer1.0"]}}),
    (["slices.list has layer1.1..conv1 (the network has conv1 before layer1.1)"], {"slices": {"by": "list", "list": ["layer1.1..conv1"]}}),
    (["slices.list has fc (none of its weights is replaced)"], {"slices": {"by": "list", "list": ["fc"]}}),
    (["slices.count = 9 is more than there are (4 parts", "Choose at most 4."], {"slices": {"count": 9}}),
    (["there is no slice to train"], {"slices": {"by": "block"}, "select": {"weights": ["conv*"]}}),
    (["method.form = \"dense\" stands beside distill.mode = \"local\""], {"method": {"form": "dense"}}),
    (["distill.epochs is 0", "distill.mode = \"global\" trains the network"], {"distill": {"mode": "global", "epochs": 0}}),
    (["distill.epochs is 0", "distill.mode = \"local\" trains slices"], {"distill": {"epochs": 0}}),
    (["distill.global_epochs is 0"], {"distill": {"mode": "hybrid", "global_epochs": 0}}),
    (["distill.learning_rates has no use here"], {"distill": {"mode": "global", "learning_rates": [1e-3]}}),
    (["distill.learning_rates has 3 numbers (there are 4 slices, from conv1 to conv2)"], {"distill": {"learning_rates": [1e-3] * 3}}),
    (["learning_rates", "above 0"], {"distill": {"learning_rates": [0.0]}}),
    (["held_out", "above 0 and below 1"], {"distill": {"held_out": 0.0}}),
    (["mode", "one of \"fit-only\", \"local\", \"global\", \"hybrid\""], {"distill": {"mode": "locally"}}),
    (["teams", "from 0 to 1000000"], {"parallel": {"teams": -1}}),
    (["distill.sweeps = 1 stands beside method.weighting = \"none\""], {"distill": {"sweeps": 1}, "method": {"weighting": "none"}}),
    (["sweeps", "from 0 to 10"], {"distill": {"sweeps": 11}}),
    (["model.path is not set", "nothing to teach"], {"model": {"path": "", "architecture": "cifar-resnet-8", "layers": ""}}),
    (["unknown section", "[train]"], {"train": {"epochs": 1}}),
    (["heal"], {"heal": {"steps": 1}}),
    (["calibration.text has no use here"], {"calibration": {"text": "text.npy"}}),
    (["ranks.parameter_ratio = 0.0001 is below what tucker can reach"], {"ranks": {"parameter_ratio": 1e-4}}),
])
def test_decks_that_cannot_be_are_refused(images, messages, sections):
    expect_refusal(images)(*messages, deck=images.deck(**sections))


@pytest.mark.parametrize("messages, sections", [
    (["method.form = \"clustered\" stands beside distill.mode = \"local\""], {"method": {"form": "clustered", "weighting": "none"}}),
    (["method.form = \"tucker\" is asked for a language model"], {"method": {"form": "tucker"}}),
    (["distill.sweeps = 1 is asked for a language model", "sweeps are for image networks"], {"distill": {"sweeps": 1}}),
    (["calibration.text is not set", "the model is trained on its windows"], {"calibration": {"text": ""}, "method": {"weighting": "none"}}),
    (["evaluate.text is not set beside distill.score_slices"], {"evaluate": {"text": ""}, "distill": {"score_slices": True}}),
    (["a border behind it would cut the skip connection of layers.1"], {"slices": {"by": "list", "list": ["layers.0..layers.1.feed_forward.w2"]}}),
    (["has 32 windows of 256 tokens (99 are asked for"], {"calibration": {"windows": 99}}),
    (["there is 1 sample to train slices on"], {"calibration": {"windows": 1}}),
    (["calibration.windows = 8 is fewer than parallel.teams = 9"], {"parallel": {"teams": 9}}),
])
def test_decks_that_cannot_be_of_language_models_are_refused(stories, messages, sections):
    expect_refusal(stories)(*messages, **sections)


@pytest.mark.parametrize("weighting", ["none", "full"])
def test_a_text_shorter_than_a_window_is_refused(stories, weighting):
    np.save(stories.folder / "short.npy", np.arange(1, 101))
    expect_refusal(stories)("short.npy has 100 tokens (a window takes 256)", calibration={"text": "short.npy"}, method={"weighting": weighting})


def test_no_images_or_one_are_refused(images):
    images.given["data"] = {name: images.given["data"][name] for name in ("test_images", "test_labels")}
    refuses = expect_refusal(images)
    refuses("data.images is not set", method={"form": "tucker"})
    refuses("data.images is not set (slices and networks are trained on images)", method={"form": "dense"}, distill={"mode": "global"})
    images.given["data"] |= save(images, images=np.zeros((0, 3, 8, 8), np.uint8), labels=np.zeros(0, np.int64))
    refuses("Cannot use the images in 'images.npy' (the array is 0 x 3 x 8 x 8)")
    random_images(images, (3, 8, 8), classes=3, training=1)
    refuses("class 1 has no training image (there are 1 training image of 3 classes")


def test_blocks_of_a_network_without_any_are_refused(images):
    plain_network(images, [layer for layer in LAYERS if layer["type"] != "residual"], (3, 8, 8))
    expect_refusal(images)("slices.by = \"block\" is asked for a network without residual blocks", slices={"by": "block"},
                           select={"weights": ["conv*"]})


# --- what is forecast ----------------------------------------------------------------------------------------------------

def check(program: Program, *arguments, **sections) -> str:
    outcome = program.run("--check", *arguments, **sections)
    assert outcome.code == 0, outcome.err
    return outcome.out


def test_a_check_says_slices_teams_and_borders(images):
    text = check(images, "--ranks", 3)
    assert "48 training images, 33 test images" in text
    assert "borders of the teacher: " in text and " a rank, kept in memory" in text
    assert "; local, 4 slices over 3 teams" in text
    assert "; local, 2 slices over 3 teams" in check(images, "--ranks", 3, slices={"by": "block"})
    assert "; hybrid, 3 slices over 2 teams" in check(images, "--ranks", 4, slices={"count": 3}, distill={"mode": "hybrid"},
                                                      parallel={"teams": 2})
    for mode in ("fit-only", "global"):
        text = check(images, distill={"mode": mode})
        assert f"; {mode}\n" in text and "borders of" not in text


def test_teams_of_a_language_model_have_windows_each(stories):
    assert "; local, 5 slices over 4 teams" in check(stories, "--ranks", 4)
    assert "; local, 5 slices over 8 teams" in check(stories, "--ranks", 12)


def test_borders_that_do_not_fit_make_waves_and_those_of_no_slice_an_error(stories):
    bytes_of = {"KiB": 2.0**-20, "MiB": 2.0**-10, "GiB": 1.0}

    def gibibytes(text: str, name: str) -> float:
        value, unit = re.search(rf"{name} ([\d.]+) (\w+)", text).groups()
        return float(value) * bytes_of[unit]

    text = check(stories)
    total, borders = gibibytes(text, "at most"), gibibytes(text, "borders")
    assert borders > 0.004 and "kept in memory" in text
    assert "in 2 waves" in check(stories, parallel={"memory_per_rank": total - borders * 0.2})
    assert "in 5 waves" in check(stories, parallel={"memory_per_rank": total - borders * 0.75})
    refuses = expect_refusal(stories)
    refuses("the borders of a single slice need 1.0 MiB on a rank", code=3, parallel={"memory_per_rank": total - borders * 0.9})
    refuses("distilling needs up to", code=3, parallel={"memory_per_rank": total / 2})


# --- the fit alone -------------------------------------------------------------------------------------------------------

def weights_of(program: Program) -> dict:
    with h5py.File(program.folder / RESULT) as file:
        return {name: {key: value[...].tolist() for key, value in group.items()} for name, group in file["results/weights"].items()}


def assert_same_fit(distill: Program, compress: Program, metric: str, **deck) -> dict:
    expected = results_of(compress, **deck)
    expected_weights = weights_of(compress)
    found = results_of(distill, distill={"mode": "fit-only"}, **deck)
    for name, values in expected.items():
        if not name.endswith(("_compressed", "_re_estimated")):  # scores on the way, which the fit is one of
            np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert weights_of(distill) == expected_weights
    assert found[f"{metric}_fit"] == found[f"{metric}_after"] and f"{metric}_local" not in found
    with h5py.File(distill.folder / RESULT) as file:
        assert file.attrs["filetype"] == "rankine-distill" and file.attrs["format_version"] == 1
        assert file["results"].attrs["mode"] == "fit-only"
        assert file["timing/fit_seconds"][()] > 0 and "slices" not in file["results"]
    return found


@pytest.mark.parametrize("method", [TUCKER, {"form": "mpo", "weighting": "two-sided"}])
def test_the_fit_of_kernels_is_that_of_rankine_compress(images, method):
    compress = Program(images.folder, "rankine-compress", images.given)
    assert_same_fit(images, compress, "accuracy", method=method, ranks={"parameter_ratio": 0.5})


def test_a_sweep_changes_kernels_but_not_their_ranks(images):
    def fit(sweeps: int) -> tuple[dict, dict]:
        results_of(images, distill={"mode": "fit-only", "sweeps": sweeps}, ranks={"parameter_ratio": 0.5})
        weights = weights_of(images)
        errors = {name: values.pop("weighted_error") for name, values in weights.items()}
        return errors, {name: values["parameters"] for name, values in weights.items()}

    (errors, sizes), (swept_errors, swept_sizes) = fit(0), fit(1)
    assert swept_sizes == sizes
    assert swept_errors["conv1"] == pytest.approx(errors["conv1"], rel=1e-6)  # which reads images
    assert all(swept_errors[name] != errors[name] for name in errors if name.startswith("layer") and errors[name] > 1e-3)


def test_the_fit_of_matrices_is_that_of_rankine_compress(stories, tmp_path):
    found = assert_same_fit(stories, compress_stories(tmp_path), "perplexity", ranks={"parameter_ratio": 0.7},
                            select={"weights": ["*feed_forward*"]})
    assert found["perplexity_after"] > found["perplexity_before"]


def test_an_export_is_that_of_rankine_compress(images):
    deck = {"ranks": {"parameter_ratio": 0.5}, "export": {"directory": "exported", "format": "native"}}
    results_of(images, distill={"mode": "fit-only"}, **deck)
    stored = (images.folder / "exported" / "model.safetensors").read_bytes()
    results_of(Program(images.folder, "rankine-compress", images.given), **deck)
    assert (images.folder / "exported" / "model.safetensors").read_bytes() == stored
