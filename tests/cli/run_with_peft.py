"""Prints, as JSON, what stock PEFT makes of adapters of one model: mean loss of each window, last logits of the first.

    run_with_peft.py MODEL TOKENS.npy WINDOW_LENGTH WINDOWS JOBS

JOBS is a JSON list of {"folder": ..., "make": null or {"kind": "OFT" or "LORA", configuration}}; what is made has random
numbers and is saved before it is loaded.
"""

import json
import sys

import numpy as np
import torch
from peft import LoraConfig, OFTConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

CONFIGS = {"OFT": OFTConfig, "LORA": LoraConfig}


def base():
    return AutoModelForCausalLM.from_pretrained(sys.argv[1]).eval()


def make(folder, kind, **configuration):
    model = get_peft_model(base(), CONFIGS[kind](task_type="CAUSAL_LM", **configuration))
    torch.manual_seed(5)
    for name, numbers in model.named_parameters():
        if "oft_" in name or "lora_" in name:
            torch.nn.init.normal_(numbers.data, std=0.1)
    model.create_or_update_model_card = lambda folder: None  # a text that needs another package
    model.save_pretrained(folder)


def scores(folder, ids):
    model = PeftModel.from_pretrained(base(), folder).eval()
    with torch.no_grad():
        logits = model(ids).logits.double()
    losses = [torch.nn.functional.cross_entropy(logits[w, :-1], ids[w, 1:]).item() for w in range(len(ids))]
    return {"losses": losses, "logits": logits[0, -1].tolist()}


length, windows = int(sys.argv[3]), int(sys.argv[4])
tokens = torch.tensor(np.load(sys.argv[2]).reshape(-1)[:length * windows].astype(np.int64)).reshape(windows, length)
found = []
for job in json.loads(sys.argv[5]):
    if job["make"]:
        make(job["folder"], **job["make"])
    found.append(scores(job["folder"], tokens))
print(json.dumps(found))
