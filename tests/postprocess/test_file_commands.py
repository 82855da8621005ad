"""Commands that take files of every kind: table, list, show, diff, export, timing; and losses of windows."""

import csv
import io
import json

import bench_file
import evaluate_file
import h5py
import numpy as np
import pytest
import test_bench
from compression_file import CompressDeck, noise
from compression_file import write as write_compression
from distill_file import DistillDeck
from distill_file import write as write_distillation
from evaluate_file import add_profile
from image_file import ImageDeck
from image_file import write as write_images
from rankine_postprocess import bench_bars, export, figure, profile_figure, read_profile, window_figure, window_scores
from result_file import Deck, write
from test_commands import fails_in_one_line

LOSS = [1.0, 1.5, 2.0, 1.25, 1.75]


def simulation(path, **more):
    return write(path, Deck(steps=[2, 5], **more), {"Z62": lambda theta, chi, step: theta + step})


KINDS = {
    "simulate": simulation,
    "evaluate": lambda path: evaluate_file.write(path, LOSS),
    "images": lambda path: write_images(path, ImageDeck()),
    "compress": lambda path: write_compression(path, CompressDeck(block=4, noise=noise(4), healing_loss=[3.0 - 0.1 * k for k in range(30)])),
    "distill": lambda path: write_distillation(path, DistillDeck(slices=["a", "b"], teams=2)),
    "distill of images": lambda path: write_distillation(path, DistillDeck(is_of_images=True, slices=["a"])),
    "bench": lambda path: test_bench.write(path, 2, lambda n, method: 1e-9 * n**3),
    "bench gpeps": lambda path: bench_file.write(path, "gpeps"),
    "bench images": lambda path: bench_file.write(path, "images"),
}


@pytest.fixture(params=KINDS)
def any_file(request, tmp_path):
    return KINDS[request.param](tmp_path / "file.h5")


def test_every_command_takes_every_kind(run, any_file, tmp_path, monkeypatch):
    monkeypatch.setattr(figure, "save", lambda drawn, path: drawn.draw_without_rendering())
    add_profile(any_file, [[1.0, 2.0], [0.5, 0.25]])
    for command in (["table", any_file], ["table", any_file, any_file], ["list", tmp_path], ["show", any_file, "provenance"],
                    ["diff", any_file, any_file], ["export", any_file], ["timing", any_file, "-o", "f.png"],
                    ["plot", any_file, "-o", "f.png"], ["plot", any_file, "-o", "f.png", "--view", "timing"]):  # fmt: skip
        code, out, err = run(*command)
        told = [line for line in err.splitlines() if not line.startswith("observable: ")]
        assert (code, told) == (0, []), command
        assert out or command[0] == "plot"


def test_table_of_an_evaluation_has_all_it_holds(run, tmp_path):
    code, out, _ = run("table", evaluate_file.write(tmp_path / "f.h5", LOSS * 10, divergence=0.1))
    assert code == 0
    for part in ("Tiny on a text", "4.481689    about perplexity", "about scored_tokens", "over 50 windows",
                 "negative_log_likelihood [nat]", "Once upon", "load_seconds"):  # fmt: skip
        assert part in out
    row = next(line for line in out.splitlines() if line.startswith("negative_log")).split()
    assert row[-5:] == ["1", "1.75", "1", "2", "1.5"]


def test_table_of_a_compression_has_weights_and_maps(run, tmp_path):
    code, out, _ = run("table", KINDS["compress"](tmp_path / "f.h5"))
    assert code == 0
    assert "perplexity_after" in out and "noise/perplexity" in out and "adapter/numbers" in out
    weights = [line for line in out.splitlines() if "self_attn.q_proj" in line]
    assert len(weights) == 3 and all("pivoted" in line for line in weights)


def test_table_of_several_runs_shows_what_differs(run, tmp_path):
    files = [write_compression(tmp_path / f"{ratio}.h5", CompressDeck(ratio=ratio, perplexity=20 / ratio)) for ratio in (0.8, 0.6)]
    code, out, _ = run("table", *files)
    assert code == 0
    titles, _, *rows = [line.split() for line in out.strip().splitlines()]
    assert titles[:4] == ["file", "ranks.parameter_ratio", "perplexity_after", "perplexity_before"]
    assert [row[:3] for row in rows] == [["0.8.h5", "0.8", "25"], ["0.6.h5", "0.6", "33.33333"]]
    _, out, _ = run("table", *files, "--columns", "method.form,perplexity_after")
    assert out.splitlines()[0].split() == ["file", "method.form", "perplexity_after"]
    fails_in_one_line(run("table", *files, "--columns", "perplexity"), "no run has 'perplexity'", "perplexity_after")
    fails_in_one_line(run("table", *files, "--all-steps"), "--all-steps is for one file")
    fails_in_one_line(run("table", *files, tmp_path / "absent.h5"), "no such file")


def test_table_of_simulations_has_a_row_a_point(run, tmp_path):
    files = [simulation(tmp_path / "a.h5", theta_h=[0.1, 0.2]), simulation(tmp_path / "b.h5", theta_h=[0.3])]
    _, out, _ = run("table", *files, "--step", 2)
    titles, _, *rows = [line.split() for line in out.strip().splitlines()]
    column = titles.index("Z62")
    assert [(row[0], row[1], row[column]) for row in rows] == [("a.h5", "0.1", "2.1"), ("a.h5", "0.2", "2.2"), ("b.h5", "0.3", "2.3")]


def test_list_shows_finished_and_unfinished_runs(run, tmp_path):
    simulation(tmp_path / "a.h5")
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "b.h5.partial", Deck(title="Half"), {"Z62": lambda *point: np.nan}, status="running")
    (tmp_path / "broken.h5").write_text("no HDF5")
    (tmp_path / "notes.txt").write_text("no result")
    with h5py.File(tmp_path / "images.h5", "w") as foreign:
        foreign["pixels"] = np.zeros(3)
    code, out, _ = run("list", tmp_path)
    assert code == 0
    lines = out.splitlines()
    assert lines[2].split()[:4] == ["a.h5", "simulate", "complete", "2025-01-02T03:04:05Z"] and "last of 3 points" in lines[2]
    assert lines[3].split()[:3] == ["deep/b.h5.partial", "simulate", "running"] and "Half" in lines[3]
    assert lines[4].startswith("broken.h5: not a readable HDF5 file")
    assert lines[5:] == ["1 HDF5 file of other programs"]
    fails_in_one_line(run("list", tmp_path / "absent"), "not a folder")
    (tmp_path / "empty").mkdir()
    assert "no result file" in run("list", tmp_path / "empty")[1]


def test_show_prints_parts(run, tmp_path):
    file = evaluate_file.write(tmp_path / "f.h5", LOSS)
    assert run("show", file, "deck")[1].startswith("[model]\npath")
    assert run("show", file, "log")[1] == "begun\ndone\n"
    provenance = run("show", file, "provenance")[1]
    assert "git_commit       0123abc" in provenance and "torch            1.13" in provenance
    assert provenance.splitlines()[-1] == run("show", file, "inputs")[1].strip() == f"{'ab' * 32}  text.txt"
    fails_in_one_line(run("show", file, "edges"), "holds no lattice")
    with h5py.File(file, "a") as handle:
        del handle["log"]
    fails_in_one_line(run("show", file, "log"), "holds no log")


def test_show_prints_the_lattice_and_the_gates_of_a_simulation(run, tmp_path):
    file = simulation(tmp_path / "f.h5")
    with h5py.File(file, "a") as handle:
        handle["inputs/edges"] = np.array([[0, 1, 0], [1, 2, 1]])
        handle["inputs/edges"].attrs["sha256"] = "cd" * 32
        handle["inputs/steps"] = np.array(["rx 0 theta_h\n", "h 1\n"], dtype=h5py.string_dtype())
        handle["inputs/step_order"] = np.array([1, 0, 1])
    assert run("show", file, "edges")[1] == "0 1 0\n1 2 1\n"
    assert run("show", file, "gates")[1] == "h 1\nstep\nrx 0 theta_h\nstep\nh 1\nstep\n"
    assert f"{'cd' * 32}  /inputs: edges" in run("show", file, "inputs")[1]


def test_diff_finds_what_differs(run, tmp_path):
    first = evaluate_file.write(tmp_path / "a.h5", LOSS)
    code, out, _ = run("diff", first, first)
    assert code == 0 and out.splitlines()[-1] == "no difference"
    second = evaluate_file.write(tmp_path / "b.h5", [*LOSS[:4], 1.76], text="other.txt", git_commit="9999", n_ranks=3)
    code, out, _ = run("diff", first, second)
    assert code == 1
    for part in ("evaluate.text", "other.txt", "git_commit", "9999", "3 ranks"):
        assert part in out
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert rows["negative_log_likelihood"][1:7] == ["1", "of", "5", "0.01", "0.005", "[4]"]
    assert rows["perplexity"][1:4] == ["1", "of", "1"]
    same = evaluate_file.write(tmp_path / "c.h5", [*LOSS[:4], 1.75 + 1e-13], n_ranks=2)
    assert run("diff", first, same)[0] == 1 and run("diff", first, same, "--tolerance", "1e-12")[0] == 0
    longer = evaluate_file.write(tmp_path / "d.h5", [*LOSS, 1.0])
    assert "negative_log_likelihood: 5 and 6" in run("diff", first, longer)[1]
    assert "only" in run("diff", first, simulation(tmp_path / "s.h5"))[1]


def test_diff_leaves_out_times_and_where_results_go(run, tmp_path):
    files = [evaluate_file.write(tmp_path / name, LOSS) for name in ("a.h5", "b.h5")]
    for file, seconds in zip(files, (1.0, 2.0)):
        with h5py.File(file, "a") as handle:
            del handle["provenance/effective_deck"]
            handle["provenance/effective_deck"] = f"[output]\nfile = '{file.name}'\n[run]\nwall_time_limit = {seconds}\n"
            evaluate_file.put(handle, "results/seconds", seconds, [], "s")
    assert run("diff", *files)[0] == 0


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_export_writes_runs_exactly(run, tmp_path):
    files = [simulation(tmp_path / "a.h5", theta_h=[0.1, 1 / 3]), evaluate_file.write(tmp_path / "e.h5", LOSS)]
    code, out, _ = run("export", *files)
    assert code == 0
    rows = rows_of(out)
    assert [row["kind"] for row in rows] == ["rankine-simulate"] * 2 + ["rankine-evaluate"]
    assert float(rows[1]["Z62"]) == 1 / 3 + 5 and rows[2]["Z62"] == "" and float(rows[2]["perplexity"]) == np.exp(1.5)
    output = tmp_path / "t.csv"
    assert run("export", *files, "-o", output, "--columns", "file,Z62") == (0, "", "")
    assert output.read_text().splitlines()[0] == "file,Z62"
    fails_in_one_line(run("export", *files, "-o", tmp_path / "absent" / "t.csv"), "cannot be written")
    fails_in_one_line(run("export", *files, "--columns", "Z63"), "no run has 'Z63'")


def test_export_writes_values_with_their_labels(run, tmp_path):
    file = simulation(tmp_path / "a.h5", theta_h=[0.1, 0.2])
    rows = rows_of(run("export", file, "--values", "Z62", "--values", "theta_h")[1])
    assert [(row["theta_h"], row["steps"], row["Z62"]) for row in rows] == [
        ("0.1", "2", "2.1"), ("0.1", "5", "5.1"), ("0.2", "2", "2.2"), ("0.2", "5", "5.2")]  # fmt: skip
    assert rows_of(run("export", file, file, "--values", "Z62")[1])[4]["file"] == str(file)
    weights = rows_of(run("export", KINDS["compress"](tmp_path / "c.h5"), "--values", "weights")[1])
    assert len(weights) == 12 and {row["form"] for row in weights} == {"pivoted"}
    profile = rows_of(run("export", add_profile(file, [[1.0, 2.0], [3.0, 4.0]]), "--values", "timing/profile")[1])
    assert [(row["stage"], row["ranks"], row["seconds"]) for row in profile][1:3] == [("stage 0", "1", "2.0"), ("stage 1", "0", "3.0")]
    fails_in_one_line(run("export", file, "--values", "nothing"), "no dataset 'nothing'")
    evaluation = evaluate_file.write(tmp_path / "e.h5", LOSS)
    fails_in_one_line(run("export", evaluation, "--values", "results"), "'prompts' is over prompts and does not go into a table over windows")
    fails_in_one_line(run("export", file, "--values", "Z62", "--step", 2), "has all steps")


def test_lists_and_truth_values_in_csv():
    columns = {"a": np.array([[1, 2], None, True], dtype=object), "b": np.array([0.1, np.nan, np.inf])}
    file = io.StringIO()
    export._write_csv(columns, file)
    assert file.getvalue() == 'a,b\n"[1, 2]",0.1\n,\ntrue,inf\n'


def test_parquet_is_written_or_says_what_it_needs(run, tmp_path):
    file, output = simulation(tmp_path / "a.h5", theta_h=[0.1, 0.2]), tmp_path / "t.parquet"
    fails_in_one_line(run("export", file, "--format", "parquet"), "Name a file with -o")
    try:
        from pyarrow import parquet
    except ImportError:
        try:
            import fastparquet  # noqa: F401
        except ImportError:
            fails_in_one_line(run("export", file, "-o", output), "Parquet needs pyarrow, or pandas with fastparquet")
        return
    assert run("export", file, "-o", output)[0] == 0
    assert parquet.read_table(output).column("Z62").to_pylist() == [5.1, 5.2]


def test_columns_of_parquet_have_one_type():
    mixed = export._of_one_type(np.array([1, None, 2.5], dtype=object))
    assert mixed.dtype == float and np.isnan(mixed[1])
    lists = export._of_one_type(np.array([[1, 2], None, "a"], dtype=object))
    assert json.loads(lists[0]) == [1, 2] and lists[1] is None and lists[2] == "a"


def test_timing_tells_imbalance_rates_and_bytes(run, tmp_path):
    file = add_profile(simulation(tmp_path / "f.h5"), [[1.0, 3.0], [2.0, 2.0], [0.0, 0.0]], ["SVD", "GEMM", "idle"])
    code, out, _ = run("timing", file)
    assert code == 0 and "2 ranks, 5 s" in out
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert rows["SVD"] == ["SVD", "3", "1", "2", "3", "50.0", "%", "1.50", "1", "4", "KiB"]
    assert rows["idle"][1:8] == ["3", "0", "0", "0", "0.0", "%", "-"]
    assert rows["all"][-2:] == ["12", "KiB"]
    older = evaluate_file.write(tmp_path / "old.h5", LOSS)
    assert "load_seconds" in run("timing", older)[1]
    assert "has no /timing/profile" in run("timing", older, "-o", tmp_path / "f.png")[2]


@pytest.mark.parametrize("ranks", [1, 4, 200])
def test_timing_draws_a_bar_a_rank_that_adds_up(tmp_path, ranks):
    seconds = [list(1.0 + k + 0.1 * np.arange(ranks) / ranks) for k in range(12)]
    profile = read_profile(add_profile(simulation(tmp_path / "f.h5"), seconds))
    panel = profile_figure.draw([profile]).axes[0]
    total = profile.seconds.sum(axis=0)
    if ranks <= 64:
        tops = {round(bar.get_x() + bar.get_width() / 2): bar.get_y() + bar.get_height() for bar in panel.patches}
        assert np.allclose([tops[rank] for rank in range(ranks)], total)
    else:
        assert np.allclose(panel.patches[-1].get_data().values, total)
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert labels[0] == "other stages" and labels[-1] == "stage 11" and len(labels) == 9


@pytest.mark.parametrize("damage", [lambda group: group.__delitem__("calls"), lambda group: group["seconds"].__setitem__((0, 0), -1.0),
                                    lambda group: group["seconds"].__setitem__((0, 0), np.nan),
                                    lambda group: (group.__delitem__("stage"), group.create_dataset("stage", data=[1.0]))])  # fmt: skip
def test_a_damaged_profile_is_refused(run, tmp_path, damage):
    file = add_profile(simulation(tmp_path / "f.h5"), [[1.0, 2.0], [3.0, 4.0]])
    with h5py.File(file, "a") as handle:
        damage(handle["timing/profile"])
    code, _, err = run("timing", file)
    assert code == 2 and err.count("\n") == 1


def test_two_language_models_on_the_same_windows(run, tmp_path):
    first, second = (evaluate_file.write(tmp_path / f"{gap}.h5", [one + gap * (1 + 0.1 * k) for k, one in enumerate(LOSS)]) for gap in (0.0, 0.1))
    code, out, _ = run("compare", first, second)
    assert code == 0 and "worse with the second    5 of 5 windows" in out
    found = window_scores.compare(*(window_scores.read_window_scores(file) for file in (first, second)))
    gaps = 0.1 * (1 + 0.1 * np.arange(5))
    assert found.difference == pytest.approx(gaps.mean())
    assert found.reach == pytest.approx(2.776445 * gaps.std(ddof=1) / np.sqrt(5), rel=2e-2)  # Student's, four degrees of freedom
    fails_in_one_line(run("compare", first, evaluate_file.write(tmp_path / "o.h5", LOSS, text="other.txt")), "scored on other windows")
    fails_in_one_line(run("compare", first, evaluate_file.write(tmp_path / "t.h5", LOSS, tokens=99)), "scored on other windows")
    fails_in_one_line(run("compare", first, simulation(tmp_path / "s.h5")), "holds no losses of windows")


def test_losses_of_windows_are_drawn(tmp_path):
    files = [evaluate_file.write(tmp_path / f"{name}.h5", LOSS, divergence=value) for name, value in (("a", None), ("b", 0.2))]
    figure_of = window_figure.draw([window_scores.read_window_scores(file) for file in files])
    upper, lower = figure_of.axes
    assert [line.get_ydata().tolist() for line in upper.lines if line.get_gid() == "loss"] == [LOSS, LOSS]
    assert [line.get_ydata()[0] for line in upper.lines if line.get_gid() == "mean"] == [1.5, 1.5]
    assert [line.get_ydata().tolist() for line in lower.lines] == [[0.2] * 5]
    assert "perplexity 4.48169" in upper.get_legend().get_texts()[0].get_text()


def test_two_simulations_are_compared(run, tmp_path):
    files = [write(tmp_path / f"{k}.h5", Deck(), {"Z62": lambda theta, chi, step, k=k: theta + k}) for k in (0, 0.25)]
    code, out, _ = run("compare", *files, "--tolerance", "0.2")
    assert code == 1 and "largest |difference|     2.500e-01" in out


def test_benchmarks_are_bars(tmp_path):
    files = [bench_file.write(tmp_path / f"{factor}.h5", "images", factor) for factor in (1.0, 2.0)]
    layers, networks = bench_bars.draw(files).axes
    widths = [[bar.get_width() for bar in container] for container in layers.containers]
    assert widths == [[3 * one * factor for factor in (1, 2) for one in bench_file.SECONDS], [one * factor for factor in (1, 2) for one in bench_file.SECONDS]]
    assert [label.get_text() for label in layers.get_yticklabels()][:2] == ["1.0: channels 16, rank 0, size 32", "1.0: channels 32, rank 8, size 16"]
    assert [label.get_text() for label in networks.get_yticklabels()] == ["1.0: resnet-20", "1.0: tcnn", "2.0: resnet-20", "2.0: tcnn"]
    assert (layers.get_xscale(), networks.get_xscale()) == ("linear", "linear")
