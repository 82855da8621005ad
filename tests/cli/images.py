"""Image networks and images of the tests: small ones from a seed, and the trained ones where they are at hand."""

import json
from pathlib import Path

import numpy as np

from checkpoints import write_tensors
from conftest import Program

VISION = Path(__file__).parents[3] / "shared" / "data" / "vision"

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


def outputs_of(layer: dict, shape: tuple) -> tuple:
    """Channels, height and width behind a layer."""
    channels, *size = shape
    kind = layer["type"]

    def pair(key, default):
        value = layer.get(key, default)
        return (value, value) if isinstance(value, int) else tuple(value)

    if kind == "linear":
        return (layer["outputs"], 1, 1)
    if kind == "flatten":
        return (channels * size[0] * size[1], 1, 1)
    if kind == "global-pool":
        return (channels, 1, 1)
    if kind == "residual":
        for inner in layer["body"]:
            shape = outputs_of(inner, shape)
        return shape
    if "kernel" not in layer:
        return shape
    kernel = pair("kernel", 1)
    stride = pair("stride", 1 if kind == "convolution" else kernel)
    padding, dilation = pair("padding", 0), pair("dilation", 1)
    rows = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation):
        places, left = divmod(n + 2 * p - d * (k - 1) - 1, s)
        # A window that the ceiling adds begins on the image or in the padding before it.
        rows.append(places + 1 + (bool(layer.get("ceil_mode")) and left > 0 and (places + 1) * s < n + p))
    return (layer.get("outputs", channels), *rows)


def draw_network(layers: list, shape: tuple, random: np.random.Generator) -> dict:
    """Tensors with PyTorch's names for layers as a JSON file has them, for images of this shape."""
    tensors = {}
    for layer in layers:
        name, channels = layer.get("name"), shape[0]
        if layer["type"] in ("convolution", "linear"):
            kernel = () if layer["type"] == "linear" else np.broadcast_to(layer["kernel"], 2)
            inputs = channels * shape[1] * shape[2] if layer["type"] == "linear" else channels // layer.get("groups", 1)
            size = (layer["outputs"], inputs, *kernel)
            tensors[f"{name}.weight"] = random.normal(0, np.sqrt(2 / np.prod(size[1:])), size)
            if layer.get("bias", True):
                tensors[f"{name}.bias"] = random.normal(0, 0.3, layer["outputs"])
        elif layer["type"] == "batch-norm":
            for part, values in (("weight", random.normal(1, 0.2, channels)), ("bias", random.normal(0, 0.2, channels)),
                                 ("running_mean", random.normal(0, 0.2, channels)),
                                 ("running_var", random.uniform(0.5, 1.5, channels))):
                tensors[f"{name}.{part}"] = values
        elif layer["type"] == "prelu":
            tensors[f"{name}.weight"] = random.uniform(0.1, 0.4, layer.get("slopes", 1))
        for part in ("body", "shortcut"):
            tensors |= draw_network(layer.get(part, []), shape, random)
        shape = outputs_of(layer, shape)
    return {name: values.astype(np.float32) for name, values in tensors.items()}


def save(program: Program, **arrays) -> dict:
    """Arrays as .npy files; returns their names as keywords of [data]."""
    for name, array in arrays.items():
        np.save(program.folder / f"{name}.npy", array)
    return {name: f"{name}.npy" for name in arrays}


def plain_network(program: Program, layers: list, shape: tuple, seed: int = 1) -> dict:
    """A plain network with random weights, as the program's [model]; returns its tensors."""
    tensors = draw_network(layers, shape, np.random.default_rng(seed))
    write_tensors(program.folder / "network.safetensors", tensors)
    program.write("layers.json", json.dumps({"layers": layers}))
    program.given["model"] = {"path": "network.safetensors", "architecture": "plain", "layers": "layers.json"}
    return tensors


def random_images(program: Program, shape: tuple, classes: int, training: int = 48, test: int = 33, seed: int = 2) -> None:
    """Images of noise and labels of chance, as the program's [data]."""
    random = np.random.default_rng(seed)
    program.given["data"] = save(
        program, images=random.integers(0, 256, (training, *shape), dtype=np.uint8), labels=np.arange(training) % classes,
        test_images=random.integers(0, 256, (test, *shape), dtype=np.uint8), test_labels=np.arange(test) % classes)


def logits_of(program: Program, **sections) -> np.ndarray:
    """What rankine-evaluate makes of the program's test images, with its [model] unless another is given."""
    given = {name: program.given[name] for name in ("model", "data")}
    given["data"] = {name: value for name, value in given["data"].items() if name not in ("images", "labels")}
    evaluate = Program(program.folder, "rankine-evaluate", given | {"evaluate": {"write_logits": True}})
    return evaluate.results(**sections)["logits"]


def image_compression(folder: Path) -> Program:
    """rankine-compress that writes logits."""
    return Program(folder, "rankine-compress", {"evaluate": {"write_logits": True}})
