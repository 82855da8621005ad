"""rankine-bench from outside: tables, files, checks, and what it refuses."""

import csv
import os
import subprocess
from pathlib import Path

import h5py
import pytest

STORIES = Path(__file__).resolve().parents[2] / "inputs" / "models" / "stories260K"
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


@pytest.mark.parametrize("ranks", [None, 3])
def test_the_models_suite_measures_every_form(tmp_path, ranks):
    small = ["models", f"bench.model={STORIES}", "bench.repeats=1", "bench.prompt=8", "bench.tokens=2", "bench.window=16",
             "bench.training_window=16", "bench.file=out.h5"]  # fmt: skip
    outcome = bench(*small, ranks=ranks, cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    with h5py.File(tmp_path / "out.h5") as file:
        table = {name: dataset[...] for name, dataset in file["results/forms"].items()}
    forms = [form.decode() for form in table["form"]]
    assert forms == ["as read", "dense", "low-rank", "pivoted", "mpo", "clustered", "4-bit"]
    numbers = dict(zip(forms, table["numbers"]))
    assert numbers["as read"] == numbers["dense"] and all(numbers[form] <= numbers["dense"] / 2 for form in ("low-rank", "pivoted", "mpo"))
    assert (table["generated"] > 0).all() and (table["scored"] > 0).all() and (table["loaded_bytes"] > 0).all()
    assert [form for form, rate in zip(forms, table["training"]) if not rate > 0] == ["4-bit"]


def test_the_gpeps_suite_writes_both_kinds_of_file(tmp_path):
    small = ["gpeps", "bench.bond_dimensions=[4, 8]", 'bench.cases=["eagle-mz"]', "bench.repeats=1"]
    for name in ("out.h5", "out.csv"):
        outcome = bench(*small, f"bench.file={name}", ranks=2, cwd=tmp_path)
        assert outcome.returncode == 0, outcome.stderr
        assert "whole runs on 2 ranks" in outcome.stdout
    with h5py.File(tmp_path / "out.h5") as file:
        assert (file.attrs["filetype"], file.attrs["n_ranks"]) == ("rankine-bench-gpeps", 2)
        assert file["results/bond_updates/bond_dimension"][...].tolist() == [4, 8]
        assert file["results/cases/case"].asstr()[...].tolist() == ["eagle-mz"]
        value = file["results/cases/value"][0]
        assert file["results/cases/peak_resident_bytes"].attrs["units"] == "byte"
    with open(tmp_path / "out.csv") as file:
        rows = list(csv.reader(file))
    assert [row[:2] for row in rows] == [["bond_update", "4"], ["bond_update", "8"], ["eagle-mz", "2"]]
    assert float(rows[2][3]) == pytest.approx(value, abs=1e-12)


IMAGES = ["images", "bench.channels=[4, 6]", "bench.sizes=[8, 5]", "bench.ranks=[0.5, 0.01]", "bench.batch_size=4",
          "bench.images=8", "bench.repeats=1"]  # fmt: skip


@pytest.mark.parametrize("ranks", [None, 3])
def test_the_images_suite_measures_layers_and_networks(tmp_path, ranks):
    outcome = bench(*IMAGES, "bench.file=out.h5", ranks=ranks, cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert "matrix product" in outcome.stdout and "resnet-20" in outcome.stdout
    with h5py.File(tmp_path / "out.h5") as file:
        assert (file.attrs["filetype"], file.attrs["status"]) == ("rankine-bench-images", "complete")
        layers, networks = file["results/layers"], file["results/networks"]
        assert layers["rank"][...].tolist() == [0, 2, 1, 0, 3, 1]
        dense = 4 * 8 * 8 * 4 * 4 * 9
        assert layers["multiply_adds"][:2].tolist() == [dense, 4 * 8 * 8 * (4 * 2 + 2 * 2 * 9 + 2 * 4)]
        for name in ("forward_seconds", "both_seconds", "forward_bound", "both_bound", "copy_rate"):
            assert (layers[name][...] > 0).all(), name
        assert networks["network"].asstr()[...].tolist() == ["resnet-20", "t-cnn", "slice"]
        assert networks["parameters"][0] == 269722
        for name in ("training", "bare_training", "evaluation", "bare_evaluation"):
            assert (networks[name][...] > 0).all(), name


def test_the_images_suite_writes_csv(tmp_path):
    outcome = bench(*IMAGES, "bench.networks=[]", "bench.file=out.csv", cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    with open(tmp_path / "out.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["channels"] in ("4", "6")]
    assert [row["rank"] for row in rows] == ["0", "2", "1", "0", "3", "1"]


@pytest.mark.parametrize("start", [["--check"], []])
@pytest.mark.parametrize("arguments, code, message", [
    (["linalg", 'bench.shapes=["0x5"]'], 2, '"0x5" is no shape'),
    (["linalg", 'bench.shapes=["12x5junk"]'], 2, '"12x5junk" is no shape'),
    (["linalg", 'bench.tall_shapes=["4294967297x2"]'], 2, '"4294967297x2" is no shape'),
    (["linalg", 'bench.shapes=["2000000x2000000"]'], 3, "a matrix of 2000000 by 2000000 needs about"),
    (["linalg", "bench.file=nowhere/out.h5"], 2, "there is no folder 'nowhere'"),
    (["gpeps", "bench.file=nowhere/out.csv"], 2, "there is no folder 'nowhere'"),
    (["images", "bench.file=nowhere/out.csv"], 2, "there is no folder 'nowhere'"),
    (["images", "bench.sizes=[8]"], 2, "bench.sizes has 1 value for 4 layers"),
    (["images", "bench.channels=[4096]", "bench.sizes=[4096]", "bench.networks=[]"], 3, "a layer of 4096 channels needs"),
    (["gpeps", "bench.bond_dimensions=[4096]"], 3, "the update of a bond of dimension 4096 needs about"),
])  # fmt: skip
def test_a_check_meets_what_a_run_would_meet(tmp_path, arguments, code, message, start):
    outcome = bench(*arguments, *start, cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (code, ""), outcome
    assert message in outcome.stderr


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
