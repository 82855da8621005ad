"""What rankine-compress makes of the kernels of image networks, that it makes them right for kernels of any kind, and what it
refuses."""

import h5py
import numpy as np
import pytest

from checkpoints import results_of, write_tensors
from conftest import RESULT, Program, expect_refusal
from images import image_compression, logits_of, plain_network, random_images, save

FORMS = ("tucker", "mpo", "cut", "low-rank")
CUTS = {"o|ihw": (0,), "i|ohw": (1,), "h|oiw": (2,), "w|oih": (3,), "oi|hw": (0, 1), "oh|iw": (0, 2), "ow|ih": (0, 3)}
EVERYTHING = {"allocation": "uniform", "rank_fraction": 1.0}


def convolution(name: str, outputs: int, kernel=3, **others) -> dict:
    return {"type": "convolution", "name": name, "outputs": outputs, "kernel": kernel} | others


LAYERS = [
    convolution("conv1", 8, padding=1), {"type": "batch-norm", "name": "norm1"}, {"type": "relu"},
    convolution("conv2", 12, padding=1, stride=2, bias=False), {"type": "batch-norm", "name": "norm2"}, {"type": "relu"},
    convolution("mixed", 8, kernel=1), {"type": "global-pool"}, {"type": "linear", "name": "fc", "outputs": 4}]


@pytest.fixture
def images(tmp_path) -> Program:
    """A small network with batch norms, and images of noise."""
    program = image_compression(tmp_path)
    plain_network(program, LAYERS, (3, 8, 8))
    random_images(program, (3, 8, 8), classes=4)
    return program


@pytest.fixture
def refuses(images):
    """expect_refusal of a deck whose sections may be [ranks], on `count` ranks too."""
    expect = expect_refusal(images)
    return lambda *messages, count=None, **sections: expect(*messages, deck=images.deck(**sections), ranks=count)


def use(program: Program, layers: list, shape: tuple, **tensors) -> dict:
    """Another network and images of its shape; `tensors` replace its own, with __ for the dot. Returns all."""
    random_images(program, shape, classes=layers[-1]["outputs"])
    own = plain_network(program, layers, shape)
    for name, values in tensors.items():
        own[name.replace("__", ".")] = np.asarray(values, np.float32)
    write_tensors(program.folder / "network.safetensors", own)
    return own


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max()))


def ranks_of(program: Program) -> dict:
    """The ranks of every kernel that has some."""
    with h5py.File(program.folder / RESULT) as file:
        return {name: group["ranks"][...].tolist() for name, group in file["results/weights"].items() if "ranks" in group}


# --- forms ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ranks", [EVERYTHING, {"parameter_ratio": 1.0}])
def test_nothing_is_lost_where_nothing_is_left_out(images, form, ranks):
    dense = logits_of(images)
    results = results_of(images, method={"form": form, "weighting": "full"}, ranks=ranks)
    assert_close(results["logits"], dense)
    assert results["accuracy_before"] == results["accuracy_after"] == results["accuracy_re_estimated"]
    if "rank_fraction" in ranks:
        layers = {"conv1", "conv2"} | (set() if form == "cut" else {"mixed", "fc"})
        assert ranks_of(images).keys() == layers
        assert ranks_of(images)["conv2"] == {"tucker": [12, 8], "cut": [24], "low-rank": [12]}.get(form, ranks_of(images)["conv2"])


@pytest.mark.parametrize("form", FORMS)
def test_the_answer_does_not_depend_on_the_ranks(images, form):
    deck = {"method": {"form": form, "weighting": "full"}, "ranks": {"parameter_ratio": 0.5}}
    expected = results_of(images, 1, **deck)
    chosen = ranks_of(images)
    assert chosen
    for count in (2, 3, 4):
        found = results_of(images, count, **deck)
        assert ranks_of(images) == chosen
        assert_close(found["logits"], expected["logits"])
    for name, values in results_of(images, 4, **deck).items():
        np.testing.assert_array_equal(values, found[name], err_msg=name)


@pytest.mark.parametrize("weighting, allocation", [("none", "uniform"), ("full", "additive"), ("two-sided", "additive")])
def test_the_wanted_ratio_is_kept(images, weighting, allocation):
    results = results_of(images, method={"form": "tucker", "weighting": weighting},
                             ranks={"allocation": allocation, "parameter_ratio": 0.4})
    kept = results["kernel_parameters_after"] / results["kernel_parameters_before"]
    assert 0.25 < kept <= 0.4
    before, after = results["parameters_before"], results["parameters_after"]
    assert before - after == results["kernel_parameters_before"] - results["kernel_parameters_after"]
    assert before == 8 * 27 + 12 * 72 + 8 * 12 + 4 * 8 + (8 + 8 + 4) + 2 * (8 + 12)


def test_multiples_are_kept_or_the_whole_axis(images):
    for form, allocation in (("tucker", "uniform"), ("tucker", "additive"), ("low-rank", "additive"), ("cut", "uniform")):
        results_of(images, method={"form": form, "weighting": "full"},
                       ranks={"allocation": allocation, "parameter_ratio": 0.7, "multiple_of": 4})
        full = {"conv1": (8, 3), "conv2": (12, 8), "mixed": (8,), "fc": (4,)}
        for name, ranks in ranks_of(images).items():
            for axis, rank in enumerate(ranks):
                assert rank % 4 == 0 or (form == "tucker" and rank == full[name][axis]), (name, ranks)


@pytest.mark.parametrize("form", FORMS)
def test_the_least_ratio_is_named_and_reached(images, form):
    outcome = images.start(images.deck(method={"form": form}, ranks={"parameter_ratio": 1e-4}), "--check")
    assert outcome.code == 2 and "ranks.parameter_ratio = 0.0001 is below what" in outcome.err, outcome.err
    least = float(outcome.err.split("Choose at least ")[1].split(",")[0])
    for allocation in ("uniform", "additive"):
        results = results_of(images, method={"form": form, "weighting": "none"},
                                 ranks={"allocation": allocation, "parameter_ratio": least})
        assert all(rank >= 1 for ranks in ranks_of(images).values() for rank in ranks)
        assert np.isfinite(results["logits"]).all()


def test_four_ranks_of_tucker_kernels(images):
    results = results_of(images, method={"form": "tucker", "weighting": "none"}, ranks={"tucker": [6, 3, 2, 3]},
                             select={"weights": ["conv*"]})
    assert ranks_of(images) == {"conv1": [6, 3, 2, 3], "conv2": [6, 3, 2, 3]}
    assert np.isfinite(results["logits"]).all()
    assert_close(results_of(images, method={"form": "tucker", "weighting": "none"}, ranks={"tucker": [8, 3, 3, 3]},
                                select={"weights": ["conv1"]})["logits"], logits_of(images))


# --- kernels of all kinds ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("others", [
    {"dilation": 2, "padding": 2}, {"stride": [2, 1], "padding": 1}, {"kernel": 1, "stride": 2},
    {"kernel": [3, 2], "padding": [2, 1], "dilation": [2, 1], "stride": [1, 2]}])
def test_geometry_survives(images, form, others):
    layers = [convolution("first", 6, padding=1), {"type": "relu"}, convolution("odd", 5, **others), {"type": "relu"},
              {"type": "flatten"}, {"type": "linear", "name": "fc", "outputs": 3}]
    use(images, layers, (2, 9, 7))
    results = results_of(images, method={"form": form, "weighting": "none"}, ranks=EVERYTHING)
    assert_close(results["logits"], logits_of(images))


@pytest.mark.parametrize("form", FORMS)
def test_a_bias_is_added_once(images, form):
    layers = [convolution("conv1", 6, kernel=5, padding=2), convolution("conv2", 5, kernel=5, padding=2),
              {"type": "flatten"}, {"type": "linear", "name": "fc", "outputs": 4, "bias": False}]
    # The linear layer takes a corner and the middle of two channels: borders count.
    rows = np.zeros((4, 5, 6, 6))
    for row, (channel, place) in enumerate([(0, 0), (0, 3), (4, 0), (4, 3)]):
        rows[row, channel, place, place] = 1
    tensors = use(images, layers, (2, 6, 6), conv1__bias=[10] * 6, conv2__bias=[10] * 5, fc__weight=rows.reshape(4, -1))
    full = results_of(images, method={"form": form, "weighting": "none"}, ranks=EVERYTHING, select={"weights": ["conv*"]})
    assert_close(full["logits"], logits_of(images))
    # Kernels of nothing leave the bias alone.
    write_tensors(images.folder / "network.safetensors", tensors | {"conv2.weight": 0 * tensors["conv2.weight"]})
    low = results_of(images, method={"form": form, "weighting": "none"}, ranks={"rank_fraction": 0.3, "allocation": "uniform"},
                         select={"weights": ["conv*"]})
    assert_close(low["logits"], np.full((33, 4), 10.0))


def test_grouped_kernels_are_left_and_named(images):
    layers = [convolution("conv1", 8, padding=1), convolution("grouped", 12, groups=4, padding=1),
              {"type": "global-pool"}, {"type": "linear", "name": "fc", "outputs": 4}]
    use(images, layers, (3, 6, 6))
    for form in FORMS:
        outcome = images.start(images.deck(method={"form": form, "weighting": "full"}, ranks=EVERYTHING))
        assert outcome.code == 0, outcome.err
        named = next(line for line in outcome.err.splitlines() if "left as they are" in line)
        assert "grouped" in named.split(": ")[-1] and "conv1" not in named
        assert "conv1" in ranks_of(images) and "grouped" not in ranks_of(images)
        assert_close(images.read()["logits"], logits_of(images))


@pytest.mark.parametrize("form", FORMS)
def test_single_channels_are_ordinary(images, form):
    layers = [convolution("conv1", 8, padding=1), {"type": "relu"}, convolution("conv2", 1, padding=1), {"type": "relu"},
              {"type": "flatten"}, {"type": "linear", "name": "fc", "outputs": 3}]
    use(images, layers, (1, 6, 6))
    deck = {"method": {"form": form, "weighting": "full"}}
    assert_close(results_of(images, ranks=EVERYTHING, **deck)["logits"], logits_of(images))
    low = results_of(images, ranks={"rank_fraction": 0.01, "allocation": "uniform"}, **deck)
    assert np.isfinite(low["logits"]).all() and all(min(ranks) == 1 for ranks in ranks_of(images).values())


@pytest.mark.parametrize("form", FORMS)
def test_dead_channels_and_kernels_of_nothing_stay_finite(images, form):
    tensors = plain_network(images, LAYERS, (3, 8, 8))
    tensors["conv1.weight"][:2] = 0
    tensors["conv1.bias"][:2] = 0
    for part in ("running_mean", "running_var"):
        tensors[f"norm1.{part}"][:2] = 0
    write_tensors(images.folder / "network.safetensors", tensors)
    deck = {"method": {"form": form, "weighting": "full"}}
    assert_close(results_of(images, ranks=EVERYTHING, **deck)["logits"], logits_of(images))
    assert np.isfinite(results_of(images, ranks={"parameter_ratio": 0.5}, **deck)["logits"]).all()
    tensors["conv2.weight"][:] = 0
    write_tensors(images.folder / "network.safetensors", tensors)
    for allocation in ("uniform", "additive"):
        results = results_of(images, ranks={"parameter_ratio": 0.5, "allocation": allocation}, **deck)
        assert np.isfinite(results["logits"]).all()
        with h5py.File(images.folder / RESULT) as file:
            assert file["results/weights/conv2/norm_loss"][()] == 0
            assert file["results/weights/conv2/weighted_error"][()] == 0


@pytest.mark.parametrize("form", ["tucker", "cut"])
def test_a_dead_channel_keeps_the_statistics_it_had(images, form):
    """What a channel that never changes is normalised by says nothing of the compression."""
    tensors = plain_network(images, LAYERS, (3, 8, 8))
    tensors["conv1.weight"][0] = 0
    write_tensors(images.folder / "network.safetensors", tensors)
    results = results_of(images, method={"form": form, "weighting": "full"}, ranks=EVERYTHING)
    assert_close(results["logits"], logits_of(images))


def test_a_last_batch_of_one_image(images):
    whole = results_of(images, evaluate={"batch_size": 64}, ranks={"parameter_ratio": 0.5}, method={"form": "tucker", "weighting": "full"})
    parts = results_of(images, evaluate={"batch_size": 32}, ranks={"parameter_ratio": 0.5}, method={"form": "tucker", "weighting": "full"})
    assert np.isfinite(parts["logits"]).all()
    assert_close(parts["logits"], whole["logits"])


def test_the_same_images_in_other_files(images):
    data = images.given["data"]
    bytes_of = {name: np.load(images.folder / data[name]) for name in ("images", "test_images")}
    deck = {"method": {"form": "tucker", "weighting": "full"}, "ranks": {"parameter_ratio": 0.5}}
    expected = results_of(images, **deck)["logits"]
    for change in (lambda a: a.astype(np.float32) / 255, np.asfortranarray, lambda a: (a.astype(np.float32) / 255).astype(">f4")):
        save(images, **{name: change(array) for name, array in bytes_of.items()})
        assert (results_of(images, **deck)["logits"] == expected).all()


# --- what the result file has --------------------------------------------------------------------------------------------

def test_results_without_a_good_class(images):
    results = results_of(images, method={"form": "tucker", "weighting": "full"}, ranks={"parameter_ratio": 0.5})
    assert results["confusion"].sum() == 33 and results["confusion"].shape == (4, 4)
    assert results["accuracy_after"] == results["confusion"].trace() / 33 == results["accuracy"]
    recall = results["confusion"].diagonal() / results["confusion"].sum(axis=1)
    assert results["macro_miss_rate"] == pytest.approx(1 - recall.mean())
    assert "missed_defect_rate" not in results and "auc" not in results
    low, high = results["accuracy_difference_interval"]
    assert low <= results["accuracy_difference"] <= high
    dense = logits_of(images).argmax(axis=1)
    assert results["accuracy_before"] == (dense == np.arange(33) % 4).mean()


def test_results_with_a_good_class(images):
    results = results_of(images, method={"form": "tucker", "weighting": "full"}, ranks={"parameter_ratio": 0.5},
                             data={"good_class": 0, "validation_fraction": 0.25}, evaluate={"target_escape": 0.1})
    for name in ("missed_defect_rate", "false_alarm_rate", "auc"):
        low, high = results[f"{name}_interval"]
        assert 0 <= low <= results[name] <= high <= 1
    assert "macro_miss_rate" not in results and "threshold" in results


def test_a_check_forecasts(images):
    outcome = images.start(images.deck(ranks={"parameter_ratio": 0.5}, method={"form": "tucker"}), "--check")
    assert outcome.code == 0, outcome.err
    assert "48 training images, 33 test images" in outcome.out and "memory of a rank at most" in outcome.out
    assert images.result_files() == []


def test_keywords_are_explained(images):
    assert "score_every" in images.start("--help-deck", "train").out
    defaults = images.start("--print-defaults").out
    assert "multiple_of = 1" in defaults and "[train]" in defaults


# --- the study of cuts ---------------------------------------------------------------------------------------------------

def test_the_study_truncates_as_numpy_does(images):
    tensors = plain_network(images, LAYERS, (3, 8, 8))
    tensors["conv2.weight"][:] = 0
    write_tensors(images.folder / "network.safetensors", tensors)
    fractions = [1.0, 0.5, 0.34]
    results = results_of(images, 2, select={"weights": ["conv*"]},
                             sensitivity={"cuts": list(CUTS), "rank_fractions": fractions})
    with h5py.File(images.folder / RESULT) as file:
        study = {name: dataset[...] for name, dataset in file["results/cuts"].items()}
    assert [name.decode() for name in study["cut"]] == list(CUTS)
    assert [name.decode() for name in study["layer"]] == ["conv1", "conv2", "all"]
    for name in ("accuracy", "loss", "norm_loss", "rank"):
        assert study[name].shape == (7, 3, 3)
    kernel = tensors["conv1.weight"].astype(float)
    for c, rows in enumerate(CUTS.values()):
        order = [*rows, *(axis for axis in range(4) if axis not in rows)]
        matrix = kernel.transpose(order).reshape(np.prod([kernel.shape[axis] for axis in rows]), -1)
        squares = np.linalg.svd(matrix, compute_uv=False)**2
        for f in range(3):
            rank = study["rank"][c, f, 0]
            assert abs(rank - fractions[f] * len(squares)) <= 0.5 + 1e-9
            loss = 1 - np.sqrt(squares[:rank].sum() / squares.sum())
            assert study["norm_loss"][c, f] == pytest.approx([loss, 0, loss / 2], abs=1e-6)
    assert (study["accuracy"][:, 0] == results["accuracy_before"]).all(), "at full rank the network is what it was"
    np.testing.assert_allclose(study["loss"][:, 0], results["loss_before"], rtol=1e-5)


# --- refusals ------------------------------------------------------------------------------------------------------------

def test_ranks_above_an_axis_are_refused(refuses):
    refuses("ranks.tucker = [4, 4]", "conv1", "inputs are 3", method={"form": "tucker"}, ranks={"tucker": [4, 4]})
    refuses("ranks.tucker has 3 numbers", method={"form": "tucker"}, ranks={"tucker": [4, 3, 3]})


@pytest.mark.parametrize("count", [None, 3])
def test_labels_beyond_the_classes_are_refused(images, refuses, count):
    for name, size in (("labels", 48), ("test_labels", 33)):
        good = np.arange(size) % 4
        for label in (4, 256, -1) if count is None else (4,):  # 256 would be 0 as a byte
            wrong = good.copy()
            wrong[-1] = label
            save(images, **{name: wrong})
            refuses(f"label {label} of image {size - 1} in '{name}.npy'", method={"form": "tucker"}, count=count)
        save(images, **{name: good})


def test_images_that_cannot_be_are_refused(images, refuses):
    data, tucker = images.given["data"], {"form": "tucker"}
    original = np.load(images.folder / data["images"])
    save(images, images=original.astype(np.float32))
    refuses("a pixel of image 0 is", "by 255", method=tucker)
    save(images, images=original[:, :1])
    refuses("conv1.weight is 8 x 3 x 3 x 3 and not 8 x 1 x 3 x 3", method=tucker)
    save(images, images=original, labels=np.minimum(np.arange(48) % 4, 2))
    refuses("class 3 has no training image", method=tucker)
    save(images, labels=np.arange(48) % 4)
    refuses("there is no validation image", method=tucker, data={"validation_fraction": 0.001})
    images.given["data"] = {name: data[name] for name in ("test_images", "test_labels")}
    refuses("data.images is not set", method=tucker)


def test_numbers_that_are_not_finite_are_refused(images):
    tensors = plain_network(images, LAYERS, (3, 8, 8))
    tensors["conv2.weight"][3, 1, 0, 2] = np.nan
    write_tensors(images.folder / "network.safetensors", tensors)
    for ranks in (None, 2):
        outcome = images.run(method={"form": "tucker"}, ranks=ranks)
        assert outcome.code == 4 and "conv2.weight" in outcome.err, outcome
        assert outcome.err.count("error: ") == 1 and RESULT not in images.result_files()


def test_checkpoints_of_other_networks_are_refused(images, refuses):
    images.write("layers.json", (images.folder / "layers.json").read_text().replace('"mixed"', '"other"'))
    refuses("other.weight is missing", "mixed.weight has no place", method={"form": "tucker"})


def test_choices_that_do_not_exist_are_refused(refuses):
    refuses('method.cut = "o|i"', *CUTS, method={"form": "cut", "cut": "o|i"})
    refuses('sensitivity.cuts', *CUTS, sensitivity={"cuts": ["hw|oi"]})
    refuses("method.form = \"pivoted\" is not made of kernels", method={"form": "pivoted"})
    refuses("method.form = \"pivoted\" is not made of kernels")
    refuses("multiple_of", method={"form": "tucker"}, ranks={"multiples_of": 4})
    refuses("model.architecture = \"resnet-19\" is not known", method={"form": "tucker"}, model={"architecture": "resnet-19"})


def test_classes_fewer_than_the_labels_are_refused(refuses):
    refuses("label 3 of image 3 in 'labels.npy'", "2 classes", method={"form": "dense"}, train={"epochs": 1},
            model={"path": "", "layers": "", "architecture": "cifar-resnet-8", "classes": 2})


@pytest.mark.parametrize("keyword", ["evaluate.text", "calibration.text", "calibration.windows", "heal.steps", "experiments.names",
                                     "sensitivity.bond_dimensions", "method.clusters", "ranks.bond_dimension",
                                     "calibration.gradient_groups", "method.rounds", "summary.sample_tokens", "heal.held_out_windows"])
def test_keywords_of_language_models_are_refused(refuses, keyword):
    section, key = keyword.split(".")
    value = {"text": "text.txt", "names": ["scrambled"], "bond_dimensions": [4]}.get(key, 4)
    refuses(f"{keyword} has no use here", "model.architecture names an image network",
            **{"method": {"form": "tucker"}} | {section: ({"form": "tucker"} if section == "method" else {}) | {key: value}})


@pytest.mark.parametrize("keyword, value", [("train.epochs", 1), ("sensitivity.cuts", ["oh|iw"]), ("ranks.tucker", [4, 4]),
                                            ("ranks.rank_fraction", 0.5), ("data.images", "images.npy"),
                                            ("data.test_images", "images.npy")])
def test_keywords_of_image_networks_are_refused(compress, compress_refuses, keyword, value):
    section, key = keyword.split(".")
    labels = {key.replace("images", "labels"): value} if section == "data" else {}
    compress_refuses(f"{keyword} has no use here", deck=compress.deck(**{section: {key: value} | labels}))
