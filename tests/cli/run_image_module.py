"""Writes what the Python file of an exported image network makes of uint8 images; prints the forms of its layers as JSON.

    run_image_module.py FOLDER IMAGES.npy LOGITS.npy
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

folder, images, logits = map(Path, sys.argv[1:])
sys.path.insert(0, str(folder))
from rankine_network import load  # noqa: E402

facts = json.loads((folder / "network.json").read_text())
pixels = torch.from_numpy(np.load(images).astype(np.float32) / 255)
mean, std = (torch.tensor(facts[name], dtype=torch.float32)[:, None, None] for name in ("mean", "std"))
with torch.no_grad():
    np.save(logits, load(folder)((pixels - mean) / std).numpy())
print(json.dumps(facts["forms"]))
