"""The command `tasks`: writes files of multiple choice for [tasks] of rankine-evaluate."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from .cloze import cloze_items
from .errors import InputError
from .task_layouts import LAYOUTS

DONE = 0


def add_tasks(commands) -> None:
    command = commands.add_parser("tasks", help="write a file of multiple choice for rankine-evaluate, from a known set or from a text")
    command.add_argument("layout", choices=["cloze", *LAYOUTS],
                         help="of FILE: cloze takes a text; samples are those that lm_eval --log_samples writes")  # fmt: skip
    command.add_argument("file", metavar="FILE", help="JSON lines, a JSON list or Parquet, as the set is published; a text for cloze")
    command.add_argument("--labels", metavar="FILE", help="the answers, one a line, where they stand in a file of their own (PIQA)")
    command.add_argument("--items", type=int, default=0, metavar="N", help="this many (default: all; 200 of cloze)")
    command.add_argument("--seed", type=int, default=1, help="of cloze (default: 1)")
    command.add_argument("-o", "--output", metavar="TASK.jsonl", help="file to write (default: standard output)")
    command.set_defaults(run=_run)


def _run(options) -> int:
    items = _cloze(options) if options.layout == "cloze" else _converted(options)
    lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    if options.output is None:
        sys.stdout.write(lines)
        return DONE
    try:
        Path(options.output).write_text(lines, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{options.output}: cannot be written ({error.strerror}).") from error
    return DONE


def _cloze(options) -> list[dict]:
    items = cloze_items(_text(options.file), options.items or 200, options.seed)
    if not items:
        raise InputError(f"{options.file}: no article has enough sentences. Give a longer text, with articles as WikiText has them.")
    return items


def _converted(options) -> Iterator[dict]:
    labels = _text(options.labels).split() if options.labels else None
    for number, doc in enumerate(_documents(options.file)):
        if options.items and number >= options.items:
            return
        try:
            yield LAYOUTS[options.layout](doc if labels is None else doc | {"label": labels[number]})
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise InputError(f"{options.file}: item {number + 1} is not laid out as {options.layout} is ({why}).") from error


def _documents(file: str) -> list[dict]:
    if file.endswith(".parquet"):
        return _rows(file)
    text = _text(file)
    try:
        if text.lstrip().startswith("["):
            return json.loads(text)
        return [json.loads(line) for line in text.split("\n") if line.strip()]  # not splitlines: a JSON text may hold U+2028
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: neither JSON lines nor a JSON list ({error}).") from error


def _rows(file: str) -> list[dict]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{file}: Parquet is read by pyarrow, which is not installed. Install it, or give JSON lines.") from error
    try:
        return parquet.read_table(file).to_pylist()
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read as Parquet ({error}).") from error


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read ({getattr(error, 'strerror', None) or error}).") from error
