"""The reference data: found for the right circuits only, accurate between grid points, of one sign."""

from math import pi

import numpy as np
import pytest
from rankine_postprocess import catalogue, read
from result_file import Deck, write


def entry(observable, steps, lattice="eagle"):
    return next(e for e in catalogue.CATALOGUE if (e.observable, e.steps, e.lattice) == (observable, steps, lattice))


def simulate(tmp_path, **deck):
    return read(write(tmp_path / "file.h5", Deck(**deck), {"Z62": lambda theta, chi, step: 0.0}))


def test_interpolation_meets_the_exact_magnetization():
    found = entry("magnetization", 5)
    grid_only = catalogue.Reference("eagle", "magnetization", 5, grid_file=found.grid_file)
    np.testing.assert_allclose(
        grid_only.exact(np.array([0.6, pi / 4])), [0.71823577085266, 0.45280386917345], rtol=0, atol=2e-14
    )


def test_clifford_points_lie_on_the_grids():
    np.testing.assert_allclose(entry("magnetization", 5).exact(np.array([0.0, pi / 2])), [1.0, 0.0], atol=1e-13)
    np.testing.assert_allclose(entry(catalogue.W10, 5).exact(np.array([0.0, pi / 2])), [0.0, 1.0], atol=1e-11)


def test_no_exact_value_outside_what_is_known():
    assert np.isnan(entry("magnetization", 5).exact(np.array([-0.1, 1.6]))).all()
    values = entry("Z62", 9).exact(np.array([7 * pi / 32, 8 * pi / 32]))
    assert values[0] == 0.631783068180 and np.isnan(values[1])


@pytest.mark.parametrize("observable", [catalogue.W17, catalogue.W17_MODIFIED])
def test_experiment_and_exact_values_have_the_literal_string_s_sign(observable):
    found = entry(observable, 5)
    exact = found.exact(np.array([14 * pi / 32]))[0]
    experiment = found.experiment()
    mitigated = np.interp(14 * pi / 32, experiment.theta_h, experiment.mitigated)
    assert exact < -0.5
    assert abs(mitigated - exact) < 0.12


def test_every_entry_can_be_loaded():
    for found in catalogue.CATALOGUE:
        assert found.exact_grid() or found.exact_points() or found.experiment()
    assert len(entry("magnetization", 5).experiment().theta_h) == 13
    assert len(entry("Z62", 20).experiment().theta_h) == 11


def test_a_reference_holds_for_its_own_circuit_only(tmp_path):
    simulation = simulate(tmp_path, steps=[5, 9])
    assert catalogue.find(simulation, "Z62", 9).steps == 9
    assert catalogue.find(simulation, "Z62", 8) is None
    assert catalogue.find(simulation, "Z61", 9) is None
    assert catalogue.find(simulate(tmp_path, theta_j=-1.0), "Z62", 5) is None
    assert catalogue.find(simulate(tmp_path, lattice="osprey"), "Z62", 5) is None


def test_the_final_layer_belongs_to_the_last_step(tmp_path):
    simulation = simulate(tmp_path, steps=[4, 5], final_rx_layer=True)
    shuffled = " ".join(reversed(catalogue.W17_MODIFIED.split()))
    assert catalogue.find(simulation, shuffled, 5).figure == "4a"
    assert catalogue.find(simulation, "magnetization", 5) is None
    assert catalogue.find(simulate(tmp_path, steps=[5, 6], final_rx_layer=True), "magnetization", 5).figure == "3a"
