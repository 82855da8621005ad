"""Trained networks and their images, which are not in the tree: logits, accuracies and losses that others have measured. Run
where the folder ../shared/data/vision is."""

import json

import h5py
import numpy as np
import pytest

from checkpoints import results_of
from conftest import RESULT, Program, expect_refusal
from images import CIFAR_TEST, CONVNETJS_LAYERS, RESNET_PIXELS, VISION, cifar_resnet, image_compression, save


@pytest.fixture
def scoring(tmp_path) -> Program:
    """rankine-evaluate that writes logits."""
    return Program(tmp_path, "rankine-evaluate", {"evaluate": {"write_logits": True}})


@pytest.fixture
def resnet(tmp_path) -> Program:
    """rankine-compress on the trained ResNet-20."""
    images = image_compression(tmp_path)
    images.given |= cifar_resnet(20) | {"select": {"weights": ["layer*.conv*"]}}
    images.given["data"] = images.given["data"] | {
        "images": str(VISION / "cifar10_train4000_images.npy"), "labels": str(VISION / "cifar10_train4000_labels.npy")}
    return images


@pytest.mark.parametrize("depth, accuracy", [(20, 0.915), (56, 0.926)])
def test_residual_networks_reproduce_their_references(scoring, depth, accuracy):
    results = scoring.results(ranks=2, **cifar_resnet(depth))
    assert results["accuracy"] == pytest.approx(accuracy, abs=1e-12)
    low, high = results["accuracy_interval"]
    assert low < accuracy < high < low + 0.04
    reference = VISION / f"ref_logits_resnet{depth}_test1000.npy"
    if reference.exists():
        assert np.abs(results["logits"] - np.load(reference)).max() < 1e-4


def test_a_plain_network_reproduces_its_reference(scoring):
    scoring.write("layers.json", json.dumps({"layers": CONVNETJS_LAYERS}))
    results = scoring.results(
        model={"architecture": "plain", "layers": "layers.json",
               "path": str(VISION / "vanilla_cnn_convnetjs_cifar10.safetensors")},
        data=CIFAR_TEST | {"mean": 0.5})
    assert results["accuracy"] == pytest.approx(0.756, abs=1e-12)
    assert np.abs(results["logits"] - np.load(VISION / "ref_logits_vanilla_test1000.npy")).max() < 1e-4


def test_logits_do_not_depend_on_the_ranks(scoring):
    images = np.load(CIFAR_TEST["test_images"])[:150]
    labels = np.load(CIFAR_TEST["test_labels"])[:150]
    data = save(scoring, test_images=images, test_labels=labels) | {"layout": "nhwc"} | RESNET_PIXELS
    deck = cifar_resnet(20) | {"data": data, "evaluate": {"batch_size": 32}}
    one = scoring.results(ranks=1, **deck)
    for ranks in (2, 3, 4):
        assert (scoring.results(ranks=ranks, **deck)["logits"] == one["logits"]).all()


def test_what_does_not_fit_a_trained_network_is_refused(scoring):
    refuses = expect_refusal(scoring)
    deck = cifar_resnet(20)
    gray = save(scoring, test_images=np.zeros((4, 32, 32), np.uint8), test_labels=np.arange(4))
    refuses("1 channel", "takes 3", **deck | {"data": gray})
    refuses("is not of this architecture", **deck | {"model": deck["model"] | {"architecture": "cifar-resnet-32"}})
    refuses("data.layout", **deck | {"data": deck["data"] | {"layout": "nchw"}})


def test_a_checkpoint_of_another_depth_is_refused(resnet):
    expect_refusal(resnet)("is not of this architecture", "layer1.3.bn1.bias is missing", method={"form": "tucker"},
                           model={"architecture": "cifar-resnet-56"})


@pytest.mark.parametrize("cut, fraction, accuracy, norm_loss", [("i|ohw", 0.75, 0.840, 0.031), ("i|ohw", 0.5, 0.433, 0.103),
                                                                ("oh|iw", 0.34, 0.832, 0.054)])
def test_cuts_of_a_trained_network_lose_what_was_measured(resnet, cut, fraction, accuracy, norm_loss):
    results = results_of(resnet, 2, method={"form": "cut", "cut": cut, "weighting": "none"}, calibration={"images": 64},
                         ranks={"allocation": "uniform", "rank_fraction": fraction})
    assert results["accuracy_before"] == pytest.approx(0.915, abs=1e-12)
    assert results["accuracy_compressed"] == pytest.approx(accuracy, abs=0.015)
    with h5py.File(resnet.folder / RESULT) as file:
        losses = [group["norm_loss"][()] for group in file["results/weights"].values()]
    assert len(losses) == 18 and np.mean(losses) == pytest.approx(norm_loss, abs=0.003)


@pytest.mark.parametrize("ranks, accuracy", [({"allocation": "uniform"}, 0.82),
                                             ({"allocation": "additive", "error_weights": "output-gradient"}, 0.86)])
def test_half_of_a_trained_network_keeps_its_accuracy(resnet, ranks, accuracy):
    results = results_of(resnet, 2, method={"form": "tucker", "weighting": "full", "sweeps": 8},
                         ranks=ranks | {"parameter_ratio": 0.51})
    assert results["accuracy_after"] >= accuracy
    assert results["kernel_parameters_after"] <= 0.51 * results["kernel_parameters_before"]
