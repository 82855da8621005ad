"""What the tests of rankine-distill distil: a small residual network with random weights, and the small story model."""

from pathlib import Path

from conftest import Program, compress_stories
from images import plain_network, random_images


def convolution(name: str, outputs: int, **others) -> dict:
    return {"type": "convolution", "name": name, "outputs": outputs, "kernel": 3, "padding": 1, "bias": False} | others


def block(name: str, channels: int) -> dict:
    return {"type": "residual", "body": [convolution(f"{name}.conv1", channels), {"type": "relu"}, convolution(f"{name}.conv2", channels)]}


LAYERS = [convolution("conv1", 6), {"type": "batch-norm", "name": "bn1"}, {"type": "relu"},
          block("layer1.0", 6), {"type": "relu"}, block("layer1.1", 6), {"type": "relu"},
          convolution("conv2", 8, stride=2), {"type": "relu"}, {"type": "global-pool"},
          {"type": "linear", "name": "fc", "outputs": 3}]
KERNELS = {"weights": ["conv*", "layer*"]}
TUCKER = {"form": "tucker", "weighting": "full"}


def distill_images(folder: Path) -> Program:
    """rankine-distill, on the residual network and images of noise."""
    program = Program(folder, "rankine-distill", {"select": KERNELS, "method": TUCKER})
    plain_network(program, LAYERS, (3, 8, 8))
    random_images(program, (3, 8, 8), classes=3)
    return program


def distill_stories(folder: Path) -> Program:
    """rankine-distill, on the story model."""
    return Program(folder, "rankine-distill", compress_stories(folder).given)
