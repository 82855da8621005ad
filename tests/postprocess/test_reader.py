"""Reading result files, and refusing those that cannot be trusted."""

import hashlib

import h5py
import numpy as np
import pytest
from rankine_postprocess import InputError, read
from rankine_postprocess.curves import Axis, gather
from rankine_postprocess.labels import footer
from rankine_postprocess.table import header, table
from result_file import Deck, write

ZERO = {"Z62": lambda theta, chi, step: 0.0}


def test_reads_everything(eagle):
    simulation = read(eagle)
    assert (simulation.lattice, simulation.n_sites, simulation.n_edges) == ("eagle", 127, 144)
    assert simulation.title == "Eagle, kicked Ising, five steps"
    assert simulation.theta_j == -np.pi / 2 and not simulation.final_rx_layer
    assert (simulation.program_version, simulation.git_commit, simulation.n_ranks) == ("0.1.0", "0123abc", 2)
    assert list(simulation.observables) == ["X13 X29", "magnetization"]
    assert simulation.observables["X13 X29"].route == "mean-field"
    assert simulation.site_z.shape == (3, 1, 127)
    assert simulation.point_seconds.tolist() == [0.5] * 3
    assert "title" in simulation.effective_deck and "step 2" in simulation.log


def test_selects_by_observable_step_and_bond_dimension(sweep):
    simulation = read(sweep)
    theta_h, value = simulation.curve("Z62", step=3, max_bond_dimension=16)
    assert theta_h.tolist() == [0.2, 0.4, 0.6]
    np.testing.assert_allclose(value, np.cos(theta_h) ** 3 - 16.0**-3, rtol=0, atol=1e-15)
    _, last_at_largest = simulation.curve("Z62")
    np.testing.assert_allclose(last_at_largest, np.cos(theta_h) ** 9 - 32.0**-3, rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", ["X13 X29", "X29 X13", "X13_X29"])
def test_factors_of_a_string_come_in_any_order(eagle, name):
    assert read(eagle).observable(name).name == "X13 X29"


def test_missing_selections_list_what_there_is(sweep):
    simulation = read(sweep)
    with pytest.raises(InputError, match="no observable 'Z61'. Present: 'Z62'"):
        simulation.observable("Z61")
    with pytest.raises(InputError, match="step 12 was not measured. Measured steps: 1, 2"):
        simulation.curve("Z62", step=12)
    with pytest.raises(InputError, match="max_bond_dimension 64. Present: 8, 16, 32"):
        simulation.curve("Z62", max_bond_dimension=64)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"filetype": "rankine-knit"}, "filetype is 'rankine-knit'"),
        ({"format_version": 2}, "format_version is 2"),
        ({"status": "stopped"}, "status is 'stopped'.*--allow-partial"),
    ],
)
def test_refuses_unknown_headers(tmp_path, attributes, message):
    path = write(tmp_path / "file.h5", Deck(), ZERO)
    with h5py.File(path, "a") as file:
        file.attrs.update(attributes)
    with pytest.raises(InputError, match=message):
        read(path)


def test_partial_files_are_read_on_request(tmp_path):
    path = write(tmp_path / "file.h5", Deck(steps=[1, 2, 3]), ZERO, status="running")
    with h5py.File(path, "a") as file:
        file["results/Z62"][:, 1:] = np.nan
    simulation = read(path, allow_partial=True)
    assert simulation.status == "running"
    assert simulation.last_step == 1


def test_bytes_attributes_read_as_text(tmp_path):
    path = write(tmp_path / "file.h5", Deck(), ZERO)
    with h5py.File(path, "a") as file:
        file.attrs["filetype"] = np.bytes_("rankine-simulate")
        file["results"].attrs["lattice"] = np.bytes_("eagle")
    assert read(path).lattice == "eagle"


@pytest.mark.parametrize("missing", ["results/theta_h", "results/fidelity", "results"])
def test_refuses_incomplete_content(tmp_path, missing):
    path = write(tmp_path / "file.h5", Deck(), ZERO)
    with h5py.File(path, "a") as file:
        del file[missing]
    with pytest.raises(InputError, match="missing"):
        read(path)


def test_refuses_misshapen_observables(tmp_path):
    path = write(tmp_path / "file.h5", Deck(), ZERO)
    with h5py.File(path, "a") as file:
        del file["results/Z62"]
        file["results/Z62"] = np.zeros((2, 1))
    with pytest.raises(InputError, match=r"/results/Z62 has shape \(2, 1\), expected \(3, 1\)"):
        read(path)


def test_refuses_what_is_not_hdf5(tmp_path):
    path = tmp_path / "notes.h5"
    path.write_text("theta_h,value\n")
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        read(path)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "absent.h5")


def with_inputs(path):
    """A file of a gate list without the deck's angles, with its lattice and gates."""
    edges, steps, order = "3\n0 1 0\n2 1 1\n", ["rx 0 0.5\n", "cx 0 1\n"], [0, 1, 0]
    gates = "rx 0 0.5\nstep\ncx 0 1\nstep\nrx 0 0.5\nstep\n"
    with h5py.File(path, "a") as file:
        del file["results/theta_h"], file["results"].attrs["theta_j"], file["results"].attrs["final_rx_layer"]
        file["results"].attrs["circuit"] = "gate-list"
        file["inputs/edges"] = np.array([[0, 1, 0], [2, 1, 1]])
        file["inputs/edges"].attrs.update({"n_sites": 3, "sha256": hashlib.sha256(edges.encode()).hexdigest()})
        file["inputs/steps"] = steps
        file["inputs/step_order"] = order
        file["inputs/step_order"].attrs["sha256"] = hashlib.sha256(gates.encode()).hexdigest()
    return gates


def test_the_lattice_and_the_gates_of_a_file(tmp_path):
    path = write(tmp_path / "file.h5", Deck(), ZERO)
    assert read(path).inputs is None
    gates = with_inputs(path)
    inputs = read(path).inputs
    assert (inputs.n_sites, inputs.edge_list, inputs.gate_list) == (3, "0 1 0\n2 1 1\n", gates)
    with h5py.File(path, "a") as file:
        file["inputs/step_order"][2] = 1
    with pytest.raises(InputError, match="the gates of /inputs do not fit their hash"):
        read(path)
    with h5py.File(path, "a") as file:
        file["inputs/step_order"][2] = 7
    with pytest.raises(InputError, match="the group /inputs is damaged"):
        read(path)


def test_angles_that_no_gate_has_are_not_shown(tmp_path):
    path = write(tmp_path / "file.h5", Deck(), ZERO)
    with_inputs(path)
    simulation = read(path)
    assert simulation.theta_j is None and not simulation.uses_theta_h
    assert "theta" not in header(simulation) + table(simulation, [0])
    assert "theta" not in footer(gather([simulation], "Z62", None), Axis.STEP)
