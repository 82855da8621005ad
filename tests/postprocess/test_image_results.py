"""Figures and tables of image networks: which one is chosen, and what it holds, read off the Figure object."""

import numpy as np
import pytest
from image_file import INSPECTION, ImageDeck, study, write
from rankine_postprocess import InputError, accuracy_tradeoff, confusion_map, cut_map, cut_scatter, epoch_curve, plots
from rankine_postprocess import read_image_result
from test_layout import LONG, check


@pytest.fixture
def file_of(tmp_path):
    """Writes a deck's result file; returns what is read from it."""

    def make(**deck):
        return read_image_result(write(tmp_path / f"{len(list(tmp_path.iterdir()))}.h5", ImageDeck(**deck)))

    return make


def lines(panel, gid):
    return [line for line in panel.lines if line.get_gid() == gid]


def texts(figure):
    return [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]


def test_cut_map_has_a_panel_a_fraction_and_all_layers_on_top(file_of):
    figure = cut_map.draw(file_of(cuts=study()))
    maps = [axes.images[0] for axes in figure.axes if axes.images and axes.images[0].get_gid() == "lost"]
    assert [axes.get_title() for axes in figure.axes[:2]] == ["75 % of the rank kept", "50 % of the rank kept"]
    lost = 100 * (0.9 - np.asarray(study()["accuracy"]))
    for fraction, image in enumerate(maps):
        np.testing.assert_allclose(image.get_array(), lost[:, fraction, :].T, atol=1e-9)
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["0.conv", "1.conv", "all together"]


def test_cut_scatter_has_a_colour_a_cut_and_a_marker_a_fraction(file_of):
    panel = cut_scatter.draw(file_of(cuts=study())).axes[0]
    of_layers, together = lines(panel, "layer"), lines(panel, "all")
    assert len(of_layers) == len(together) == 4
    assert len({line.get_color() for line in of_layers}) == 2 and len({line.get_marker() for line in of_layers}) == 2
    assert together[3].get_ydata() == pytest.approx([13.0]) and together[3].get_xdata() == pytest.approx([0.013])


def test_epochs_begin_before_the_training(file_of):
    files = [file_of(epochs=[0.8, 0.85], form="cut"), file_of(epochs=[0.82, 0.86])]
    figure = epoch_curve.draw(files)
    first, second = lines(figure.axes[0], "accuracy")
    assert first.get_xdata().tolist() == [0, 1, 2] and first.get_ydata() == pytest.approx([70, 80, 85])
    assert second.get_ydata() == pytest.approx([70, 82, 86])
    assert lines(figure.axes[0], "original")[0].get_ydata()[0] == pytest.approx(90)
    assert "cut oh|iw, trained 2 epochs, ratio 0.5" in texts(figure)


def test_tradeoff_has_a_line_a_method_and_paired_intervals(file_of):
    files = [file_of(kept=kept, ratio=kept / 1000, accuracy=a) for kept, a in ((700, 0.88), (300, 0.6), (500, 0.8))]
    files += [file_of(allocation="additive", kept=510, accuracy=0.85)]
    figure = accuracy_tradeoff.draw(files)
    first, second = lines(figure.axes[0], "after")
    assert first.get_xdata() == pytest.approx([0.3, 0.5, 0.7]) and first.get_ydata() == pytest.approx([60, 80, 88])
    assert second.get_ydata() == pytest.approx([85])
    bars = figure.axes[0].collections[0].get_segments()
    assert bars[0][:, 1] == pytest.approx([58, 62])
    assert "same images" in figure._supxlabel.get_text()
    assert texts(figure) == ["Tucker, norm of the inputs, uniform", "Tucker, norm of the inputs, additive", "original"]


def test_seeds_are_one_point_between_the_least_and_the_best(file_of):
    files = [file_of(model="", before=None, re_estimated=None, seed=seed, accuracy=a, form=form, kept=kept, epochs=[a])
             for form, kept, scores in (("tucker", 250, (0.8, 0.82, 0.9)), ("dense", 1000, (0.85, 0.87, 0.83)))
             for seed, a in enumerate(scores)]  # fmt: skip
    figure = plots.draw([str(file.path) for file in files], plots.Request())
    panel = figure.axes[0]
    assert [line.get_ydata().tolist() for line in lines(panel, "after")] == [pytest.approx([84.0]), pytest.approx([85.0])]
    assert panel.collections[0].get_segments()[0][:, 1] == pytest.approx([80, 90])
    assert lines(panel, "original")[0].get_ydata()[0] == pytest.approx(85.0)
    assert texts(figure) == ["Tucker from scratch", "dense", "mean of the dense twins"]


def test_other_networks_are_not_drawn_together(file_of):
    with pytest.raises(InputError, match="scored otherwise"):
        accuracy_tradeoff.draw([file_of(), file_of(model="other.safetensors")])


def test_confusion_recall_and_rates_of_an_inspection(file_of):
    figure = confusion_map.draw(file_of(filetype="rankine-evaluate", good_class=0, rates=INSPECTION))
    counts, recall, rates = figure.axes
    assert counts.images[0].get_array()[2].tolist() == pytest.approx([0.2, 0.1, 0.7])
    assert {"8", "9", "7"} <= {text.get_text() for text in counts.texts}
    assert [bar.get_width() for bar in recall.patches] == pytest.approx([80, 90, 70])
    assert [bar.get_height() for bar in rates.patches] == pytest.approx([15, 20])
    assert rates.collections[0].get_segments()[0][:, 1] == pytest.approx([5, 30])
    assert counts.get_yticklabels()[0].get_text() == "0 good"


def test_wilson_interval():
    low, high = confusion_map.wilson(np.array([0, 8, 10]), np.array([10, 10, 10]))
    assert low == pytest.approx([0.0, 0.4901625, 0.7224672], abs=1e-6)
    assert high == pytest.approx([0.2775328, 0.9433178, 1.0], abs=1e-6)


@pytest.mark.parametrize("deck, count, view, gid", [
    ({"cuts": study()}, 1, None, "lost"),
    ({}, 1, None, "confusion"),
    ({"epochs": [0.8]}, 1, None, "accuracy"),
    ({"epochs": [0.8]}, 1, "confusion", "confusion"),
    ({}, 2, None, "after"),
    ({"epochs": [0.8]}, 2, "accuracy", "untrained"),
])  # fmt: skip
def test_content_chooses_the_figure(tmp_path, deck, count, view, gid):
    files = [str(write(tmp_path / f"{i}.h5", ImageDeck(**deck))) for i in range(count)]
    figure = plots.draw(files, plots.Request(view=view))
    assert gid in {artist.get_gid() for axes in figure.axes for artist in [*axes.images, *axes.lines]}


@pytest.mark.parametrize("deck, view", [
    ({"cuts": study(1)}, None), ({"cuts": study(60)}, None), ({"cuts": study(20), "title": LONG}, "norm-loss"),
    ({}, None), ({"title": LONG, "good_class": 0, "rates": INSPECTION}, None), ({"confusion": np.eye(50, dtype=int)}, None),
    ({"epochs": [0.8, 0.81, 0.9]}, None), ({"title": LONG}, "accuracy"),
])  # fmt: skip
def test_layout(tmp_path, deck, view):
    check(plots.draw([str(write(tmp_path / "f.h5", ImageDeck(**deck)))], plots.Request(view=view)))


def test_a_view_of_another_kind_of_model_is_refused(run, tmp_path):
    file = write(tmp_path / "f.h5", ImageDeck())
    code, _, err = run("plot", file, "-o", tmp_path / "f.png", "--view", "healing")
    assert code == 2 and "--view healing is not of image networks" in err
    code, _, err = run("plot", file, "-o", tmp_path / "f.png", "--view", "cuts")
    assert code == 2 and "no study of cuts" in err


def test_table_of_a_compression_and_of_a_study(run, tmp_path):
    deck = ImageDeck(good_class=0, rates=INSPECTION, epochs=[0.75, 0.8])
    code, out, _ = run("table", write(tmp_path / "f.h5", deck))
    assert code == 0
    for words in ("accuracy                     80.00 % (70.00 to 90.00), 30 test images", "16 x 8 x 3 x 3", "8 x 4",
                  "missed defects               15.00 % (5.00 to 30.00)", "    2     80.00 %", "1000 -> 500 (0.5000)"):
        assert words in out
    code, out, _ = run("table", write(tmp_path / "g.h5", ImageDeck(cuts=study())))
    assert code == 0
    row = next(line for line in out.splitlines() if line.startswith("o|ihw"))
    assert row.split() == ["o|ihw", "80.00", "%", "79.00", "%", "0.0100", "0.0110"]
    assert run("table", tmp_path / "g.h5", "--all-steps")[0] == 2
