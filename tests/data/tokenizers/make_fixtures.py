"""Trains the small tokenizers of this folder and writes what the Python package `tokenizers` makes of unusual texts.

    make_fixtures.py        needs tokenizers 0.22.2; writes *.json beside itself
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from unusual_text import COMBINING, CONTROL, DIGITS, JOINED, RECENT, SPACES, UNASSIGNED, unusual_text

HERE = Path(__file__).resolve().parent
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
WORD_END = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + WORD_END,
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + WORD_END,
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
DEEPSEEK = [
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]
BLANK = "\u2581"
N_SHORT = 48  # texts for tokenizers other than the first four
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


def byte_level(*expressions: str):
    splits = [pre_tokenizers.Split(Regex(expression), "isolated") for expression in expressions]
    return pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(False, use_regex=False)])


def qwen2() -> Tokenizer:
    tokenizer = trained(byte_level(QWEN2), 400, [special("<|endoftext|>")])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.enable_truncation(512)
    tokenizer.enable_padding()
    return tokenizer


def o200k() -> Tokenizer:
    return trained(byte_level(O200K), 400, [special("<|endoftext|>")])


def deepseek() -> Tokenizer:
    tokenizer = trained(byte_level(*DEEPSEEK), 400, [special("<|begin|>")])
    tokenizer.normalizer = normalizers.Sequence([])
    return tokenizer


def with_template(tokenizer: Tokenizer, beginning: str) -> Tokenizer:
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{beginning} $A", pair=f"{beginning} $A {beginning}:1 $B:1", special_tokens=[(beginning, tokenizer.token_to_id(beginning))])
    return tokenizer


def of_characters(normalizer, pre_tokenizer, decoder, special_tokens: list[AddedToken]) -> Tokenizer:
    """Pair encoding as in SentencePiece: of characters, or their bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizer
    # Trained on words, so that pairs are learnt; their merges then serve whole texts.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(BLANK, "merged_with_next") if pre_tokenizer is None else pre_tokenizer
    tokenizer.train([str(HERE / "corpus.txt")], trainers.BpeTrainer(vocab_size=300, special_tokens=special_tokens, show_progress=False))
    tokenizer.decoder = decoder

    def with_bytes(document: dict) -> None:
        vocabulary = document["model"]["vocab"]
        for byte in range(256):
            vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
        if pre_tokenizer is None:
            document["pre_tokenizer"] = None

    return changed(tokenizer, with_bytes)


def gemma() -> Tokenizer:
    pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    decoder = decoders.Sequence([decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse()])
    runs = [AddedToken("\n" * n, normalized=False) for n in (2, 3, 4)]
    names = [special("<pad>"), special("<eos>"), special("<bos>"), special("<unk>")]
    tokenizer = of_characters(normalizers.Replace(" ", BLANK), pre_tokenizer, decoder, names)
    tokenizer.add_tokens(runs)
    return with_template(tokenizer, "<bos>")


def llama2() -> Tokenizer:
    normalizer = normalizers.Sequence([normalizers.Prepend(BLANK), normalizers.Replace(" ", BLANK)])
    decoder = decoders.Sequence([decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    names = [special("<unk>", normalized=True), special("<s>", normalized=True), special("</s>")]
    return with_template(of_characters(normalizer, None, decoder, names), "<s>")


def phi3() -> Tokenizer:
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    decoder = decoders.Sequence([decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    names = [special("<unk>"), special("<s>"), special("</s>", rstrip=True), special("<|end|>", rstrip=True)]
    return of_characters(None, metaspace, decoder, names)


def of_probabilities(normalizer, pre_tokenizer, decoder) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    names = [special("<unk>"), special("</s>")]
    trainer = trainers.UnigramTrainer(vocab_size=220, special_tokens=names, unk_token="<unk>", show_progress=False)
    tokenizer.train([str(HERE / "corpus.txt")], trainer)
    return tokenizer


def unigram() -> Tokenizer:
    n = normalizers
    normalizer = n.Sequence([n.NFKC(), n.StripAccents(), n.Lowercase(), n.Strip(), n.Replace(Regex(" {2,}"), " ")])
    pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    return of_probabilities(normalizer, pre_tokenizer, decoders.Metaspace())


def unigram_bytes() -> Tokenizer:
    n = normalizers
    normalizer = n.Sequence([n.NFKD(), n.Sequence([]), n.Replace("-", "~")])
    tokenizer = of_probabilities(normalizer, pre_tokenizers.Metaspace(prepend_scheme="never"), decoders.Metaspace(prepend_scheme="never"))

    def with_bytes(document: dict) -> None:
        document["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
        document["model"]["byte_fallback"] = True

    return changed(tokenizer, with_bytes)


def words() -> Tokenizer:
    """Splits of all kinds without ByteLevel, tokens that are words of their own, no decoder."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFD()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\p{P}"), "contiguous"),
        pre_tokenizers.Split(Regex(r"\p{M}"), "merged_with_previous"),
        pre_tokenizers.Split(Regex(r"\p{Lu}"), "merged_with_next"),
        pre_tokenizers.Split(Regex(r"[^\s]+"), "removed", invert=True),
        pre_tokenizers.Split(Regex(r"\p{L}+"), "merged_with_next", invert=True)])
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=[special("<unk>")], show_progress=False)
    tokenizer.train([str(HERE / "corpus.txt")], trainer)
    tokenizer.add_tokens([AddedToken("rank", single_word=True, normalized=False), AddedToken("caf\u00e9", single_word=True, lstrip=True, rstrip=True),
                          AddedToken("on", single_word=True)])

    def take_whole_words_first(document: dict) -> None:
        document["model"]["ignore_merges"] = True
        del document["model"]["merges"][-40:]

    return changed(tokenizer, take_whole_words_first)


FIRST = (gpt2, llama3, digits, unknown)
OTHERS = (qwen2, o200k, deepseek, gemma, llama2, phi3, unigram, unigram_bytes, words)


def texts() -> list[str]:
    generator = random.Random(20)
    added = "a<|endoftext|>b <|end|>of <|end|> x \u3000<pad>\t<mask> \u00a0\u180ey the rank one  way <|e <|begin|><pad><pad> <mask> <pad>"
    plain = ["", " ", "The rank", "  two  spaces \n\n here ", "it's IT'S we'LL 'S x'd", "2024 12.5", "zzz111", "a\tb\r\n c\r\n\r\n", "-- a -- b--", "\x9f\u0131" * 3]
    forms = ["\uac00\u1100\u1161 \u212b\ufb01\u0132 \u0130I\u0131\u03a3\u1e9e \ua7f2\u32ff\u2460\u3392", "a\u0323\u0307 a\u0307\u0323 \u0958\u0344 \uff76\uff9e"]
    blanks = ["\u2581", " \u2581 a", "   the  rank   ", "\n\n\n\n\n\nthe\n", "\u3000 the \u00a0", "<0x41> <0x0A>"]
    names = ["<s>the</s> the<s> <unk>\n</s>  x<bos> the<eos>the <|end|>\t y", "rank ranks rank. crank rank_ rank\u0301 caf\u00e9 cafe\u0301 on, won\u200d on"]
    scripts = ["\u4e2d\u6587 and 12345 \u3042\u30ab, #tag $x/y\n\nHTTPServer's IT'S \u01c5a"]
    return [*plain, added, *forms, *blanks, *names, *scripts, *RECENT, SPACES, DIGITS, COMBINING, JOINED, CONTROL, UNASSIGNED, *(unusual_text(generator, 14) for _ in range(60))]


def main() -> None:
    inputs = texts()
    expected = {}
    for make in FIRST + OTHERS:
        tokenizer = make()
        tokenizer.save(str(HERE / f"{make.__name__}.json"), pretty=False)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        mine = inputs if make in FIRST else inputs[:N_SHORT]
        ids = [tokenizer.encode(text).ids for text in mine]
        expected[make.__name__] = {"ids": ids, "decoded": [tokenizer.decode(row, skip_special_tokens=False) for row in ids]}
        if make in FIRST:
            expected[make.__name__]["ids_without_special"] = [tokenizer.encode(text, add_special_tokens=False).ids for text in mine]
    document = {"texts": inputs, "expected": expected}
    (HERE / "expected.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
