"""Prints, as JSON, what stock transformers makes of conversations: their text and their tokens.

    chat_with_transformers.py FOLDER FILE.jsonl
"""

import json
import sys
from pathlib import Path

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
conversations = [json.loads(line)["messages"] for line in Path(sys.argv[2]).read_text().splitlines()]
text = "".join(tokenizer.apply_chat_template(messages, tokenize=False) for messages in conversations)
ids = [number for messages in conversations for number in tokenizer.apply_chat_template(messages)]
print(json.dumps({"text": text, "ids": ids}))
