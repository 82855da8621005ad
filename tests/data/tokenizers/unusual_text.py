"""Texts that tokenizers are likely to get wrong, made from a seed."""

import random

# Characters that became letters, numbers, marks, punctuation or symbols in Unicode 15 to 17, at the ends of their ranges.
RECENT = [
    "\u1c89\u1c8a\ua7cb\ua7cd\ua7da\ua7dc\U000105c0\U000105f3\U00010d4a\U00010d65\U00010d6f\U00010d85\U00011380\U000113b5\U00013460\U000143fa",
    "\U0001e030\U0001e06d\U0001e4d0\U0001e4eb\U0001e5d0\U0001e5f0\U0002b739\U0002ebf0\U0002ee5d\U00031350\U000323af\U00016d40\U00016d6c",
    "\U00010d40\U00010d49\U000116d0\U000116e3\U00011bf0\U00011f50\U00011f59\U00016130\U0001ccf0\U0001d2c0\U0001d2d3\U0001e4f0\U0001e5f1",
    "\U00011de0\U00011de9\U00016ff4\U00016ff6",
    "\u0897\u0cf3\u0ece\U00010d69\U00010efc\U00011f00\U0001611e\u1b4e\u1b7f\U00011b00\U00011f43\u2427\u2ffc\U0001cc00\U0001fae8\U0001f6dc",
]
SPACES = " \t\n\v\f\r\x1c\x1f\x85\xa0\u1680\u180e\u2000\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
DIGITS = "0123456789\u0661\u0969\u0e57\u17f3\u00b2\u00bd\u2163\u2460\u3007\u4e09\U0001d7d8\U0001f101\uff15"
COMBINING = "a\u0301e\u0308n\u0303\u0915\u094d\u0937\u093f\u0e01\u0e34\u05e9\u05b8\u0644\u064e\u1100\u1161\u11a8"
JOINED = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u2764\ufe0f\U0001f3f3\ufe0f\u200d\U0001f308\U0001f1e9\U0001f1ea\U0001f44d\U0001f3fd"
CONTROL = "\x00\x01\x04\x06\x13\x14\x16\x1b\x1d\x7f\x80\x9f"
UNASSIGNED = "\u0378\u05ff\u0dff\ufdd0\ufffe\uffff\U0001fffe\U000e0001\U000e01f0\U000f0000\U0010ffff\U0003fffd\U000c0000"
WORDS = ["The", " rank", " isn't", " WE'VE", "'Re", "'\u017f", " can't", " 1998", " 12.5", "\u00dcber", " caf\u00e9", " matrix", "  ", "\n\n", " \n", "\r\n", "-- ", "\"", "(", "</s>"]


def letters(generator: random.Random, n: int) -> str:
    """Code points of the whole range except surrogates."""
    points = (generator.choice([generator.randrange(0x250), generator.randrange(0xD800), generator.randrange(0xE000, 0x110000)]) for _ in range(n))
    return "".join(map(chr, points))


def unusual_text(generator: random.Random, n_parts: int) -> str:
    """A text of that many parts: words, spaces, digits, marks, emoji, control and unassigned characters."""
    parts = []
    for _ in range(n_parts):
        pool = generator.choice([WORDS, WORDS, SPACES, DIGITS, COMBINING, JOINED, CONTROL, UNASSIGNED, *RECENT, None])
        if pool is None:
            parts.append(letters(generator, generator.randrange(1, 6)))
        else:
            parts += generator.choices(pool, k=generator.randrange(1, 4))
    return "".join(parts)
