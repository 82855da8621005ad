"""Figures and tables of networks whose slices were distilled, and image networks on the same images."""

import compression_file
import h5py
import image_file
import numpy as np
import pytest
from distill_file import BLOCKS, LAYERS, SOME_BLOCKS, DistillDeck, costs, write
from rankine_postprocess import InputError, paired_comparison, plots, read_distillation, read_image_result
from test_layout import LONG, check


@pytest.fixture
def file_of(tmp_path):
    """Writes a deck's result file; returns its path."""

    def make(**deck):
        return str(write(tmp_path / f"{len(list(tmp_path.iterdir()))}.h5", DistillDeck(**deck)))

    return make


def draw(*files, view=None):
    return plots.draw(list(files), plots.Request(view=view))


def lines(panel, gid):
    return [line for line in panel.lines if line.get_gid() == gid]


def blocks(panel, gid):
    """Begin, end and row of each."""
    bars = [bar for bar in panel.patches if bar.get_gid() == gid]
    return [(bar.get_x(), bar.get_x() + bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in bars]


def texts(figure):
    return [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]


def test_slices_are_read_in_the_order_of_the_network(file_of):
    found = read_distillation(file_of(slices=["b", "a", "c"], outcomes={1: "diverged"}, restored=(2,), scored=True))
    assert [one.name for one in found.slices] == ["b", "a", "c"]
    assert found.slices[1].outcome == "diverged" and found.slices[2].is_restored and found.slices[0].score == 0.91
    assert (found.before, found.after, found.local.held_out, found.metric) == (0.91, 0.88, 200, "accuracy")
    assert found.local.simulated_seconds.shape == found.local.simulated_teams.shape == (7,)
    assert found.seconds["teacher"] == 8.0 and len(found.slices[0].errors) == 5


@pytest.mark.parametrize("mode", ["fit-only", "global"])
@pytest.mark.parametrize("is_of_images", [True, False])
def test_stages_that_did_not_run_are_none(file_of, mode, is_of_images):
    found = read_distillation(file_of(mode=mode, is_of_images=is_of_images, after=0.8 if is_of_images else 30.0))
    assert found.slices == [] and found.local is None and found.assembled is None
    assert (found.fitted is None) == (mode == "global") == (found.training_loss is not None)


def test_slices_view_has_a_line_a_stage_and_marks_what_kept_its_fit(file_of):
    figure = draw(file_of(outcomes={3: "fit kept", 6: "diverged"}))
    panel = figure.axes[0]
    before, fit, after = (lines(panel, f"error_{name}")[0].get_ydata() for name in ("before", "fit", "after"))
    np.testing.assert_allclose(before, 8 * fit)
    assert after[0] == pytest.approx(0.3 * fit[0]) and after[3] == fit[3]
    assert lines(panel, "fit kept")[0].get_xdata().tolist() == [3] and lines(panel, "diverged")[0].get_xdata().tolist() == [6]
    assert [text.get_text() for text in panel.get_xticklabels()] == ["1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "3.0", "3.1", "3.2"]
    assert panel.get_xlabel() == "slice (layer*)" and panel.get_yscale() == "log"


def test_errors_of_zero_stand_at_the_foot(file_of):
    file = file_of()
    with h5py.File(file, "a") as content:
        for name in ("before", "fit", "after"):
            content[f"results/slices/layer1.1/feature_error_{name}"][()] = 0.0
    figure = draw(file)
    after = lines(figure.axes[0], "error_after")[0].get_ydata()
    assert after[1] == pytest.approx(np.delete(after, 1).min() / 3)
    assert "errors of 0 are drawn at the foot" in figure._supxlabel.get_text()


def test_scores_of_single_slices_stand_below(file_of):
    figure = draw(file_of(is_of_images=False, after=25.0, slices=LAYERS, scored=True))
    (score,) = lines(figure.axes[1], "score")
    assert score.get_ydata()[:2] == pytest.approx([20.0, 20.1])
    assert figure.axes[1].get_xticklabels()[29].get_text() == "29"


def test_time_line_has_the_teacher_then_the_slices_of_each_team(file_of):
    figure = draw(file_of(slices=list("abc"), teams=2, outcomes={2: "diverged"}, preparation=2.0), view="time-line")
    panel = figure.axes[0]
    a, b, c = costs(3)  # b to the first team, then c to the second and a behind it
    assert blocks(panel, "around") == [pytest.approx((0, 2, row)) for row in (0, 1)]
    assert blocks(panel, "teacher") == [pytest.approx((2, 6, row)) for row in (0, 1)]
    drawn = sorted(blocks(panel, "slice"))
    assert drawn == [pytest.approx((6, 6 + c, 1)), pytest.approx((6, 6 + b, 0)), pytest.approx((6 + c, 6 + c + a, 1))]
    share = (a + b + c + 8) / (2 * (6 + a + c))
    assert f"2 teams, {6 + a + c:.3g} s, {100 * share:.0f} % busy" in figure._suptitle.get_text()
    assert texts(figure) == ["teacher", "slice is trained", "diverged", "waiting", "costs are measured, slices exchanged"]


def test_time_line_of_waves_has_the_teacher_between_them(file_of):
    file = file_of(slices=list("ab"), waves=2)
    with h5py.File(file, "a") as content:
        later = content["results/slices/a"]  # the shorter one is second
        later["started"][()] += 5.0
        later["finished"][()] += 5.0
        content["timing/local_seconds"][()] += 5.0
        content["timing/teacher_seconds"][()] += 5.0
    panel = draw(file, view="time-line").axes[0]
    b = costs(2)[1]
    assert blocks(panel, "teacher") == [pytest.approx((0, 8, 0)), pytest.approx((8 + b, 8 + b + 5, 0))]


def test_slices_of_an_earlier_run_are_not_on_the_time_line(file_of):
    figure = draw(file_of(restored=(0, 1)), view="time-line")
    assert len(blocks(figure.axes[0], "slice")) == len(SOME_BLOCKS) - 2
    assert "2 slices of an earlier run not shown" in figure._supxlabel.get_text()
    with pytest.raises(InputError, match="no slice was trained in this run"):
        draw(file_of(restored=tuple(range(9))), view="time-line")


def test_names_on_the_time_line_stay_in_their_blocks(file_of):
    for teams, slices in ((1, [f"{block}.conv{k}" for block in BLOCKS for k in (1, 2)]), (4, BLOCKS), (2, LAYERS)):
        figure = draw(file_of(slices=slices, teams=teams), view="time-line")
        panel = figure.axes[0]
        boxes = [bar.get_window_extent() for bar in panel.patches if bar.get_gid() == "slice"]
        for text in panel.texts:
            own = text.get_window_extent()
            assert not text.get_visible() or any(box.x0 <= own.x0 and own.x1 <= box.x1 for box in boxes)
        assert sum(text.get_visible() for text in panel.texts) > 0.5 * len(slices)


def test_speed_up_is_of_the_wall_times_of_files_that_differ_in_teams(file_of):
    files = [file_of(slices=BLOCKS, teams=teams, overhead=0.1 * (teams > 1)) for teams in (2, 1, 4)]
    figure = draw(*files)
    (measured,), (simulated,) = lines(figure.axes[0], "measured"), lines(figure.axes[0], "simulated")
    assert measured.get_xdata().tolist() == [1, 2, 4] and simulated.get_xdata()[-1] == 48
    assert measured.get_ydata() == pytest.approx([1, *(simulated.get_ydata()[1:3] / 1.1)])
    efficiency = lines(figure.axes[1], "measured")[0].get_ydata()
    assert efficiency == pytest.approx(100 * measured.get_ydata() / [1, 2, 4])
    assert texts(figure) == ["simulated", "measured", "ideal"]
    assert "simulated with 48 teams: " in figure._supxlabel.get_text()


def test_speed_up_needs_a_single_team_or_a_simulation(file_of):
    files = [file_of(teams=2), file_of(teams=4)]
    assert not lines(draw(*files).axes[0], "measured")
    for file in files:
        with h5py.File(file, "a") as content:
            del content["results/local/simulated_teams"]
    with pytest.raises(InputError, match="a file of one team"):
        draw(*files)


def test_accuracy_has_a_line_a_mode_and_seeds_as_bars(file_of):
    files = [file_of(mode=mode, ratio=kept / 1000, kept=kept, seed=seed, after=after + 0.01 * seed)
             for mode, after in (("hybrid", 0.85), ("local", 0.8)) for kept in (300, 500) for seed in (1, 2, 3)]  # fmt: skip
    figure = draw(*files)
    local, hybrid = lines(figure.axes[0], "after")
    assert local.get_xdata() == pytest.approx([0.3, 0.5]) and local.get_ydata() == pytest.approx([82, 82])
    assert hybrid.get_ydata() == pytest.approx([87, 87])
    assert figure.axes[0].collections[0].get_segments()[0][:, 1] == pytest.approx([81, 83])
    assert lines(figure.axes[0], "original")[0].get_ydata()[0] == pytest.approx(91)
    assert texts(figure) == ["local, Tucker", "hybrid, Tucker", "original"]


def test_compressions_may_stand_beside_distillations(file_of, tmp_path):
    other = compression_file.write(tmp_path / "c.h5", compression_file.CompressDeck(perplexity=28.0))
    figure = draw(file_of(is_of_images=False, after=25.0, ratio=0.8), str(other))
    assert [line.get_ydata().tolist() for line in lines(figure.axes[0], "after")] == [[25.0], [28.0]]
    assert texts(figure)[1].startswith("compression: pivoted, two-sided, additive")
    images = image_file.write(tmp_path / "i.h5", image_file.ImageDeck())
    assert lines(draw(file_of(), str(images)).axes[0], "after")[1].get_ydata() == pytest.approx([80])
    with pytest.raises(InputError, match="others of language models"):
        draw(file_of(), str(other))


def test_samples_are_an_axis_of_their_own(file_of):
    files = [file_of(ratio=ratio, samples=images - images // 20, held_out=images // 20, after=0.9 - 1 / images)
             for ratio in (0.3, 0.5) for images in (25, 100, 400, 1000, 4000)]  # fmt: skip
    figure = draw(*files)
    assert [line.get_xdata().tolist() for line in lines(figure.axes[0], "after")] == 2 * [[25, 100, 400, 1000, 4000]]
    assert texts(figure) == ["local, Tucker, ratio 0.3", "local, Tucker, ratio 0.5", "original"]
    assert figure.axes[0].get_xlabel() == "images" and figure.axes[0].get_xscale() == "log"


def test_epochs_of_slices_begin_with_the_fit(file_of):
    file = file_of(outcomes={1: "diverged"})
    with h5py.File(file, "a") as content:
        content[f"results/slices/{SOME_BLOCKS[1]}/feature_errors"][1:] = [1e9, np.inf, np.nan, np.nan]
    figure = draw(file, view="slice-epochs")
    drawn = lines(figure.axes[0], "slice")
    assert len(drawn) == 9 and drawn[0].get_ydata()[0] == pytest.approx(0.02)
    assert drawn[1].get_ydata()[2] == 100 and drawn[1].get_linestyle() == ":"
    assert "errors above 100 are drawn there" in figure._supxlabel.get_text()


def test_views_of_compressed_networks_are_there_too(file_of, run, tmp_path):
    assert draw(file_of(), view="confusion").axes[0].images[0].get_gid() == "confusion"
    assert draw(file_of(mode="global")).axes[0].images[0].get_gid() == "confusion"
    assert draw(file_of(is_of_images=False, after=25.0), view="layers").axes[0].images[0].get_gid() == "kept"
    healed = draw(file_of(is_of_images=False, after=25.0, mode="hybrid"), view="healing")
    assert healed.axes[0].get_ylabel() == "divergence from the original (nat)"
    code, _, err = run("plot", file_of(), "-o", tmp_path / "f.png", "--view", "layers")
    assert code == 2 and "--view layers is not of distilled image networks" in err
    code, _, err = run("plot", file_of(mode="global"), "-o", tmp_path / "f.png", "--view", "slices")
    assert code == 2 and "the file holds no slice (distill.mode is 'global')" in err


LAYOUTS = [({}, "slices"), ({"slices": [f"{b}.conv{k}" for b in BLOCKS for k in (1, 2)], "scored": True}, "slices"),
           ({"slices": LAYERS, "is_of_images": False, "after": 25.0, "title": LONG}, "slices"),
           ({"slices": [f"{a}-{b}" for a, b in zip(LAYERS, LAYERS[2:])] + ["s" * 60], "scored": True}, "slices"),
           ({"slices": BLOCKS, "teams": 16, "title": LONG}, "time-line"), ({"slices": ["s" * 60]}, "time-line"),
           ({"slices": BLOCKS}, "slice-epochs"), ({"slices": BLOCKS}, "speed-up"), ({"title": LONG}, "accuracy"),
           ({"samples": 1, "held_out": 0}, "images"), ({"is_of_images": False, "after": 1e9}, "accuracy")]  # fmt: skip


@pytest.mark.parametrize("deck, view", LAYOUTS)
def test_layout(file_of, deck, view):
    check(draw(file_of(**deck), view=view))


def test_table(run, file_of):
    code, out, _ = run("table", file_of(outcomes={3: "fit kept"}, restored=(1,), scored=True, teams=2))
    assert code == 0
    for words in ("mode                         local", "accuracy after the fit       87.40 %", "difference to before",
                  "samples                      3800 and 200 that are not trained on", "teams                        2, 2 ranks",
                  "16 x 8 x 3 x 3"):  # fmt: skip
        assert words in out
    row = next(line for line in out.splitlines() if line.startswith("layer2.0"))
    assert row.split() == ["layer2.0", "4000", "2.227e-01", "2.783e-02", "2.783e-02", "15.14", "1", "90.40", "%", "fit", "kept"]
    assert next(line for line in out.splitlines() if line.startswith("layer1.1")).endswith("trained, of an earlier run")
    code, out, _ = run("table", file_of(is_of_images=False, mode="fit-only", after=25.0))
    assert code == 0 and "perplexity in the end        25" in out and "slice  " not in out


# Pairs of image networks


def predictions(path, only_first, only_second, images, is_second):
    """Of two classes; images beyond those that tell the two apart are found by both."""
    image_file.write(path, image_file.ImageDeck())
    labels = np.arange(images) % 2
    wrong = slice(0, only_first) if is_second else slice(only_first, only_first + only_second)
    found = labels.copy()
    found[wrong] = 1 - found[wrong]
    with h5py.File(path, "a") as file:
        file["results/labels"], file["results/predictions"] = labels, found
    return path


@pytest.fixture
def pair_of(tmp_path):
    def make(images, only_first, only_second):
        return [predictions(tmp_path / f"{name}.h5", only_first, only_second, images, name == "b") for name in "ab"]

    return make


def test_paired_interval_and_p_value_are_those_of_the_programs(pair_of):
    """The numbers are those of the C++ tests, tests/unit/models/test_classification.cpp."""
    found = paired_comparison.compare(*map(read_image_result, pair_of(100, 3, 12)))
    assert (found.only_first, found.only_second, found.difference) == (3, 12, pytest.approx(0.09))
    assert found.interval == pytest.approx((0.013305639236436254, 0.16316494899885786), abs=1e-14)
    assert found.p_value == pytest.approx(0.03515625)
    assert paired_comparison.compare(*map(read_image_result, pair_of(100, 0, 0))).p_value == 1


def test_compare_says_the_difference(run, pair_of, tmp_path):
    first, second = pair_of(100, 3, 12)
    code, out, err = run("compare", first, second)
    assert (code, err) == (0, "")
    for words in ("accuracy of the first    88.00 %, 100 test images", "accuracy of the second   97.00 %",
                  "only the second is right 12 images", "second less first        +9.00 points (+1.33 to +16.32)",
                  "p-value                  0.0352"):  # fmt: skip
        assert words in out
    code, _, err = run("compare", first, second, "--step", 2)
    assert code == 2 and "--step is for files of rankine-simulate" in err


def test_compare_refuses_other_images_and_files_without_predictions(run, pair_of, tmp_path, file_of):
    first, second = pair_of(100, 3, 12)
    with h5py.File(second, "a") as file:
        file["results/labels"][0] = 1
    code, _, err = run("compare", first, second)
    assert code == 2 and "scored on other test images" in err
    code, _, err = run("compare", first, file_of())
    assert code == 2 and "holds no predictions" in err
    code, _, err = run("compare", first, file_of(is_of_images=False, after=25.0))
    assert code == 2 and "not the result file of an image network" in err
