"""Result files as arrays with labels (xarray) and tables (pandas), plots as axes."""

import builtins
import sys

import evaluate_file
import h5py
import numpy as np
import pytest
import rankine_postprocess as rp
from compression_file import CompressDeck, noise
from compression_file import write as write_compression
from distill_file import DistillDeck
from distill_file import write as write_distillation
from image_file import ImageDeck
from image_file import write as write_images
from result_file import Deck, write

LOSS = [1.0, 1.5, 2.0]


@pytest.fixture
def simulation(tmp_path):
    deck = Deck(theta_h=[0.1, 0.2], max_bond_dimension=[4, 8], steps=[1, 2, 5])
    return write(tmp_path / "f.h5", deck, {"Z62": lambda theta, chi, step: theta + chi + step})


def test_a_simulation_as_labelled_arrays(simulation):
    pytest.importorskip("xarray")
    read, opened = rp.read(simulation), rp.open(simulation)
    for dataset in (rp.to_xarray(simulation), rp.to_xarray(read), rp.to_xarray(opened), read.to_xarray(), opened.to_xarray()):
        assert dict(dataset.sizes) == {"points": 4, "measured_steps": 3, "sites": 127}
        assert set(dataset.coords) == {"theta_h", "max_bond_dimension", "steps"}
    value = dataset.Z62.set_index(points=["max_bond_dimension", "theta_h"], measured_steps="steps")
    assert float(value.sel(max_bond_dimension=8, theta_h=0.2, measured_steps=5)) == 13.2
    assert dataset.Z62.attrs["route"] == "mean-field" and dataset.theta_h.attrs["units"] == "rad"
    assert (dataset.attrs["lattice"], dataset.attrs["program_version"]) == ("eagle", "0.1.0")


def test_groups_as_labelled_arrays(tmp_path):
    pytest.importorskip("xarray")
    compression = write_compression(tmp_path / "c.h5", CompressDeck(block=4, noise=noise(4)))
    weights = rp.to_xarray(compression, group="results/weights")
    assert weights.sizes["weights"] == 12 and set(weights.form.values) == {"pivoted"}
    one = weights.sel(weights="model.layers.0.self_attn.q_proj") if "model.layers.0.self_attn.q_proj" in weights.weights else weights.isel(weights=0)
    assert int(one["rank"]) > 0
    slices = rp.read(write_distillation(tmp_path / "d.h5", DistillDeck(slices=["b", "a"]))).to_xarray("results/slices")
    assert list(slices.position.values) == [0, 1]
    profile = rp.to_xarray(evaluate_file.add_profile(compression, [[1.0, 2.0], [3.0, 4.0]]), group="timing/profile")
    assert float(profile.seconds.sum("stages").max()) == 6.0 and list(profile.stage.values) == ["stage 0", "stage 1"]
    with pytest.raises(rp.InputError, match="no group 'results/nothing'"):
        rp.to_xarray(compression, group="results/nothing")


def test_axes_that_do_not_fit_are_told(simulation):
    pytest.importorskip("xarray")
    with h5py.File(simulation, "a") as file:
        file["results/site_z"].attrs["dims"] = ["points", "sites", "measured steps"]
    with pytest.raises(rp.InputError, match="do not go together"):
        rp.to_xarray(simulation)


def test_a_table_of_runs(tmp_path, simulation):
    pandas = pytest.importorskip("pandas")
    evaluate_file.write(tmp_path / "e.h5", LOSS)
    for files in (tmp_path, [tmp_path / "e.h5", simulation], [tmp_path]):
        table = rp.to_dataframe(files)
        assert isinstance(table, pandas.DataFrame) and len(table) == 5
    assert table["kind"].value_counts().to_dict() == {"rankine-simulate": 4, "rankine-evaluate": 1}
    assert table.query("kind == 'rankine-simulate'")["Z62"].max() == pytest.approx(13.2)
    assert rp.to_dataframe(simulation, step=1)["Z62"].max() == pytest.approx(9.2)


def test_a_table_of_values(simulation):
    pytest.importorskip("pandas")
    table = rp.to_dataframe(simulation, values="Z62")
    assert list(table.columns) == ["theta_h", "max_bond_dimension", "steps", "Z62"] and len(table) == 12
    assert np.allclose(table["Z62"], table["theta_h"] + table["max_bond_dimension"] + table["steps"])
    both = rp.to_dataframe([simulation, simulation], values=["Z62", "fidelity"])
    assert len(both) == 24 and set(both["file"]) == {str(simulation)}


@pytest.mark.parametrize(("module", "use"), [("xarray", rp.to_xarray), ("pandas", rp.to_dataframe)])
def test_what_is_not_there_is_named(simulation, monkeypatch, module, use):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(rp.InputError, match=f"this needs {module}.*Install python3-{module}"):
        use(simulation)


def test_the_package_loads_no_library_before_it_is_needed(simulation):
    import subprocess

    code = (f"import sys, rankine_postprocess as rp; rp.summary({str(simulation)!r}); "
            "print({'pandas', 'xarray', 'matplotlib', 'pyarrow'} & set(sys.modules))")  # fmt: skip
    shown = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_read_takes_every_kind(tmp_path, simulation):
    assert isinstance(rp.read(simulation), rp.Simulation)
    assert isinstance(rp.read(write_compression(tmp_path / "c.h5", CompressDeck())), rp.Compression)
    assert isinstance(rp.read(write_images(tmp_path / "i.h5", ImageDeck())), rp.ImageResult)
    assert isinstance(rp.read(write_distillation(tmp_path / "d.h5", DistillDeck())), rp.Distillation)
    assert isinstance(rp.read(evaluate_file.write(tmp_path / "e.h5", LOSS)), rp.Result)
    with pytest.raises(rp.InputError, match="status is 'running'"):
        rp.read(evaluate_file.write(tmp_path / "r.h5", LOSS, status="running"))
    assert builtins.open is not rp.open and "open" not in rp.__all__


def test_plots_are_axes(tmp_path, simulation):
    upper, lower = rp.plot(simulation, observable="Z62", step=5)
    assert upper.figure is lower.figure and upper.lines
    (panel,) = rp.plot([evaluate_file.write(tmp_path / "e.h5", LOSS)])
    assert panel.get_xlabel() == "window"
    compression = rp.read(write_compression(tmp_path / "c.h5", CompressDeck()))
    assert all(axes.get_label() != "<colorbar>" for axes in rp.plot(compression, view="layers"))
    with pytest.raises(rp.InputError, match="--view cuts is not of"):
        rp.plot(compression, view="cuts")
