"""Prints, as JSON, what stock transformers makes of model folders: class, and mean loss of each window.

    score_with_transformers.py TOKENS.npy WINDOW_LENGTH FOLDER...
"""

import json
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM

tokens, length = sys.argv[1], int(sys.argv[2])
ids = torch.tensor(np.load(tokens).reshape(-1, length).astype(np.int64))
found = {}
for folder in sys.argv[3:]:
    # By the formula, not by what a kernel makes of a mask.
    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True, attn_implementation="eager").eval()
    with torch.no_grad():
        logits = model(ids).logits.double()
    losses = torch.nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none").mean(1)
    found[folder] = {"class": type(model).__name__, "losses": losses.tolist()}
print(json.dumps(found))
