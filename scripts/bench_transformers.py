#!/usr/bin/env python3
"""Times the Python package transformers on the windows that rankine-evaluate scores.

    python3 scripts/bench_transformers.py MODEL TOKENS.npy [--window 2048] [--windows 2] [--threads 1]

Needs torch, transformers and numpy (pip, in a virtual environment). Prints tokens per second and the perplexity, each window
timed by itself after one short window that warms up. TOKENS.npy holds the ids of the text in one axis.
"""

import argparse
import math
import time

import numpy as np
import torch
from transformers import AutoModelForCausalLM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("tokens")
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--windows", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, torch_dtype=torch.float32).eval()
    ids = torch.from_numpy(np.load(arguments.tokens).astype(np.int64))
    total, scored, speeds = 0.0, 0, []
    with torch.inference_mode():
        model(ids[None, :64])
        for first in range(0, arguments.windows * arguments.window, arguments.window):
            window = ids[None, first:first + arguments.window]
            start = time.perf_counter()
            logits = model(window, use_cache=False).logits[0, :-1]
            loss = torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="sum").item()
            speeds.append(window.shape[1] / (time.perf_counter() - start))
            total, scored = total + loss, scored + window.shape[1] - 1
    print(f"transformers, torch {torch.__version__}, {arguments.threads} threads: "
          f"{' '.join(f'{speed:.1f}' for speed in speeds)} tokens/s, perplexity {math.exp(total / scored):.6f}")


if __name__ == "__main__":
    main()
