"""Writes a small model with random weights as stock transformers does it; prints its class, or null where there is no such.

    make_with_transformers.py FOLDER CONFIG_AS_JSON
"""

import json
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

folder, members = sys.argv[1], json.loads(sys.argv[2])
try:
    config = AutoConfig.for_model(**members)
except ValueError:
    print("null")
    sys.exit()
torch.manual_seed(3)
model = AutoModelForCausalLM.from_config(config)
with torch.no_grad():
    for name, values in model.named_parameters():
        centre = 0.0 if values.dim() == 2 or name.endswith("bias") or "gemma" in config.model_type else 1.0
        values.normal_(centre, 0.25)
model.save_pretrained(folder)
print(json.dumps(type(model).__name__))
