"""Prints, as JSON, what stock transformers makes of a model folder: class, mean loss of each window, first logits.

    run_with_transformers.py FOLDER TOKENS.npy WINDOW_LENGTH WINDOWS
"""

import json
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM

folder, tokens, length, windows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
ids = torch.tensor(np.load(tokens).reshape(-1)[:length * windows].astype(np.int64)).reshape(windows, length)
model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
model.eval()
with torch.no_grad():
    logits = model(ids).logits.double()
losses = [torch.nn.functional.cross_entropy(logits[w, :-1], ids[w, 1:]).item() for w in range(windows)]
print(json.dumps({"class": type(model).__name__, "losses": losses, "logits": logits[0, -1].tolist()}))
