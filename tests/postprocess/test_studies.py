"""Many runs: what becomes of the runs of a sweep as rows, in tables, in figures."""

import csv
import io
import json

import numpy as np
import pytest
import result_file
import sweep_folder
from compression_file import CompressDeck, legend_texts, lines
from compression_file import write as write_compression
from rankine_postprocess import plot_sweep, study_curves, study_figure, to_dataframe
from rankine_postprocess.errors import InputError
from rankine_postprocess.study import read_study
from rankine_postprocess.study_curves import Band
from rankine_postprocess.study_quantity import values_of
from result_file import Deck
from sweep_folder import began, ended
from test_commands import fails_in_one_line
from test_layout import check


@pytest.fixture(scope="module")
def adapters(tmp_path_factory):
    """A study of two kinds, four blocks, three seeds."""
    folder = tmp_path_factory.mktemp("adapters")
    sweep_folder.adapters(folder)
    return read_study([folder])


@pytest.fixture
def every_state(tmp_path):
    sweep_folder.with_every_state(tmp_path / "sweep")
    return tmp_path / "sweep"


def test_a_row_a_run_with_parameters_results_and_what_became_of_it(adapters):
    study = adapters
    assert len(study.rows) == len(study.runs) == 24
    assert study.parameters == ["adapter.kind", "adapter.block", "adapter.seed"]
    row = study.rows[3]
    assert (row["number"], row["state"], row["exit_code"], row["attempts"], row["run_seconds"]) == (4, "done", 0, 1, 12.5)
    assert (row["adapter.kind"], row["adapter.block"], row["perplexity_after"]) == ("cayley", 4, 21.8)
    assert (row["program_version"], row["git_commit"]) == ("0.1.0", "0123abc")


def test_runs_without_results_are_rows_too(every_state):
    study = read_study([every_state])
    assert [run.state for run in study.runs] == ["done", "failed", "stopped", "lost", "waiting", "lost"]
    failed, stopped, lost = study.runs[1:4]
    assert (failed.exit_code, failed.attempts) == (3, 1) and "Take more ranks." in failed.message
    assert failed.last_log_lines(2)[-1].startswith("error: ")
    assert (stopped.attempts, stopped.seconds, stopped.message) == (2, 25.0, "stopped at the wall time limit")
    assert (lost.exit_code, lost.ended_utc) == (None, "")
    assert study.rows[1]["adapter.block"] == 4 and "perplexity_after" not in study.rows[1]


def test_a_claim_that_is_held_means_that_the_run_is_running(every_state):
    with sweep_folder.held(read_study([every_state]).runs[3].result.parent):
        assert read_study([every_state]).runs[3].state == "running"
    assert read_study([every_state]).runs[3].state == "lost"


def test_a_run_that_was_told_to_try_again_waits(tmp_path):
    sweep = sweep_folder.Sweep(tmp_path)
    sweep.add({"adapter.block": 2}, notes=[began(), ended(3, "error"), {"again": "2026-01-31T13:00:00Z"}])
    sweep.add({"adapter.block": 4}, notes=[began(), ended(143, "ended by SIGTERM", was_asked=True)])
    assert [run.state for run in read_study([tmp_path]).runs] == ["waiting", "stopped"]


def test_what_a_killed_writer_left_does_not_hinder(every_state):
    failed, lost = (read_study([every_state]).runs[number].result.parent for number in (1, 3))
    with open(failed / "attempts.jsonl", "a") as file:
        file.write('{"began": "2026-02')
    (lost / "deck.toml").write_text("[adap")
    assert [run.state for run in read_study([every_state]).runs][1:4] == ["failed", "stopped", "lost"]
    for text in ("{", "[]", "{}", '{"number": "1", "parameters": {}}', '{"number": 1, "parameters": [1]}'):
        (failed / "run.json").write_text(text)
        study = read_study([every_state])
        assert study.runs[0].state == "unreadable" and "run.json is damaged" in study.runs[0].message


def test_a_result_that_cannot_be_read_is_told_and_the_others_are_shown(tmp_path, run):
    sweep = sweep_folder.adapters(tmp_path / "s", seeds=(1,), kinds=("cayley",))
    (tmp_path / "s" / "runs" / sweep.names[1] / "result.h5").write_bytes(b"nothing")
    code, out, _ = run("table", tmp_path / "s")
    assert code == 0 and "3 done, 1 unreadable" in out and "not a readable HDF5 file" in out


def test_runs_of_an_earlier_deck_are_not_of_the_study(tmp_path):
    sweep_folder.adapters(tmp_path, seeds=(1,), kinds=("cayley",))
    told = read_study([tmp_path]).runs[0].result.parent / "run.json"
    told.write_text(json.dumps(json.loads(told.read_text()) | {"number": None}))
    assert len(read_study([tmp_path]).runs) == 3


def test_a_folder_of_plain_files_is_a_study(tmp_path, run):
    for block in (2, 4):
        write_compression(tmp_path / f"{block}.h5", CompressDeck(block=block, perplexity=20 + block))
    write_compression(tmp_path / "8.h5.partial", CompressDeck(block=8), status="stopped")
    write_compression(tmp_path / "4.h5.partial", CompressDeck(block=4), status="stopped")  # of a run that was begun again
    study = read_study([tmp_path])
    assert [(run.name, run.state) for run in study.runs] == [("2", "done"), ("4", "done"), ("8", "stopped")]
    assert "adapter.block" in study.parameters
    assert run("table", tmp_path)[0] == 0


def test_several_points_of_a_simulation_are_rows(tmp_path):
    result_file.write(tmp_path / "a.h5", Deck(max_bond_dimension=[8, 16]), {"Z62": lambda theta, chi, step: theta + chi})
    study = read_study([tmp_path])
    assert len(study.rows) == 6 and len(study.runs) == 1
    assert set(study.parameters) == {"circuit.theta_h", "state.max_bond_dimension"}
    assert study.results[0] == "Z62" and study.rows[4]["Z62"] == pytest.approx(16.3)


def test_folders_without_runs_and_files_that_are_not_there_are_refused(tmp_path, run):
    fails_in_one_line(run("table", tmp_path), "neither runs of a sweep nor result files")
    fails_in_one_line(run("plot-sweep", tmp_path / "absent", "-o", tmp_path / "a.png"), "no such file")


def test_tables_for_people_and_programs(every_state, run):
    code, out, _ = run("table", every_state)
    assert code == 0 and out.startswith("6 runs: 1 done, 1 waiting, 1 stopped, 2 lost, 1 failed\n")
    assert "failed" in out.splitlines()[5] and "3 GiB of memory" in out.splitlines()[5]
    rows = list(csv.DictReader(io.StringIO(run("export", every_state)[1])))
    assert [row["state"] for row in rows] == ["done", "failed", "stopped", "lost", "waiting", "lost"]
    assert (rows[1]["adapter.block"], rows[1]["perplexity_after"], rows[0]["adapter.seed"]) == ("4", "", "1")
    fails_in_one_line(run("table", every_state, "--columns", "state,perplexty_after"), "perplexity_after")


def test_a_data_frame_has_numbers_where_runs_have_none(every_state):
    frame = to_dataframe(every_state)
    assert frame["perplexity_after"].dtype == float and frame["perplexity_after"].notna().sum() == 1
    assert list(frame["adapter.block"]) == [2, 4, 8, 16, 32, 64]


def test_quantities_are_columns_or_elements_of_datasets(adapters, tmp_path):
    study = adapters
    assert values_of(study, "perplexity_after")[3] == 21.8
    assert values_of(study, "healing_loss") == values_of(study, "healing_loss[-1]")
    assert values_of(study, "healing_loss[1]")[0] == 2.5
    for quantity, message in (("healing_loss[3]", "has no element"), ("healing_loss[0,0]", "1 axes to choose along"), ("losses", "no run has a number"),
                              ("a[b]", "is no quantity"), ("adapter.kind", "no run has a number")):  # fmt: skip
        with pytest.raises(InputError, match=message):
            values_of(study, quantity)
    result_file.write(tmp_path / "a.h5", Deck(steps=[4, 5]), {"magnetization": lambda theta, chi, step: theta * step})
    simulations = read_study([tmp_path], step=4)
    assert values_of(simulations, "site_z[62]")[2] == 0.0 and values_of(simulations, "magnetization")[1] == pytest.approx(1.2)


def test_lines_by_kind_along_the_block_and_bands_over_seeds(adapters):
    plan = study_curves.plan(adapters, quantity="perplexity_after")
    assert (plan.against, plan.apart, plan.over) == ("adapter.block", ("adapter.kind",), ("adapter.seed",))
    cayley = next(line for line in plan.lines if line.values == ("cayley",))
    assert cayley.x == [2, 4, 8, 16] and cayley.mean[1] == pytest.approx(22.0)
    assert (cayley.low[1], cayley.high[1], cayley.runs[1]) == (pytest.approx(21.8), pytest.approx(22.2), 3)
    error = study_curves.plan(adapters, quantity="perplexity_after", band=Band.ERROR).lines[1]
    assert error.high[1] - error.mean[1] == pytest.approx(0.2 / np.sqrt(3))


def test_what_was_asked_for_goes_before_what_is_natural(adapters):
    plan = study_curves.plan(adapters, quantity="perplexity_after", against="adapter.seed", apart=["adapter.block"], over=["adapter.kind"])
    assert [line.values for line in plan.lines] == [(2,), (4,), (8,), (16,)] and plan.lines[0].runs[0] == 2
    with pytest.raises(InputError, match="no run with 'perplexity_after' has 'adapter.size'"):
        study_curves.plan(adapters, quantity="perplexity_after", against="adapter.size")


def test_parameters_that_go_along_with_the_axis_make_no_lines(tmp_path):
    sweep = sweep_folder.Sweep(tmp_path)
    for block, steps in ((2, 10), (4, 20), (8, 40)):
        deck = CompressDeck(block=block, perplexity=20 + block, healing_loss=[1.0] * steps)
        sweep.add({"adapter.block": block, "heal.steps": steps, "export.directory": f"runs/{block}/model"},
                  lambda path, deck=deck: write_compression(path, deck))  # fmt: skip
    plan = study_curves.plan(read_study([tmp_path]), quantity="perplexity_after")
    assert plan.apart == () and len(plan.lines) == 1 and len(plan.lines[0].x) == 3


def test_the_figure_names_runs_that_are_missing(every_state, run, tmp_path):
    study = read_study([every_state])
    figure = study_figure.draw(study, study_curves.plan(study, quantity="perplexity_after", against="adapter.block"))
    footer = figure._supxlabel.get_text().replace("\n", " ")
    assert "1 value of 6 runs" in footer and "NOT IN THE FIGURE: 1 failed:" in footer and "block 4" in footer and "2 lost" in footer
    assert run("plot-sweep", every_state, "-o", tmp_path / "a.png", "--against", "adapter.block")[0] == 0
    assert (tmp_path / "a.png").stat().st_size > 10000


@pytest.mark.parametrize(("request_", "log_y"), [({}, True), ({"against": "adapter.seed"}, False), ({"against": "adapter.kind"}, False),
                                                 ({"quantity": "adapter/numbers"}, True), ({"apart": []}, False)])  # fmt: skip
def test_nothing_written_is_cut_or_covered(adapters, request_, log_y):
    check(study_figure.draw(adapters, study_curves.plan(adapters, **request_), log_y=log_y))


def test_bands_and_legends_are_drawn(adapters):
    figure = study_figure.draw(adapters, study_curves.plan(adapters, quantity="perplexity_after"))
    axes = figure.axes[0]
    assert len(lines(axes, "mean")) == 2 and len([one for one in axes.collections if one.get_gid() == "band"]) == 2
    assert legend_texts(figure) == ["block-diagonal", "cayley"] and axes.get_xscale() == "log"
    assert "band: least to largest" in figure._supxlabel.get_text()


def test_axes_of_others_can_be_drawn_on(every_state):
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    assert plot_sweep(every_state, axes=axes, quantity="perplexity_after", against="adapter.block", log="no") is axes
    assert len(lines(axes, "mean")) == 1 and axes.get_ylabel() == "perplexity after"
    assert plot_sweep(every_state, against="adapter.block").figure._suptitle is not None


def test_many_lines_have_a_colour_bar(tmp_path):
    sweep_folder.simulations(tmp_path, angles=tuple(np.linspace(0.1, 1.0, 10)))
    study = read_study([tmp_path])
    figure = study_figure.draw(study, study_curves.plan(study, quantity="Z62", against="state.max_bond_dimension"))
    assert len(figure.axes) == 2 and len(lines(figure.axes[0], "mean")) == 10
    check(figure)


def test_zeros_leave_gaps_on_a_logarithmic_axis(tmp_path):
    result_file.write(tmp_path / "a.h5", Deck(theta_h=[0.1, 0.2, 0.3]), {"Z62": lambda theta, chi, step: theta - 0.2})
    study = read_study([tmp_path])
    figure = study_figure.draw(study, study_curves.plan(study, quantity="Z62"), log_y=True)
    assert np.isnan(lines(figure.axes[0], "mean")[0].get_ydata()).sum() == 2
    assert "2 not above 0, not shown" in figure._supxlabel.get_text()


def test_extrapolation_takes_the_runs_of_a_sweep(tmp_path, run):
    sweep_folder.simulations(tmp_path)
    code, out, _ = run("extrapolate", tmp_path)
    assert code == 0 and len([line for line in out.splitlines() if line.startswith("0.")]) == 3
