"""rankine-bench linalg from outside: tables, files, checks, and what it refuses."""

import csv
import os
import subprocess
from pathlib import Path

import h5py
import pytest

BENCH = Path(os.environ["RANKINE_BIN"]) / "rankine-bench"
SMALL = ['bench.shapes=["90x40"]', 'bench.tall_shapes=["500x20"]', "bench.ranks_kept=[0, 4]", "bench.repeats=1",
         "bench.check=true"]  # fmt: skip


def bench(*arguments, ranks=None, cwd):
    launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks else []
    return subprocess.run([*launch, BENCH, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("ranks", [None, 3])
def test_every_method_is_measured_and_checked(tmp_path, ranks):
    methods = ["lapack", "scalapack", "gram", "randomized", "trlanczos"]
    names = ", ".join(f'"{name}"' for name in methods)
    outcome = bench("linalg", *SMALL, f"bench.methods=[{names}]", "bench.file=out.csv", ranks=ranks, cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    with open(tmp_path / "out.csv") as file:
        rows = list(csv.DictReader(file))
    svds = [row for row in rows if row["task"] == "svd"]
    assert {row["method"] for row in svds} == set(methods)
    assert {row["type"] for row in svds} == {"float64", "float32"}
    assert {row["task"] for row in rows} == {"svd", "tsqr", "whitened svd"}
    for row in svds:
        assert float(row["seconds"]) > 0
        assert float(row["orthogonality"]) < (1e-8 if row["type"] == "float64" else 1e-3)


def test_the_hdf5_file_says_what_it_is(tmp_path):
    outcome = bench("linalg", *SMALL, 'bench.methods=["gram"]', "bench.file=out.h5", cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    with h5py.File(tmp_path / "out.h5") as file:
        assert file.attrs["filetype"] == "rankine-bench-linalg"
        assert file.attrs["status"] == "complete"
        assert len(file["results/seconds"]) == 6
        assert file["results/seconds"].attrs["units"] == "s"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["linalg", 'bench.shapes=["9by4"]'], '"9by4" is no shape'),
        (["linalg", "bench.metods=[]"], "Did you mean bench.methods?"),
        (["linear"], 'there is no suite "linear"'),
        (["linalg", *SMALL, 'bench.methods=["trlanczos"]', "linalg.slepc_options=-svd_nvc 3"], "-svd_nvc"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, arguments, message):
    outcome = bench(*arguments, cwd=tmp_path)
    assert outcome.returncode == 2
    assert message in outcome.stderr
