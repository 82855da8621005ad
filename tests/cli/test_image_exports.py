"""Image networks that rankine-compress writes: read back by rankine-evaluate, and loaded in PyTorch by the file beside them."""

import json

import numpy as np
import pytest

from checkpoints import results_of, tensors, write_tensors
from conftest import Program
from images import image_compression, logits_of, plain_network, random_images

FORMS = ("tucker", "mpo", "cut", "low-rank")

# Every kind of layer, and every property of one that an export might lose.
ODD = [
    {"type": "convolution", "name": "conv1", "outputs": 8, "kernel": 5, "padding": 4, "dilation": 2},
    {"type": "batch-norm", "name": "norm1", "epsilon": 1e-3}, {"type": "prelu", "name": "slope1", "slopes": 8},
    {"type": "convolution", "name": "grouped", "outputs": 12, "kernel": 3, "padding": 1, "groups": 4},
    {"type": "max-pool", "kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"type": "residual",
     "body": [{"type": "convolution", "name": "block.conv", "outputs": 16, "kernel": 3, "padding": 1, "stride": [2, 1], "bias": False},
              {"type": "batch-norm", "name": "block.norm"}],
     "shortcut": [{"type": "subsample", "outputs": 16, "stride": [2, 1]}]},
    {"type": "relu"},
    {"type": "residual", "body": [{"type": "convolution", "name": "block2.conv", "outputs": 16, "kernel": [1, 3], "padding": [0, 1]},
                                  {"type": "prelu", "name": "block2.slope"}],
     "shortcut": [{"type": "convolution", "name": "block2.down", "outputs": 16, "kernel": 1, "bias": False},
                  {"type": "batch-norm", "name": "block2.down_norm"}]},
    {"type": "average-pool", "kernel": 2, "stride": 2, "padding": 1, "ceil_mode": True},
    {"type": "flatten", "order": "hwc"},
    {"type": "linear", "name": "hidden", "outputs": 10}, {"type": "relu"},
    {"type": "linear", "name": "fc", "outputs": 5, "bias": False}]
SHAPE = (3, 15, 12)
PIXELS = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25]}


@pytest.fixture
def odd(tmp_path) -> Program:
    program = image_compression(tmp_path)
    own = plain_network(program, ODD, SHAPE)
    own["norm1.running_var"][:] = 1e-8
    own["norm1.weight"] /= 10
    write_tensors(program.folder / "network.safetensors", own)
    random_images(program, SHAPE, classes=5)
    program.given["data"] |= PIXELS
    return program


@pytest.fixture
def pytorch(peers):
    """Logits of the Python file beside an export, and the forms it has."""

    def run(program: Program, folder: str) -> tuple[np.ndarray, dict]:
        logits = program.folder / "pytorch.npy"
        forms = peers("run_image_module.py", program.folder / folder, program.folder / "test_images.npy", logits)
        return np.load(logits), forms

    return run


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("form", FORMS)
def test_an_export_has_the_logits_of_the_compressed_network(odd, pytorch, form):
    for format in ("dense", "factorised"):
        results = results_of(odd, method={"form": form, "weighting": "full"}, ranks={"parameter_ratio": 0.5},
                             export={"directory": format, "format": format})
        read = logits_of(odd, model={"path": format, "layers": ""})
        assert_close(read, results["logits"], 1e-5)
        loaded, forms = pytorch(odd, format)
        assert_close(loaded, results["logits"], 1e-4)
        expected = {"dense"} if format == "dense" or form == "cut" else {"dense", form}
        assert expected <= set(forms.values()) and forms["grouped"] == "dense"


def test_what_is_left_dense_is_exported_as_it_was(odd, pytorch):
    dense = logits_of(odd)
    results_of(odd, method={"form": "dense"}, export={"directory": "copy"})
    copied = tensors(odd.folder / "copy")
    assert copied["norm1.running_var"] == pytest.approx(1e-8, rel=1e-6)
    assert json.loads((odd.folder / "copy" / "network.json").read_text())["layers"][1]["epsilon"] == 1e-3
    assert (logits_of(odd, model={"path": "copy", "layers": ""}) == dense).all()
    assert_close(pytorch(odd, "copy")[0], dense, 1e-4)


def test_residual_networks_are_exported_with_their_names(tmp_path, pytorch):
    program = image_compression(tmp_path)
    random_images(program, (3, 16, 16), classes=3, training=12, test=9)
    program.given |= {"model": {"architecture": "cifar-resnet-8"}, "train": {"epochs": 1, "batch_size": 6},
                      "method": {"form": "tucker", "weighting": "none"}, "ranks": {"parameter_ratio": 0.4},
                      "select": {"weights": ["layer*"]}}
    for format in ("dense", "factorised"):
        results = results_of(program, export={"directory": format, "format": format})
        for architecture in ("cifar-resnet-8", "plain"):
            model = {"path": format, "architecture": architecture}
            assert_close(logits_of(program, model=model), results["logits"], 1e-5)
    loaded, forms = pytorch(program, "factorised")
    assert_close(loaded, results["logits"], 1e-4)
    assert "tucker" in forms.values()
