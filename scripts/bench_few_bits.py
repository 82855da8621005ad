#!/usr/bin/env python3
"""Rounds a language model to few bits by GPTQ or AWQ of the Python package llmcompressor, and scores it as rankine-evaluate does.

    python3 scripts/bench_few_bits.py MODEL CALIBRATION TEXT [--method gptq] [--bits 4] [--group 128] [--windows 20]

MODEL is a folder in Hugging Face's layout; CALIBRATION and TEXT are text files. Needs llmcompressor (pip, in a virtual environment).
All matrices of the layers are rounded, embedding and head stay. Prints bits a weight, every byte counted (codes, a scale of
16 bits and a zero point of the same bits as a code for each group), bytes, and the perplexity of windows of 1024 tokens.
"""

import argparse
import math
import time

import torch
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.awq import AWQModifier
from llmcompressor.modifiers.quantization import GPTQModifier, QuantizationModifier
from transformers import AutoModelForCausalLM, AutoTokenizer

WINDOW = 1024
METHODS = {"gptq": GPTQModifier, "awq": AWQModifier, "rounding": QuantizationModifier}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("calibration")
    parser.add_argument("text")
    parser.add_argument("--method", choices=METHODS, default="gptq")
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--group", type=int, default=128, help="columns that share a scale; 0 for whole rows")
    parser.add_argument("--calibration-windows", type=int, default=32)
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    if not torch.cuda.is_available():
        torch.Tensor.pin_memory = lambda tensor, *_: tensor  # AWQ pins memory without asking for a GPU
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    began = time.perf_counter()
    round_weights(model, windows(tokenizer, arguments.calibration)[: arguments.calibration_windows], arguments)
    seconds = time.perf_counter() - began
    bits, numbers = stored_bits(model, arguments)
    perplexity = score(model, windows(tokenizer, arguments.text)[: arguments.windows])
    print(f"{arguments.method}, {arguments.bits} bits, groups of {arguments.group or 'a row'}: {bits / numbers:.4f} bits a weight, "
          f"{bits / 8 / 2**20:.2f} MiB of {numbers} numbers, perplexity {perplexity:.4f}, rounded in {seconds:.0f} s")


def windows(tokenizer, path: str) -> list[torch.Tensor]:
    with open(path, encoding="utf-8") as file:
        ids = torch.tensor(tokenizer(file.read()).input_ids)
    return list(ids[: len(ids) // WINDOW * WINDOW].view(-1, WINDOW))


def round_weights(model, calibration: list[torch.Tensor], arguments) -> None:
    weights = QuantizationArgs(num_bits=arguments.bits, type="int", symmetric=False,
                               strategy="group" if arguments.group else "channel",
                               group_size=arguments.group or None)
    scheme = {"layers": QuantizationScheme(targets=["Linear"], weights=weights)}
    dataset = Dataset.from_list([{"input_ids": ids.tolist(), "attention_mask": [1] * WINDOW} for ids in calibration])
    oneshot(model=model, dataset=dataset, recipe=[METHODS[arguments.method](config_groups=scheme, ignore=["lm_head"])],
            max_seq_length=WINDOW, num_calibration_samples=len(calibration))


def matrices(model) -> list[torch.Tensor]:
    return [module.weight for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear) and name != "lm_head"]


def stored_bits(model, arguments) -> tuple[int, int]:
    """Bits of all rounded matrices, and how many numbers they hold."""
    bits = numbers = 0
    for matrix in matrices(model):
        rows, columns = matrix.shape
        groups = rows * math.ceil(columns / arguments.group) if arguments.group else rows
        bits += arguments.bits * rows * columns + (16 + arguments.bits) * groups
        numbers += rows * columns
    return bits, numbers


def score(model, texts: list[torch.Tensor]) -> float:
    total = scored = 0
    with torch.inference_mode():
        for ids in texts:
            logits = model(ids[None], use_cache=False).logits[0, :-1]
            total += torch.nn.functional.cross_entropy(logits.double(), ids[1:], reduction="sum").item()
            scored += len(ids) - 1
    return math.exp(total / scored)


if __name__ == "__main__":
    main()
