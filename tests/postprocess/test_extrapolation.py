"""Values at infinite bond dimension: laws that are met exactly, stored curves whose ends are exact, the command."""

import h5py
import numpy as np
import pytest
from extrapolation_coverage import cases, covered
from rankine_postprocess import extrapolated, extrapolated_figure, read_simulation
from rankine_postprocess.extrapolation import extrapolate
from result_file import Deck, discarded_weight, write
from test_layout import check

CHI = np.array([8, 16, 32, 64])
WEIGHT = 1.0 / CHI**2


def test_a_value_linear_in_the_discarded_weight_is_met():
    found = extrapolate(CHI, 0.5 - 3.0 * WEIGHT, WEIGHT)
    assert abs(found.value - 0.5) < 1e-12
    assert found.uncertainty < 1.1 * abs(3.0 * WEIGHT[-1])  # that of the last value


def test_order_of_models_does_not_matter_and_points_that_are_not_done_do_not_count():
    value = 0.5 - 3.0 * WEIGHT
    with_gap = extrapolate([4, *CHI], [np.nan, *value], [np.nan, *WEIGHT])
    assert with_gap == extrapolate(CHI, value, WEIGHT)


def test_what_truncates_nothing_is_the_value():
    found = extrapolate(CHI, [0.3, 0.31, 0.32, 0.32], [1e-3, 1e-5, 1e-20, 1e-20])
    assert found.value == 0.32 and found.uncertainty < 1e-9 and not found.models


@pytest.mark.parametrize("weight", [[1e-3, 1e-4], [1e-3, 9e-4, 8e-4, 7e-4], [1e-4, 1e-4, 1e-4]])
def test_discarded_weights_that_do_not_fall_tell_nothing(weight):
    assert extrapolate(CHI[: len(weight)], np.arange(len(weight)), weight) is None


def test_a_value_that_stands_still_is_not_taken_for_exact():
    found = extrapolate(CHI, [0.4, 0.5, 0.5, 0.5], [1e-1, 3e-2, 1e-2, 3e-3])
    assert found.value == pytest.approx(0.5) and found.uncertainty >= 3e-5


@pytest.mark.parametrize("used", ["chosen", "held out"])
def test_exact_values_lie_within_the_uncertainty(used):
    found = [case for case in cases() if case.used == used]
    assert len(found) > 90
    assert covered(found) > 0.94 and covered(found, 2) > 0.97
    assert np.median([case.error / case.error_of_largest for case in found]) < 0.6
    assert np.median([case.uncertainty / case.error_of_largest for case in found]) < 4.0


def linear(theta, chi, step):
    return np.cos(theta) ** step - 0.1 * discarded_weight(theta, chi, step)


@pytest.fixture
def wide_sweep(tmp_path):
    deck = Deck(theta_h=[0.2, 0.6], max_bond_dimension=[8, 16, 32, 64], steps=[9])
    return write(tmp_path / "wide.h5", deck, {"Z62": linear})


def test_the_command_prints_a_row_for_each_angle(run, wide_sweep):
    code, out, _ = run("extrapolate", wide_sweep)
    assert code == 0 and out.isascii()
    title, _, _, _, *rows = out.splitlines()
    assert title == "Z62 at infinite bond dimension"
    angle, chi, _, _, value, uncertainty = rows[1].split()
    assert (angle, chi) == ("0.600000000", "64")
    assert float(value) == pytest.approx(np.cos(0.6) ** 9, abs=1e-9) and float(uncertainty) > 0


def test_files_of_one_bond_dimension_each_go_together(run, tmp_path, wide_sweep):
    files = [write(tmp_path / f"{chi}.h5", Deck(theta_h=[0.2, 0.6], max_bond_dimension=[chi], steps=[9]), {"Z62": linear})
             for chi in (8, 16, 32, 64)]  # fmt: skip
    assert run("extrapolate", *files)[1] == run("extrapolate", wide_sweep)[1]


def test_ignored_loops_and_exact_values_stand_beside(run, tmp_path):
    deck = Deck(theta_h=[0.6], max_bond_dimension=[4, 8, 16], steps=[9], loops_ignored=[6])
    out = run("extrapolate", write(tmp_path / "l.h5", deck, {"Z62": linear}))[1]
    assert "ignored loops" in out and "2.0e-02" in out and "no bond dimension removes it" in out
    values = {"magnetization": lambda theta, chi, step: 0.71823577085266 + 1.0 / chi**4}
    deck = Deck(theta_h=[0.6], max_bond_dimension=[4, 8, 16], steps=[5])
    out = run("extrapolate", write(tmp_path / "m.h5", deck, values))[1]
    assert "+0.7182357709" in out and "exact values within the uncertainty: 1 of 1" in out


def test_single_precision_is_not_trusted_beyond_its_digits(run, tmp_path):
    file = write(tmp_path / "s.h5", Deck(theta_h=[0.2], max_bond_dimension=[8, 16, 32], steps=[9]), {"Z62": lambda *point: 0.5})
    with h5py.File(file, "a") as opened:
        del opened["provenance/effective_deck"]
        opened["provenance/effective_deck"] = '[state]\nprecision = "complex64"  # deck\n'
    assert float(run("extrapolate", file)[1].splitlines()[-1].split()[-1]) >= 1e-5


@pytest.mark.parametrize("deck", [{}, {"loops_ignored": [6], "title": "A title that says everything about the run and the day on which it began"}])
def test_the_figure_shows_values_with_bars_and_their_errors(run, tmp_path, deck):
    deck = Deck(theta_h=[0.2, 0.4, 0.6], max_bond_dimension=[8, 16, 32, 64], steps=[9], **deck)
    file = write(tmp_path / "wide.h5", deck, {"Z62": linear})
    simulations = [read_simulation(file)]
    figure = extrapolated_figure.draw(extrapolated.extrapolated(simulations, "Z62"), simulations, "Z62")
    check(figure)
    upper, lower = figure.axes
    assert len(upper.containers) == 1 and {line.get_gid() for line in lower.lines} >= {"uncertainty", "moved"}
    assert ("loops are ignored" in figure._supxlabel.get_text()) == bool(deck.loops_ignored)
    assert run("extrapolate", file, "-o", tmp_path / "a.png")[0] == 0 and (tmp_path / "a.png").exists()


def test_one_bond_dimension_is_too_few(run, tmp_path):
    file = write(tmp_path / "one.h5", Deck(theta_h=[0.2, 0.6], max_bond_dimension=[8], steps=[9]), {"Z62": linear})
    code, _, err = run("extrapolate", file)
    assert code == 2 and "at least 3 bond dimensions" in err and err.count("\n") == 1
