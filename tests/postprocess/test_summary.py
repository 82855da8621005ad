"""Any result file as a row: results, values of the deck, provenance."""

import h5py
import numpy as np
import pytest
import rankine_postprocess as rp
from compression_file import CompressDeck
from compression_file import write as write_compression
from distill_file import DistillDeck
from distill_file import write as write_distillation
from image_file import ImageDeck
from image_file import write as write_images
from result_file import Deck, write
from test_bench import write as write_benchmark

DECK = "[circuit]\ntheta_h = [0.0, 0.3]\nsteps = 5\n[state]\nmax_bond_dimension = [8, 16]\n[output]\nfile = 'f.h5'\n"


def with_deck(path, text):
    with h5py.File(path, "a") as file:
        del file["provenance/effective_deck"]
        file["provenance/effective_deck"] = text
    return path


def simulation(path, **deck):
    return write(path, Deck(**deck), {"Z62": lambda theta, chi, step: theta + chi + 100 * step})


def test_a_simulation_has_a_row_for_each_point(tmp_path):
    file = simulation(tmp_path / "f.h5", theta_h=[0.0, 0.3], max_bond_dimension=[8, 16], steps=[2, 5])
    rows = rp.summaries(with_deck(file, DECK))
    assert [(row["circuit.theta_h"], row["state.max_bond_dimension"]) for row in rows] == [(0, 8), (0.3, 8), (0, 16), (0.3, 16)]
    assert [row["Z62"] for row in rows] == [508.0, 508.3, 516.0, 516.3]
    assert [row["Z62"] for row in rp.summaries(file, step=2)] == [208.0, 208.3, 216.0, 216.3]
    last = rp.summary(file)
    assert last == rows[-1]
    assert (last["step"], last["lattice"], last["circuit.steps"], last["n_ranks"], last["seconds"]) == (5, "eagle", 5, 2, 0.5)
    assert (last["kind"], last["status"], last["title"]) == ("rankine-simulate", "complete", "Eagle, kicked Ising, five steps")
    assert rp.key_results(rows) == ["Z62", "bond_dimension", "discarded_weight", "fidelity"]
    assert set(rp.parameters(last)) == {"circuit.theta_h", "circuit.steps", "state.max_bond_dimension", "output.file"}
    with pytest.raises(rp.InputError, match="step 3 was not measured"):
        rp.summary(file, step=3)


def test_networks_have_one_row(tmp_path):
    compressed = rp.summaries(write_compression(tmp_path / "c.h5", CompressDeck(perplexity=31.0, block=4)))
    assert len(compressed) == 1
    row = compressed[0]
    assert (row["perplexity_after"], row["method.form"], row["adapter/numbers"] > 0) == (31.0, "pivoted", True)
    assert rp.key_results(compressed)[:2] == ["perplexity_after", "perplexity_before"]
    image = rp.summary(write_images(tmp_path / "i.h5", ImageDeck()))
    assert image["accuracy_low"] < image["accuracy"] < image["accuracy_high"]
    distilled = rp.summary(write_distillation(tmp_path / "d.h5", DistillDeck(slices=["a", "b"], mode="local")))
    assert distilled["mode"] == "local" and not any(name.startswith("slices/") for name in distilled)


def test_benchmarks_have_a_row_for_each_measurement(tmp_path):
    rows = rp.summaries(write_benchmark(tmp_path / "b.h5", 2, lambda n, method: n * 1e-3))
    assert len(rows) > 1 and all(row["seconds"] == pytest.approx(row["rows"] * 0.5e-3) for row in rows)


def test_a_running_file_is_a_row_unless_it_must_be_complete(tmp_path):
    file = write(tmp_path / "f.h5.partial", Deck(steps=[1, 2]), {"Z62": lambda theta, chi, step: np.nan}, status="running")
    assert rp.summary(file)["status"] == "running"
    with pytest.raises(rp.InputError, match="status is 'running'"):
        rp.summary(file, allow_partial=False)


def test_any_dataset_is_read_with_its_labels(tmp_path):
    result = rp.open(simulation(tmp_path / "f.h5", theta_h=[0.0, 0.3], steps=[2, 5]))
    dataset = result["Z62"]
    assert (dataset.dims, dataset.units, dataset.long_name) == (("points", "measured steps"), "1", "expectation value of Z62")
    assert dataset.attributes["route"] == "mean-field"
    assert list(result.labels(dataset)) == ["theta_h", "max_bond_dimension", "steps"]
    assert result["results/Z62"] is dataset and "Z62" in result and "Z1" not in result
    assert result["timing/point_seconds"].units == "s"
    with pytest.raises(rp.InputError, match="no dataset 'Z1'. Present: results"):
        result["Z1"]


def test_other_files_are_refused(tmp_path):
    with pytest.raises(rp.InputError, match="filetype is 'sandwich'"):
        rp.open(write(tmp_path / "f.h5", Deck(), {}, filetype="sandwich"))
    with pytest.raises(rp.InputError, match="no such file"):
        rp.summary(tmp_path / "absent.h5")


def test_axes_without_scales_of_their_own_are_no_datasets(tmp_path):
    """Dimension scales of netCDF that only give an axis its length."""
    file = simulation(tmp_path / "f.h5")
    with h5py.File(file, "a") as handle:
        handle["results/sites"] = np.zeros(127, "f4")
        handle["results/sites"].make_scale("This is a netCDF dimension but not a netCDF variable       127")
        handle["results/site_z"].dims[2].attach_scale(handle["results/sites"])
        handle["results/steps"].make_scale("steps")
        handle["results/Z62"].dims[1].attach_scale(handle["results/steps"])
        handle["results/Z62"].attrs["coordinates"] = "theta_h steps"
    result = rp.open(file)
    assert "sites" not in result
    assert list(result.labels(result["Z62"])) == ["theta_h", "steps"]
    assert set(result["Z62"].attributes) & {"DIMENSION_LIST", "REFERENCE_LIST", "CLASS"} == set()


def test_links_are_not_followed_and_circles_end(tmp_path):
    file = simulation(tmp_path / "f.h5")
    with h5py.File(file, "a") as handle:
        handle["results/soft"] = h5py.SoftLink("/results/Z62")
        handle["results/elsewhere"] = h5py.ExternalLink("other.h5", "/x")
        handle["results/circle"] = handle["results"]
    result = rp.open(file)
    assert "soft" not in result and "elsewhere" not in result
    assert rp.summary(file)["Z62"] == result["Z62"].values[-1, -1]
