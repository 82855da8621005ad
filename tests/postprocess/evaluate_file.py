"""Writes result files as docs/file_formats.md describes those of rankine-evaluate for language models, and profiles of ranks."""

from pathlib import Path

import h5py
import numpy as np


def write(path: Path, loss: list[float], *, tokens: int = 255, text: str = "text.txt", divergence: float | None = None, **attributes) -> Path:
    """`loss`: of each window, nat a token."""
    with h5py.File(path, "w") as file:
        file.attrs.update({
            "filetype": "rankine-evaluate", "format_version": 1, "program": "rankine-evaluate", "program_version": "0.1.0",
            "git_commit": "0123abc", "created_utc": "2025-01-02T03:04:05Z", "n_ranks": 1, "threads": 2, "status": "complete",
        } | attributes)  # fmt: skip
        file["provenance/effective_deck"] = f'[model]\npath = "tiny"\n[evaluate]\ntext = "{text}"\nwindow_length = 256\n'
        file["provenance/inputs"] = np.array([f"{'ab' * 32}  {text}"], dtype=h5py.string_dtype())
        file["provenance"].create_group("versions").attrs.update({"blas": "OpenBLAS 0.3", "torch": "1.13"})
        file["log"] = np.array(["begun", "done"], dtype=h5py.string_dtype())
        results = file.create_group("results")
        results.attrs.update({"title": "Tiny on a text", "model": "tiny", "text": text, "parameters": 1000, "window_length": 256})
        put(results, "perplexity", np.exp(np.mean(loss)), [])
        put(results, "scored_tokens", tokens * len(loss), [])
        put(results, "negative_log_likelihood", np.array(loss), ["windows"], "nat")
        put(results, "window_scored_tokens", np.full(len(loss), tokens), ["windows"])
        put(results, "prompts", np.array(["Once\nupon"], dtype=h5py.string_dtype()), ["prompts"])
        if divergence is not None:
            put(results, "window_kl_divergence", np.full(len(loss), divergence), ["windows"], "nat")
        put(file, "timing/load_seconds", 0.5, [], "s")
        put(file, "timing/loop_seconds", 2.0, [], "s")
    return path


def put(group: h5py.Group, name: str, values, dims: list[str], units: str = "1") -> None:
    group[name] = values
    group[name].attrs.update({"dims": dims, "units": units, "long_name": f"about {name}"})


def add_profile(path: Path, seconds, stages: list[str] | None = None) -> Path:
    """`seconds`: [stages][ranks]; flops are known of the first stage only, 1e9 a second."""
    seconds = np.array(seconds, dtype=float)
    stages = stages or [f"stage {k}" for k in range(len(seconds))]
    flops = np.where(np.arange(len(seconds))[:, None] == 0, 1e9 * seconds, np.nan)
    with h5py.File(path, "a") as file:
        group = file.require_group("timing/profile")
        put(group, "stage", np.array(stages, dtype=h5py.string_dtype()), ["stages"])
        for name, values, units in (("calls", np.full(seconds.shape, 3), "1"), ("seconds", seconds, "s"), ("flops", flops, "1"),
                                    ("bytes_sent", np.full(seconds.shape, 2048), "B")):  # fmt: skip
            put(group, name, values, ["stages", "ranks"], units)
    return path
