#!/usr/bin/env python3
"""Times the Python package transformers on the windows that rankine-evaluate scores.

    python3 scripts/bench_transformers.py MODEL TOKENS.npy [--window 2048] [--windows 2] [--threads 1] [--prompt 128] [--tokens 0]

Needs torch, transformers and numpy (pip, in a virtual environment). Prints tokens per second and the perplexity, each window
timed by itself after one short window that warms up; with --tokens N also the seconds to the first token behind a prompt, and the
rate of N further ones. TOKENS.npy holds the ids of the text in one axis. MODEL may be a factorised export.
"""

import argparse
import math
import time

import numpy as np
import torch
from transformers import AutoModelForCausalLM


def generate(model, prompt: torch.Tensor, tokens: int) -> None:
    """Greedily, the second time for the clock."""
    with torch.inference_mode():
        for _ in range(2):
            start = time.perf_counter()
            found = model(prompt, use_cache=True)
            first = time.perf_counter() - start
            start = time.perf_counter()
            for _ in range(tokens):
                found = model(found.logits[:, -1:].argmax(-1), past_key_values=found.past_key_values, use_cache=True)
            rate = tokens / (time.perf_counter() - start)
    print(f"transformers: first token behind {prompt.shape[1]} after {first:.3f} s, then {rate:.2f} tokens/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("tokens")
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--windows", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=0)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, torch_dtype=torch.float32, trust_remote_code=True).eval()
    ids = torch.from_numpy(np.load(arguments.tokens).astype(np.int64))
    if arguments.tokens:
        generate(model, ids[None, :arguments.prompt], arguments.tokens)
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
