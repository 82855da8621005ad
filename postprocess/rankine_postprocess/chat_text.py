"""Conversations as the text a language model was trained to see, by the template of its own folder; the command `chat-text`.

The template is Jinja in the surroundings that Hugging Face's transformers gives it. Text to calibrate and to heal with.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from .errors import InputError


def add_chat_text(commands) -> None:
    command = commands.add_parser("chat-text", help="conversations as text or tokens for a language model, by its chat template")
    command.add_argument("model", metavar="MODEL", type=Path, help="folder of the model: tokenizer_config.json, or chat_template.jinja")
    command.add_argument("conversations", metavar="FILE.jsonl", type=Path,
                         help='lines {"messages": [{"role": "user", "content": "..."}, ...]}, with "tools" if need be')  # fmt: skip
    command.add_argument("-o", "--output", required=True, metavar="TEXT", type=Path,
                         help="file to write: .txt, or .npy with token ids (needs the Python package tokenizers)")  # fmt: skip
    command.set_defaults(run=_run)


def _run(options) -> int:
    render = read_template(options.model)
    texts = [render_one(render, conversation, place) for conversation, place in read_conversations(options.conversations)]
    if options.output.suffix == ".txt":
        _write(options.output, lambda path: path.write_text("".join(texts), newline=""))
    elif options.output.suffix == ".npy":
        ids = token_ids(options.model, texts)
        _write(options.output, lambda path: np.save(path, ids))
    else:
        raise InputError(f"{options.output}: no .txt or .npy. Name one of these.")
    print(f"{options.output}: {len(texts)} conversations, {sum(map(len, texts))} characters")
    return 0


def read_template(model: Path) -> Callable[..., str]:
    """The template of a model's folder as a function of a conversation."""
    settings = _read_json(model / "tokenizer_config.json")
    own_file = model / "chat_template.jinja"
    template = _read(own_file) if own_file.exists() else _default(settings.get("chat_template"))
    if not isinstance(template, str):
        raise InputError(f"{model}: no chat template (base models have none). Take plain text, or a model that was trained on conversations.")
    render = compiled(template, model)
    # transformers hands the special tokens over by their names.
    tokens = {name: token["content"] if isinstance(token, dict) else token
              for name, token in settings.items() if re.fullmatch(r"\w+_token", name) and isinstance(token, (str, dict))}  # fmt: skip
    return lambda conversation: render(**tokens, **conversation)


def _default(templates):
    """Of several named templates the one for plain conversations."""
    if isinstance(templates, list):
        return {entry["name"]: entry["template"] for entry in templates}.get("default")
    return templates


def compiled(template: str, model: Path) -> Callable[..., str]:
    try:
        from jinja2 import TemplateError, nodes
        from jinja2.ext import Extension
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError as error:
        raise InputError("chat-text needs the Python package jinja2 (Debian: python3-jinja2). Install it.") from error

    class Generation(Extension):
        """{% generation %} marks what the model itself would say; it changes no text."""

        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)

    def raise_exception(message):
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
    environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    try:
        return environment.from_string(template).render
    except TemplateError as error:
        raise InputError(f"{model}: the chat template is no template ({error}). Obtain the model's files anew.") from error


def render_one(render: Callable[..., str], conversation: dict, place: str) -> str:
    everything = {"tools": None, "documents": None, "add_generation_prompt": False, **conversation}
    try:
        return render(everything)
    except Exception as error:  # a template may do anything with what it is given
        reason = " ".join(str(error).split())
        raise InputError(f"{place}: the chat template refuses the conversation ({reason}). Change it, or leave it out.") from error


def read_conversations(file: Path) -> Iterator[tuple[dict, str]]:
    """Each with its place for messages."""
    lines = [(number, line) for number, line in enumerate(_read(file).split("\n"), 1) if line.strip()]
    if not lines:
        raise InputError(f"{file}: no conversation in it.")
    for number, line in lines:
        place = f"{file}, line {number}"
        try:
            conversation = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{place}: no JSON ({error.msg}). Write one conversation a line.") from error
        messages = conversation.get("messages") if isinstance(conversation, dict) else None
        if not isinstance(messages, list) or not all(isinstance(message, dict) and "role" in message for message in messages):
            raise InputError(f'{place}: no list "messages" of objects with "role" and "content".')
        yield {name: conversation[name] for name in ("messages", "tools") if name in conversation}, place


def token_ids(model: Path, texts: list[str]) -> np.ndarray:
    """Of all conversations one after another. Their special tokens come from the template alone."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise InputError("a .npy file of tokens needs the Python package tokenizers. Install it, or write a .txt file.") from error
    _read(model / "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return np.concatenate([np.array(tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int32) for text in texts])


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{file}: cannot be read ({reason}).") from error


def _read_json(file: Path) -> dict:
    try:
        document = json.loads(_read(file))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: no JSON ({error.msg}). Obtain the model's files anew.") from error
    if not isinstance(document, dict):
        raise InputError(f"{file}: no JSON object. Obtain the model's files anew.")
    return document


def _write(path: Path, write: Callable[[Path], None]) -> None:
    try:
        write(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from error
