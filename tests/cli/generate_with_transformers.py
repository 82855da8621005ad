"""Prints, as JSON, how stock transformers continues a text: names of the tokenizer's arrays, ids and text that follow.

    generate_with_transformers.py FOLDER TEXT TOKENS
"""

import json
import sys

from transformers import AutoModelForCausalLM, AutoTokenizer

folder, text, tokens = sys.argv[1], sys.argv[2], int(sys.argv[3])
tokenizer = AutoTokenizer.from_pretrained(folder)
inputs = tokenizer(text, return_tensors="pt")
model = AutoModelForCausalLM.from_pretrained(folder)
# synced_gpus is the default, said so that a part of torch is not looked for that Debian's Python cannot load.
sequence = model.generate(**inputs, max_new_tokens=tokens, do_sample=False, synced_gpus=False)[0].tolist()
ids = sequence[inputs["input_ids"].shape[1]:]
print(json.dumps({"inputs": sorted(inputs), "ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=True)}))
