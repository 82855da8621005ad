"""Writes result files as docs/file_formats.md describes those of rankine-bench gpeps and images."""

from pathlib import Path

import h5py
import numpy as np
from evaluate_file import put

SECONDS = [0.01, 0.004, 0.002]


def write(path: Path, suite: str, factor: float = 1.0) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs.update({
            "filetype": f"rankine-bench-{suite}", "format_version": 1, "program": "rankine-bench", "program_version": "0.1.0",
            "git_commit": "0123abc", "created_utc": "2025-01-02T03:04:05Z", "n_ranks": 1, "threads": 1, "status": "complete",
        })  # fmt: skip
        (_write_images if suite == "images" else _write_gpeps)(file.create_group("results"), np.array(SECONDS) * factor)
    return path


def _write_images(results: h5py.Group, seconds: np.ndarray) -> None:
    for name, values in (("channels", [16, 32, 64]), ("size", [32, 16, 8]), ("batch_size", [64, 64, 64]), ("rank", [0, 8, 16])):
        put(results, f"layers/{name}", values, ["measurement"])
    put(results, "layers/forward_seconds", seconds, ["measurement"], "s")
    put(results, "layers/both_seconds", 3 * seconds, ["measurement"], "s")
    put(results, "gemm_gflops", [50.0], ["rate"], "GFlop/s")
    put(results, "networks/network", np.array(["resnet-20", "tcnn"], dtype=h5py.string_dtype()), ["measurement"])
    put(results, "networks/training", [120.0, 3500.0], ["measurement"], "1/s")


def _write_gpeps(results: h5py.Group, seconds: np.ndarray) -> None:
    put(results, "bond_updates/bond_dimension", [8, 4, 2], ["measurement"])
    put(results, "bond_updates/all_seconds", 1e-3 * seconds, ["measurement"], "s")
    put(results, "cases/case", np.array(["eagle-full-64"], dtype=h5py.string_dtype()), ["measurement"])
    put(results, "cases/seconds", seconds[:1], ["measurement"], "s")
    put(results, "cases/value", [0.5], ["measurement"])
