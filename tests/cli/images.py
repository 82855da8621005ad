"""Image networks and images of the tests: small ones from a seed, and the trained ones where they are at hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from checkpoints import write_tensors
from conftest import Program

VISION = Path(__file__).parents[3] / "shared" / "data" / "vision"
needs_vision = pytest.mark.skipif(not VISION.is_dir(), reason="trained image networks are not at hand")

CONVNETJS_LAYERS = [
    layer
    for number, outputs in enumerate((16, 20, 20), start=1)
    for layer in ({"type": "convolution", "name": f"conv{number}", "outputs": outputs, "kernel": 5, "padding": 2,
                   "bias": True},
                  {"type": "relu"}, {"type": "max-pool", "kernel": 2, "stride": 2})
] + [{"type": "flatten"}, {"type": "linear", "name": "fc", "outputs": 10, "bias": True}]

CIFAR_TEST = {"test_images": str(VISION / "cifar10_test1000_images.npy"),
              "test_labels": str(VISION / "cifar10_test1000_labels.npy"), "layout": "nhwc"}
RESNET_PIXELS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def cifar_resnet(depth: int) -> dict:
    """The sections of a deck on the trained network of this depth."""
    return {"model": {"architecture": f"cifar-resnet-{depth}", "path": str(VISION / f"resnet{depth}_cifar10.safetensors")},
            "data": CIFAR_TEST | RESNET_PIXELS}


def linear_classifier(program: Program, classes: int, channels: int = 1, size: int = 4, seed: int = 1):
    """A plain network that is one linear layer of pixels in 0..1, as the program's [model]; returns its matrix."""
    matrix = np.random.default_rng(seed).normal(size=(classes, channels * size * size)).astype(np.float32)
    write_tensors(program.folder / "linear.safetensors", {"fc.weight": matrix})
    layers = [{"type": "flatten"}, {"type": "linear", "name": "fc", "outputs": classes, "bias": False}]
    program.write("layers.json", json.dumps({"layers": layers}))
    program.given["model"] = {"path": "linear.safetensors", "architecture": "plain", "layers": "layers.json"}
    return matrix
