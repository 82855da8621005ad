"""The programs: where they are, and what they say of runs before these begin."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .errors import InputError
from .log_lines import error_in
from .runs import Run, describe

TREE = Path(__file__).resolve().parents[2]
MOST_SHOWN = 5  # runs of which a message names the parameters


def find_program(name: str) -> str:
    """A path as it is; a name in $RANKINE_BIN, else in build/bin of the source tree, else in $PATH."""
    if "/" in name:
        candidates = [name]
    else:
        folders = [os.environ["RANKINE_BIN"]] if "RANKINE_BIN" in os.environ else []
        candidates = [f"{folder}/{name}" for folder in [*folders, TREE / "build" / "bin"]] + [shutil.which(name) or ""]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            return candidate
    raise InputError(f"Cannot start {name} (there is no such program{'' if '/' in name else ' in RANKINE_BIN, build/bin or PATH'}). "
                     "Build it, or name it with --program.")  # fmt: skip


def check_runs(program: str, runs: list[Run], ranks: int, overrides: Iterable[str] = ()) -> dict[str, str]:
    """What `PROGRAM --check` says of each run, by hash. Raises InputError with the refusals of all runs together."""
    with tempfile.TemporaryDirectory(prefix="rankine-sweep-") as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        checks = list(pool.map(lambda run: _check(program, run, ranks, overrides, Path(folder) / run.hash), runs))
    refusals: dict[str, list[Run]] = {}
    for run, (code, text) in zip(runs, checks):
        if code:
            refusals.setdefault(text, []).append(run)
    if refusals:
        n_refused = sum(map(len, refusals.values()))
        raise InputError(f"{n_refused} of {len(runs)} runs are refused by {program} --check:\n"
                         + "\n".join(f"  {_named(some)}:\n    {text}" for text, some in refusals.items()))  # fmt: skip
    return {run.hash: text for run, (_, text) in zip(runs, checks)}


def _check(program: str, run: Run, ranks: int, overrides: Iterable[str], folder: Path) -> tuple[int, str]:
    folder.mkdir()
    deck = folder / "deck.toml"
    deck.write_text(run.deck_in(str(folder)))
    command = [program, "--check", "--ranks", str(ranks), str(deck), f"output.file={folder}/result.h5",
               f"run.directory={folder}/restart", *overrides]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    text = done.stdout if done.returncode == 0 else error_in(done.stderr) or f"exit code {done.returncode}"
    return done.returncode, text.replace(f"{folder}/", "")


def _named(runs: list[Run], describe_run: Callable[[dict], str] = describe) -> str:
    shown = "; ".join(f"run {run.number} ({describe_run(run.parameters)})" for run in runs[:MOST_SHOWN])
    return shown + (f" and {len(runs) - MOST_SHOWN} more" if len(runs) > MOST_SHOWN else "")
