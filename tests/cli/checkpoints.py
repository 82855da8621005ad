"""Model folders of the tests: safetensors read and written byte by byte, and small models in Hugging Face's layout."""

import json
import struct
from pathlib import Path

import numpy as np

from conftest import STORIES, Program

TYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I32": np.int32, "U8": np.uint8, "I16": np.int16, "BF16": np.uint16}


def results_of(program: Program, count: int | None = None, **sections) -> dict:
    """A run on `count` ranks that must succeed: the arrays of /results by name."""
    outcome = program.start(program.deck(**sections), ranks=count)
    assert outcome.code == 0, outcome.err
    return program.read()


def perplexity_of(scorer: Program, model: str, count: int | None = None) -> float:
    """What the fixture `scorer` says of a model folder, on `count` ranks."""
    outcome = scorer.run(ranks=count, model={"path": model})
    assert outcome.code == 0, outcome.err
    return scorer.read("score.h5")["perplexity"]


def stored_tensors(folder: Path) -> dict:
    """The arrays of model.safetensors by name, with their types; BF16 as the 16 bits it has."""
    data = (folder / "model.safetensors").read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def tensors(folder: Path) -> dict:
    """The same as float64."""
    return {name: array.astype(float) for name, array in stored_tensors(folder).items()}


def write_tensors(file: Path, arrays: dict) -> Path:
    """A safetensors file of float arrays."""
    header, values = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": {8: "F64", 4: "F32"}[array.itemsize], "shape": array.shape,
                        "data_offsets": [len(values), len(values) + len(data)]}
        values += data
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + values)
    return file


def write_model(folder: Path, config: dict, arrays: dict) -> Path:
    """config.json and model.safetensors of float arrays."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    write_tensors(folder / "model.safetensors", arrays)
    return folder


def write_hugging_face_stories(folder: Path, dtype=np.float32) -> Path:
    """The story model as Hugging Face's software has it: its names, and rotary pairs half a head apart."""
    parts = {"tok_embeddings": "model.embed_tokens", "layers.": "model.layers.", "attention.wq": "self_attn.q_proj",
             "attention.wk": "self_attn.k_proj", "attention.wv": "self_attn.v_proj", "attention.wo": "self_attn.o_proj",
             "attention_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
             "feed_forward.w1": "mlp.gate_proj", "feed_forward.w3": "mlp.up_proj", "feed_forward.w2": "mlp.down_proj"}
    config = json.loads((STORIES / "config.json").read_text())
    assert config.pop("rope_pairs") == "adjacent"
    half_head = config["hidden_size"] // config["num_attention_heads"] // 2
    arrays = {}
    for name, array in stored_tensors(STORIES).items():
        for old, new in parts.items():
            name = name.replace(old, new)
        if "q_proj" in name or "k_proj" in name:
            array = array.reshape(-1, half_head, 2, array.shape[1]).transpose(0, 2, 1, 3).reshape(array.shape)
        arrays["model.norm.weight" if name == "norm.weight" else name] = array.astype(dtype)
    return write_model(folder, config, arrays)


def write_gpt2(folder: Path, width: int = 24, layers: int = 2, vocabulary: int = 50, context: int = 64) -> Path:
    """A GPT-2 with random weights."""
    random = np.random.default_rng(7)
    arrays = {"transformer.wte.weight": random.normal(0, 0.7, (vocabulary, width)),
              "transformer.wpe.weight": random.normal(0, 0.3, (context, width))}

    def linear(name, inputs, outputs):
        arrays[name + ".weight"] = random.normal(0, 0.3, (inputs, outputs))
        arrays[name + ".bias"] = random.normal(0, 0.3, outputs)

    def norm(name):
        arrays[name + ".weight"] = random.normal(1, 0.3, width)
        arrays[name + ".bias"] = random.normal(0, 0.3, width)

    norm("transformer.ln_f")
    for layer in range(layers):
        name = f"transformer.h.{layer}."
        norm(name + "ln_1")
        linear(name + "attn.c_attn", width, 3 * width)
        linear(name + "attn.c_proj", width, width)
        norm(name + "ln_2")
        linear(name + "mlp.c_fc", width, 4 * width)
        linear(name + "mlp.c_proj", 4 * width, width)
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": vocabulary, "n_embd": width,
              "n_layer": layers, "n_head": 4, "n_positions": context, "activation_function": "gelu_new",
              "layer_norm_epsilon": 1e-5, "bos_token_id": 0, "eos_token_id": 0}
    return write_model(folder, config, {name: array.astype(np.float32) for name, array in arrays.items()})
