#!/usr/bin/env python3
"""Times the evaluation of a ResNet-20 for 32 x 32 images in Python's torch, beside `rankine-bench images`.

    python3 scripts/bench_images.py [--batch 64] [--images 256] [--threads 1] [--repeats 9]

Needs torch (pip, in a virtual environment). Prints images per second, the shortest of all repeats.
"""

import argparse
import time

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """Two convolutions and the shortcut of option A: every second pixel, channels of zeros on both sides."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.stride, self.padding = (1, 0) if inputs == outputs else (2, (outputs - inputs) // 2)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, self.stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        around = x
        if self.stride == 2:
            around = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.padding, self.padding))
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + around)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [16] * 4 + [32] * 3 + [64] * 3
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.blocks = nn.Sequential(*(Block(*pair) for pair in zip(channels, channels[1:])))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(functional.relu(self.bn1(self.conv1(x))))
        return self.linear(x.mean((2, 3)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    network = Network().eval()
    images = torch.rand(arguments.images, 3, 32, 32)
    seconds = []
    with torch.inference_mode():
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            for batch in images.split(arguments.batch):
                network(batch)
            seconds.append(time.perf_counter() - start)
    print(f"torch {torch.__version__}, {arguments.threads} threads: ResNet-20 evaluates "
          f"{arguments.images / min(seconds):.1f} images/s in batches of {arguments.batch}")


if __name__ == "__main__":
    main()
