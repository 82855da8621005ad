"""Trains the small tokenizers of this folder and writes what the Python package `tokenizers` makes of unusual texts.

    make_fixtures.py        needs tokenizers 0.22.2; writes *.json beside itself
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from unusual_text import COMBINING, CONTROL, DIGITS, JOINED, RECENT, SPACES, UNASSIGNED, unusual_text

HERE = Path(__file__).resolve().parent
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# Bytes whose symbols the small tokenizers "digits" and "unknown" lack.
ABSENT = [0x04, 0x06, 0x13, 0x14, 0x16, 0x1D, *range(0xC0, 0xC2), *range(0xF1, 0xF3), *range(0xF5, 0x100), 0xB7, 0x9F, 0x7A, 0x31]


def special(content: str, **options) -> AddedToken:
    return AddedToken(content, special=True, **{"normalized": False, **options})


def trained(pre_tokenizer, vocabulary_size: int, special_tokens: list[AddedToken]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=special_tokens,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train([str(HERE / "corpus.txt")], trainer)
    return tokenizer


def changed(tokenizer: Tokenizer, change) -> Tokenizer:
    """With the JSON text changed by a function on its document."""
    document = json.loads(tokenizer.to_str())
    change(document)
    return Tokenizer.from_str(json.dumps(document))


def byte_symbols() -> dict[int, str]:
    """GPT-2's characters for bytes."""
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in own]
    return {**{byte: chr(byte) for byte in own}, **{byte: chr(0x100 + place) for place, byte in enumerate(others)}}


def without_bytes(document: dict) -> None:
    """Takes the absent bytes, and all tokens made of them, out of the model; numbers the ids anew."""
    absent = {byte_symbols()[byte] for byte in ABSENT}
    model = document["model"]
    names = {token["content"] for token in document["added_tokens"]}
    kept = [token for token in sorted(model["vocab"], key=model["vocab"].get) if token in names or not absent & set(token)]
    model["vocab"] = {token: number for number, token in enumerate(kept)}
    model["merges"] = [pair for pair in model["merges"] if not absent & set("".join(pair))]


def gpt2() -> Tokenizer:
    tokenizer = trained(pre_tokenizers.ByteLevel(add_prefix_space=False), 600, [special("<|endoftext|>")])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama3() -> Tokenizer:
    split = pre_tokenizers.Split(Regex(LLAMA3), "isolated")
    tokenizer = trained(pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)]), 650, [])
    tokenizer.add_special_tokens([special("<|begin|>"), special("<|end|>"), special("<|end|>of"), special("<pad>", lstrip=True), special("<mask>", rstrip=True)])
    tokenizer.add_tokens([AddedToken("rank one", normalized=True, lstrip=True, rstrip=True), AddedToken("<|e", normalized=True)])
    begin = tokenizer.token_to_id("<|begin|>")
    template = processors.TemplateProcessing(single="<|begin|> $A", pair="<|begin|> $A <|begin|>:1 $B:1", special_tokens=[("<|begin|>", begin)])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])

    def take_whole_words_first(document: dict) -> None:
        document["model"]["ignore_merges"] = True
        # A token that the merges never make.
        del document["model"]["merges"][-60:]

    return changed(tokenizer, take_whole_words_first)


def digits() -> Tokenizer:
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    return changed(trained(pre_tokenizers.Sequence(steps), 600, [special("<|endoftext|>"), special("<|im_start|>")]), without_bytes)


def unknown() -> Tokenizer:
    steps = [
        pre_tokenizers.Split("--", "removed"),
        pre_tokenizers.Split(Regex(r"[^\p{P}\p{M}]+|\p{P}|\p{M}+"), "removed", invert=True),
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.ByteLevel(add_prefix_space=True),
    ]
    tokenizer = trained(pre_tokenizers.Sequence(steps), 500, [special("<unk>"), special("</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))])

    def with_unknown(document: dict) -> None:
        without_bytes(document)
        document["model"]["unk_token"] = "<unk>"
        document["model"]["fuse_unk"] = True

    return changed(tokenizer, with_unknown)


def texts() -> list[str]:
    generator = random.Random(20)
    added = "a<|endoftext|>b <|end|>of <|end|> x \u3000<pad>\t<mask> \u00a0\u180ey the rank one  way <|e <|begin|><pad><pad> <mask> <pad>"
    plain = ["", " ", "The rank", "  two  spaces \n\n here ", "it's IT'S we'LL 'S x'd", "2024 12.5", "zzz111", "a\tb\r\n c\r\n\r\n", "-- a -- b--", "\x9f\u0131" * 3]
    return [*plain, added, *RECENT, SPACES, DIGITS, COMBINING, JOINED, CONTROL, UNASSIGNED, *(unusual_text(generator, 14) for _ in range(60))]


def main() -> None:
    inputs = texts()
    expected = {}
    for make in (gpt2, llama3, digits, unknown):
        tokenizer = make()
        tokenizer.save(str(HERE / f"{make.__name__}.json"), pretty=False)
        ids = [tokenizer.encode(text).ids for text in inputs]
        expected[make.__name__] = {
            "ids": ids,
            "ids_without_special": [tokenizer.encode(text, add_special_tokens=False).ids for text in inputs],
            "decoded": [tokenizer.decode(row, skip_special_tokens=False) for row in ids],
        }
    document = {"texts": inputs, "expected": expected}
    (HERE / "expected.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
