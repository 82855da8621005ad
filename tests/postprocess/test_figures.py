"""What the figures contain, read off the Figure object, and that they are written."""

import h5py
import numpy as np
import pytest
from conftest import exact_magnetization
from matplotlib.backends.backend_agg import FigureCanvasAgg
from rankine_postprocess import InputError, catalogue, read
from rankine_postprocess.curves import Axis
from rankine_postprocess.figure import Overlay, draw, save
from result_file import Deck, write


def lines(panel, gid):
    return [line for line in panel.lines if line.get_gid() == gid]


def legend_texts(figure):
    legends = [child for child in figure.axes[0].get_children() if hasattr(child, "get_texts")]
    return {text.get_text() for legend in legends for text in legend.get_texts()}


def z62(theta, chi, step):
    return np.cos(theta) ** step - 1.0 / chi**3


def test_magnetization_with_exact_curve_and_experiment(eagle):
    figure = draw([read(eagle)], "magnetization")
    upper, lower = figure.axes
    assert len(lines(upper, "simulation")) == 1
    assert len(lines(upper, "exact")) == 1 and len(lines(upper, "exact")[0].get_xdata()) == 158
    mitigated, unmitigated = lines(upper, "experiment")
    assert mitigated.get_alpha() is None and unmitigated.get_alpha() < 1
    assert lower.get_yscale() == "log" and lower.get_ylabel() == "|simulation − exact|"
    assert figure._suptitle.get_text() == "Eagle, kicked Ising, five steps"
    assert {"simulation, $\\chi = 16$", "exact", "experiment, mitigated"} <= legend_texts(figure)


def test_footer_says_what_the_values_leave_out(tmp_path):
    path = write(tmp_path / "f.h5", Deck(steps=[2, 5], loops_ignored=[0, 6]), {"Z5": exact_magnetization})

    def footer(step):
        return draw([read(path)], "Z5", step=step)._supxlabel.get_text()

    assert "not exact: 6 loops of 4 or more sites ignored" in footer(5).replace("\n", " ")
    assert "not exact" not in footer(2)


def test_footer_says_where_the_numbers_come_from(eagle):
    footer = draw([read(eagle)], "magnetization")._supxlabel.get_text()
    for part in ("Eagle, 127 qubits", "5 steps", r"$\chi$ = 16", "rankine-simulate 0.1.0, commit 0123abc"):
        assert part in footer


def test_vanishing_errors_are_triangles_at_the_foot(tmp_path):
    deck = Deck(theta_h=[0.0, 0.3, 0.6])
    values = {"magnetization": lambda t, chi, step: exact_magnetization(t, chi, step) + (1e-9 if t else 0.0)}
    lower = draw([read(write(tmp_path / "f.h5", deck, values))], "magnetization").axes[1]
    (floor,) = lines(lower, "floor")
    assert floor.get_xdata().tolist() == [0.0] and floor.get_marker() == "v"
    error = lines(lower, "error")[0].get_ydata()
    assert np.isnan(error[0])
    np.testing.assert_allclose(error[1:], 1e-9, rtol=1e-4)
    assert lower.get_ylim()[0] < floor.get_ydata()[0] < 1e-9
    ticks = {lower.yaxis.get_major_formatter()(tick, 0) for tick in lower.get_yticks()}
    assert r"$\leq 10^{-17}$" in ticks


def test_sweep_draws_a_curve_per_bond_dimension(sweep):
    figure = draw([read(sweep)], "Z62", step=4)
    upper, lower = figure.axes
    drawn = lines(upper, "simulation")
    assert [line.get_label() for line in drawn] == [r"$\chi = 8$", r"$\chi = 16$", r"$\chi = 32$"]
    assert len({tuple(line.get_color()) for line in drawn}) == 3
    assert lower.get_ylabel() == r"|difference to $\chi$ = 32|"
    distances = lines(lower, "convergence")
    assert len(distances) == 2
    np.testing.assert_allclose(distances[0].get_ydata(), 8.0**-3 - 32.0**-3)


def test_sweep_over_several_files_is_merged(tmp_path):
    files = [
        read(write(tmp_path / f"{chi}.h5", Deck(theta_h=[0.1, 0.2], max_bond_dimension=[chi]), {"Z62": z62}))
        for chi in (16, 8)
    ]
    upper = draw(files, "Z62").axes[0]
    assert [line.get_label() for line in lines(upper, "simulation")] == [r"$\chi = 8$", r"$\chi = 16$"]


def test_the_same_points_twice_stay_apart(tmp_path):
    files = [read(write(tmp_path / name, Deck(), {"Z62": z62})) for name in ("double.h5", "single.h5")]
    labels = {line.get_label() for line in lines(draw(files, "Z62").axes[0], "simulation")}
    assert labels == {"Eagle, 127 qubits (double)", "Eagle, 127 qubits (single)"}


def test_lattices_get_a_curve_each(tmp_path):
    names = ["infinite-heavy-hex", "condor", "eagle", "osprey"]
    files = [
        read(write(tmp_path / f"{name}.h5", Deck(lattice=name, title=name), {"magnetization": exact_magnetization}))
        for name in names
    ]
    figure = draw(files, "magnetization")
    labels = [line.get_label() for line in lines(figure.axes[0], "simulation")]
    assert labels == ["Eagle, 127 qubits", "Osprey, 433 qubits", "Condor, 1121 qubits", "infinite heavy-hex"]
    assert len({line.get_color() for line in lines(figure.axes[0], "simulation")}) == 4
    assert "M_z" in figure._suptitle.get_text()


def test_one_angle_is_drawn_against_the_step(tmp_path):
    deck = Deck(theta_h=[0.6], steps=list(range(1, 21)))
    figure = draw([read(write(tmp_path / "f.h5", deck, {"magnetization": exact_magnetization}))], "magnetization")
    upper, lower = figure.axes
    assert lower.get_xlabel() == "Trotter step"
    assert lines(upper, "simulation")[0].get_xdata().tolist() == deck.steps
    assert lines(upper, "exact")[0].get_xdata().tolist() == [5.0]
    assert not lines(upper, "experiment")
    assert len(lines(lower, "error")) == 1 and len(lines(lower, "convergence")) == 1
    assert {"1 − fidelity (truncation)", "|simulation − exact|"} <= legend_texts(figure)


def test_convergence_view(sweep):
    figure = draw([read(sweep)], "Z62", axis=Axis.BOND_DIMENSION)
    upper, middle, lower = figure.axes
    assert len(lines(upper, "simulation")) == len(lines(lower, "discarded weight")) == 3  # angles
    assert lines(upper, "simulation")[0].get_xdata().tolist() == [8, 16, 32]
    change = lines(middle, "convergence")[0].get_ydata()
    assert np.isnan(change[0])
    np.testing.assert_allclose(change[1:], [8.0**-3 - 16.0**-3, 16.0**-3 - 32.0**-3])
    assert lower.get_xscale() == "log" and lower.get_ylabel() == "discarded weight"


def test_many_curves_share_a_colour_bar(tmp_path):
    deck = Deck(theta_h=list(np.linspace(0, 1.5, 12)), max_bond_dimension=[8, 16])
    figure = draw([read(write(tmp_path / "f.h5", deck, {"Z62": z62}))], "Z62", axis=Axis.BOND_DIMENSION)
    assert len(figure.axes) == 4
    assert figure.axes[3].get_ylabel() == r"$\theta_h$ (rad)"
    assert "Eagle, 127 qubits" not in legend_texts(figure)


def test_z62_at_twenty_steps_shows_experiment_and_published_spread(tmp_path):
    deck = Deck(theta_h=[0.2, 0.4, 0.6], max_bond_dimension=[8, 16], steps=[20])
    simulation = read(write(tmp_path / "f.h5", deck, {"Z62": z62}))
    upper = draw([simulation], "Z62").axes[0]
    assert len(lines(upper, "experiment")) == 2
    (band,) = [collection for collection in upper.collections if collection.get_gid() == "spread"]
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx(z62(0.2, 16, 20) + 0.0225)
    assert "0.045" in band.get_label()


def test_strings_are_drawn_with_the_experiment_s_sign(tmp_path):
    values = {catalogue.W17: lambda theta, chi, step: -(np.sin(theta) ** 30)}
    figure = draw([read(write(tmp_path / "f.h5", Deck(theta_h=[0.5, 1.0, 1.5]), values))], catalogue.W17)
    assert min(lines(figure.axes[0], "experiment")[0].get_ydata()) < -0.9
    assert figure.axes[0].get_ylabel() == r"$\langle W_{17}\rangle$"
    assert "W_{17} = X_{37,41," in figure._supxlabel.get_text()


def test_overlays_are_curves_over_theta_h(sweep):
    overlay = Overlay("mps_$chi$", np.array([0.0, 1.0]), np.array([1.0, 0.2]))
    figure = draw([read(sweep)], "Z62", overlays=[overlay])
    assert len(lines(figure.axes[0], "overlay")) == 1
    save(figure, sweep.with_suffix(".pdf"))
    with pytest.raises(InputError, match="overlay"):
        draw([read(sweep)], "Z62", axis=Axis.STEP, overlays=[overlay])


def test_partial_results_say_so(tmp_path):
    path = write(tmp_path / "f.h5", Deck(steps=[1, 2, 5]), {"Z62": z62}, status="running")
    with h5py.File(path, "a") as file:
        file["results/Z62"][1:, :] = np.nan
    figure = draw([read(path, allow_partial=True)], "Z62", axis=Axis.STEP)
    assert "PARTIAL RESULT (status running)" in figure._supxlabel.get_text()
    save(figure, tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 10_000


@pytest.mark.parametrize("axis", ["theta_h", "step", "bond-dimension"])
def test_figures_are_written_with_room_for_legend_and_title(run, sweep, axis):
    target = sweep.with_name("figure.png")
    code, _, err = run("plot", sweep, "-o", target, "--against", axis)
    assert (code, err) == (0, "")
    assert target.read_bytes().startswith(b"\x89PNG")


def test_legend_and_title_overlap_neither_each_other_nor_the_data(eagle, tmp_path):
    figure = draw([read(eagle)], "magnetization")
    save(figure, tmp_path / "f.png")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    upper = figure.axes[0]
    legends = [child for child in upper.get_children() if hasattr(child, "get_texts")]
    rows = [[text.get_window_extent(canvas.get_renderer()) for text in legend.get_texts()] for legend in legends]
    rows += [[upper.bbox], [figure._suptitle.get_window_extent(canvas.get_renderer())]]
    spans = sorted((min(box.y0 for box in row), max(box.y1 for box in row)) for row in rows)
    assert len(spans) == 4
    assert all(below[1] < above[0] for below, above in zip(spans, spans[1:]))
    assert spans[-1][1] <= figure.bbox.y1
    assert all(box.x1 <= figure.bbox.x1 for row in rows for box in row)


def test_default_observable_is_the_magnetization(run, eagle, tmp_path):
    code, _, err = run("plot", eagle, "-o", tmp_path / "f.png")
    assert code == 0
    assert err.startswith("observable: magnetization (choose another of X13 X29")
