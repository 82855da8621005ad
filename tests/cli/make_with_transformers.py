"""Writes small models with random weights as stock transformers does it; prints the class of each, or null where there is no such.

    make_with_transformers.py FOLDER CONFIGS    CONFIGS: JSON, name of a folder in FOLDER -> members of config.json
"""

import json
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

folder, configs = sys.argv[1], json.loads(sys.argv[2])
classes = {}
for number, (model_name, members) in enumerate(configs.items()):
    try:
        config = AutoConfig.for_model(**members)
    except ValueError:
        classes[model_name] = None
        continue
    torch.manual_seed(number)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for name, values in model.named_parameters():
            is_norm = values.dim() == 1 and not name.endswith("bias")
            values.normal_(1.0 if is_norm and "gemma" not in config.model_type else 0.0, 0.25)
    model.save_pretrained(f"{folder}/{model_name}")
    classes[model_name] = type(model).__name__
print(json.dumps(classes))
