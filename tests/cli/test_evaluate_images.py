"""What rankine-evaluate makes of images: logits against references and NumPy, defects, and what it refuses."""

import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from checkpoints import write_tensors
from conftest import RESULT, Program, expect_refusal
from images import linear_classifier, save

EIGHTH = 1 / 8  # a standard deviation of pixels that NumPy divides by as the program does


@pytest.fixture
def scoring(tmp_path) -> Program:
    """rankine-evaluate that writes logits."""
    return Program(tmp_path, "rankine-evaluate", {"evaluate": {"write_logits": True}})


@pytest.fixture
def refuses(scoring):
    return expect_refusal(scoring)


def test_metrics_follow_from_the_logits(scoring):
    matrix = linear_classifier(scoring, classes=7)
    random = np.random.default_rng(2)
    images = random.integers(0, 256, (200, 4, 4), dtype=np.uint8)
    pixels = (images.reshape(200, 16).astype(np.float32) / 255 - 0.5) / EIGHTH
    logits = pixels.astype(float) @ matrix.T.astype(float)
    labels = np.where(random.random(200) < 0.6, logits.argmax(axis=1), random.integers(0, 7, 200)).astype(np.int16)
    data = save(scoring, test_images=images, test_labels=labels)
    results = scoring.results(ranks=3, data=data | {"layout": "nhw", "mean": 0.5, "std": EIGHTH})
    np.testing.assert_allclose(results["logits"], logits, atol=1e-4)
    predicted = logits.argmax(axis=1)
    confusion = np.zeros((7, 7), int)
    np.add.at(confusion, (labels, predicted), 1)
    assert (results["confusion"] == confusion).all()
    assert (results["predictions"] == predicted).all() and (results["labels"] == labels).all()
    recall = confusion.diagonal() / confusion.sum(axis=1)
    np.testing.assert_allclose(results["recall"], recall)
    assert results["macro_miss_rate"] == pytest.approx(1 - recall.mean())
    assert results["accuracy"] == pytest.approx((labels == predicted).mean())
    places = (logits > logits[np.arange(200), labels][:, None]).sum(axis=1)
    assert results["top5_accuracy"] == pytest.approx((places < 5).mean())
    log_sums = np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)) + logits.max(axis=1)
    assert results["loss"] == pytest.approx((log_sums - logits[np.arange(200), labels]).mean(), rel=1e-5)
    assert "missed_defect_rate" not in results and "auc" not in results
    with h5py.File(scoring.folder / RESULT) as file:
        for dataset in file["results"].values():
            assert {"long_name", "units", "dims"} <= set(dataset.attrs)
        assert file["results"].attrs["architecture"] == "plain"


def test_logits_are_left_out_unless_asked_for(scoring):
    linear_classifier(scoring, classes=2)
    data = save(scoring, test_images=np.zeros((5, 4, 4), np.uint8), test_labels=np.array([0, 1, 0, 1, 0]))
    assert "logits" not in scoring.results(data=data, evaluate={"write_logits": False})


def test_the_same_images_in_other_files(scoring):
    linear_classifier(scoring, classes=3, channels=3)
    images = np.random.default_rng(3).integers(0, 256, (11, 3, 4, 4), dtype=np.uint8)
    floats = images.astype(np.float32) / 255
    last = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    data = save(scoring, test_images=images, test_labels=np.arange(11) % 3, fortran=np.asfortranarray(images), last=last,
                floats=floats, fortran_floats=np.asfortranarray(floats), big_endian=floats.astype(">f4"),
                big_labels=(np.arange(11) % 3).astype(">i2"))
    extra = {"mean": [0.1, 0.2, 0.3], "std": 0.3}

    def logits(**changes):
        chosen = {key: value for key, value in (data | extra | changes).items()
                  if key in ("test_images", "test_labels", "mean", "std", "layout")}
        return scoring.results(data=chosen)["logits"]

    expected = logits()
    for changes in ({"test_images": "fortran.npy"}, {"test_images": "floats.npy"}, {"test_images": "fortran_floats.npy"},
                    {"test_images": "big_endian.npy"}, {"test_images": "last.npy", "layout": "nhwc"},
                    {"test_labels": "big_labels.npy"}):
        assert (logits(**changes) == expected).all(), changes


def test_images_without_an_axis_of_channels_have_one(scoring):
    linear_classifier(scoring, classes=2, size=64)
    images = np.random.default_rng(4).integers(0, 256, (6, 64, 64), dtype=np.uint8)
    labels = np.arange(6) % 2
    plain = scoring.results(data=save(scoring, test_images=images, test_labels=labels) | {"layout": "nhw"})
    single = scoring.results(data=save(scoring, test_images=images[:, None], test_labels=labels))
    assert (plain["logits"] == single["logits"]).all()


def inspected(program: Program):
    """Parts of class 2 are good; half of them are for validation. Returns the scores and which parts are defective."""
    matrix = linear_classifier(program, classes=3)
    random = np.random.default_rng(5)
    images = random.integers(0, 256, (400, 4, 4), dtype=np.uint8)
    logits = images.reshape(400, 16).astype(np.float32) / 255 @ matrix.T
    labels = (logits + random.normal(scale=0.7, size=logits.shape)).argmax(axis=1)
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = 1 - (probabilities / probabilities.sum(axis=1, keepdims=True))[:, 2]
    program.given["data"] = save(program, images=images, labels=labels, validation_split=np.arange(400) < 200) | {
        "good_class": 2}
    return scores, labels != 2


def test_defects_that_are_missed_and_good_parts_that_are_rejected(scoring):
    scores, defective = inspected(scoring)
    results = scoring.results(ranks=2, evaluate={"target_escape": 0.1})
    validation = np.sort(scores[:200][defective[:200]])
    threshold = validation[int(0.1 * len(validation))]
    assert results["threshold"] == pytest.approx(threshold, abs=1e-6)
    test, bad = scores[200:], defective[200:]
    assert (results["labels"] != 2).sum() == bad.sum()  # of the test images alone
    missed, alarms = (test[bad] < threshold - 1e-6).mean(), (test[~bad] >= threshold - 1e-6).mean()
    assert results["missed_defect_rate"] == pytest.approx(missed)
    assert results["false_alarm_rate"] == pytest.approx(alarms)
    pairs = test[bad][:, None] - test[~bad]
    assert results["auc"] == pytest.approx((pairs > 0).mean(), abs=1e-12)
    for name in ("missed_defect_rate", "false_alarm_rate", "auc"):
        low, high = results[f"{name}_interval"]
        assert 0 <= low <= results[name] <= high <= 1 and high - low < 0.5
    assert "macro_miss_rate" not in results


def test_without_validation_images_the_threshold_is_even(scoring):
    scores, defective = inspected(scoring)
    scoring.given["data"].pop("validation_split")
    results = scoring.results()
    assert results["threshold"] == 0.5
    assert results["missed_defect_rate"] == pytest.approx((scores[defective] < 0.5).mean())


def test_the_synthetic_set_has_splits_without_common_images(scoring):
    script = Path(__file__).parents[2] / "scripts" / "make_texture_set"
    for name in ("once", "again"):
        subprocess.run([script, scoring.folder / name, "--images", "60", "--size", "16"], check=True, capture_output=True)
    arrays = {part: np.load(scoring.folder / "once" / f"texture_{part}.npy")
              for part in ("images", "labels", "is_test", "is_validation")}
    for part, array in arrays.items():
        assert (array == np.load(scoring.folder / "again" / f"texture_{part}.npy")).all()
    assert np.bincount(arrays["labels"]).tolist() == [30, 8, 8, 7, 7]
    assert not (arrays["is_test"] & arrays["is_validation"]).any()
    linear_classifier(scoring, classes=5, size=16)
    results = scoring.results(ranks=2, data={
        "images": "once/texture_images.npy", "labels": "once/texture_labels.npy", "layout": "nhw", "good_class": 0,
        "test_split": "once/texture_is_test.npy", "validation_split": "once/texture_is_validation.npy"})
    assert results["confusion"].sum() == arrays["is_test"].sum()
    assert 0 <= results["missed_defect_rate"] <= 1 and results["threshold"] < 1


def test_a_check_forecasts_memory(scoring):
    linear_classifier(scoring, classes=2)
    data = save(scoring, test_images=np.zeros((5, 4, 4), np.uint8), test_labels=np.array([0, 1, 0, 1, 0]))
    outcome = scoring.run("--check", data=data)
    assert outcome.code == 0
    assert "32 parameters, 5 test images, 2 classes" in outcome.out
    assert "memory of a rank at most" in outcome.out


@pytest.fixture
def tiny(scoring):
    """Five images of two classes; returns [data], whose files tests may write anew."""
    linear_classifier(scoring, classes=2)
    return save(scoring, test_images=np.zeros((5, 4, 4), np.uint8), test_labels=np.array([0, 1, 0, 1, 0]))


@pytest.mark.parametrize("ranks", [None, 3])
def test_labels_beyond_the_classes_are_refused(scoring, tiny, refuses, ranks):
    for label in (2, 256, -1):  # 256 would be 0 as a byte
        save(scoring, test_labels=np.array([0, 1, 0, label, 0]))
        refuses(f"label {label} of image 3 in 'test_labels.npy'", data=tiny, ranks=ranks)


def test_arrays_that_are_no_images_or_labels_are_refused(scoring, tiny, refuses):
    save(scoring, test_labels=np.array([0, 1, 0, 1, 0], np.float32))
    refuses("it holds floating-point numbers", data=tiny)
    save(scoring, test_labels=np.array([0, 1, 0, 1]))
    refuses("the labels in 'test_labels.npy' (the array is 4, for 5 images)", data=tiny)
    save(scoring, test_labels=np.array([0, 1, 0, 1, 0]), test_images=np.full((5, 4, 4), 200, np.float32))
    refuses("a pixel of image 0 is 200", "by 255", data=tiny)
    save(scoring, test_images=np.full((5, 4, 4), np.nan))
    refuses("a pixel of image 0 is nan", data=tiny)
    save(scoring, test_images=np.zeros((5, 4, 4), np.int32))
    refuses("its integers are not uint8", data=tiny)
    save(scoring, test_images=np.zeros((0, 4, 4), np.uint8), test_labels=np.zeros(0, int))
    refuses("the array is 0 x 4 x 4", data=tiny)


def test_splits_without_images_are_refused(scoring, tiny, refuses):
    data = {"images": tiny["test_images"], "labels": tiny["test_labels"]}
    refuses("there is no test image", data=data | {"test_fraction": 0.05})
    refuses("there is no validation image", data=data | {"validation_fraction": 0.05})
    split = save(scoring, validation_split=np.array([0, 2, 4]))
    outcome = scoring.run(data=data | split | {"good_class": 0}, ranks=2)
    assert outcome.code == 2 and outcome.err.count("no validation image shows a defect") == 1


def test_images_that_the_network_does_not_take_are_refused(scoring, tiny, refuses):
    write_tensors(scoring.folder / "color.safetensors", {"fc.weight": np.zeros((2, 48), np.float32)})
    refuses("fc.weight", "2 x 48", model={"path": "color.safetensors"}, data=tiny)


def test_numbers_that_are_not_finite_are_refused(scoring, tiny, refuses):
    matrix = np.zeros((2, 16), np.float32)
    matrix[1, 3] = np.nan
    write_tensors(scoring.folder / "linear.safetensors", {"fc.weight": matrix})
    outcome = scoring.run(data=tiny)
    assert outcome.code == 4 and "fc.weight" in outcome.err
    matrix[1, 3] = 3e38
    write_tensors(scoring.folder / "linear.safetensors", {"fc.weight": matrix})
    save(scoring, test_images=np.full((5, 4, 4), 255, np.uint8))
    outcome = scoring.run(data=tiny | {"std": 0.01}, ranks=2)
    assert outcome.code == 4 and "a logit of image 0 is not finite" in outcome.err
    assert scoring.result_files() == []


def test_decks_that_ask_for_nothing_are_refused(tiny, refuses):
    refuses("neither data.test_images nor data.images is set")
    refuses("model.path is not set", model={"path": ""}, data=tiny)
    refuses("evaluate.text has no use here", data=tiny, evaluate={"text": "text.txt"})
    refuses("data.test_images has no use here", data=tiny, model={"architecture": ""}, evaluate={"text": "text.txt"})
    refuses("data.good_class = 7 is no class", data=tiny | {"good_class": 7})


def test_memory_that_does_not_suffice_is_refused(tiny, refuses):
    refuses("evaluate.batch_size", code=3, data=tiny, parallel={"memory_per_rank": 0.001})
