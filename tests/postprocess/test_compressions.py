"""Figures of compressed models: which one is chosen, and what it holds, read off the Figure object."""

import matplotlib.colors
import numpy as np
import pytest
from compression_file import KINDS, LAYERS, CompressDeck, kept, legend_texts, lines, noise, write
from rankine_postprocess import InputError, cluster_experiments, compression_labels, healing_curve, layer_map, plots
from rankine_postprocess import disentangler_depth, read_compression, tradeoff


EXPERIMENTS = [
    ("k-means", 16, 0, -1, np.log(25.0)),
    ("k-means", 32, 0, -1, np.log(22.0)),
    *((name, clusters, layers, seed, np.log(scale * layers * clusters) + 0.1 * seed)
      for name, scale in (("scrambled", 1e5), ("redrawn-rescaled", 3.0))
      for clusters in (16, 32) for layers in (1, 3) for seed in (1, 2)),
    *((f"layer-by-layer {name}", clusters, layers, 1, np.log(25.0) + slope * layers)
      for name, slope in (("redrawn", 3.0), ("redrawn-rescaled", 0.2))
      for clusters in (16, 32) for layers in (1, 2, 3)),
]  # fmt: skip


def test_tradeoff_has_a_point_for_every_file_in_bytes_and_in_numbers(compression_of):
    files = [compression_of(ratio=ratio, perplexity=ppl) for ratio, ppl in ((0.9, 25.0), (0.7, 50.0), (0.8, 31.0))]
    figure = tradeoff.draw(files)
    by_bytes, by_numbers = figure.axes[:2]
    (line,) = lines(by_bytes, "after")
    assert line.get_ydata().tolist() == [50.0, 31.0, 25.0]
    assert line.get_xdata() == pytest.approx(sorted(c.bytes_after / 2**20 for c in files))
    (line,) = lines(by_numbers, "after")
    assert line.get_xdata() == pytest.approx(sorted(c.parameters_after / c.parameters_before for c in files))
    assert lines(by_bytes, "original")[0].get_ydata()[0] == 20.0
    assert {text.get_text() for text in by_bytes.texts} == {"0.7", "0.8", "0.9"}
    assert by_bytes.get_yscale() == "linear"
    assert set(legend_texts(figure)) == {"original", "pivoted, two-sided, additive"}


def test_exploding_perplexities_leave_room_for_the_others(compression_of):
    files = [compression_of(perplexity=21.0), compression_of(perplexity=25.0), compression_of(weighting="none", perplexity=5e6)]
    upper = tradeoff.draw(files).axes[0]
    heights = upper.transAxes.inverted().transform(upper.transData.transform([(0, p) for p in (20.0, 21.0, 25.0, 5e6)]))
    assert 0 < heights[0, 1] and heights[3, 1] < 1
    assert (np.diff(heights[:, 1]) > 0.05).all()
    added = np.log(np.array([20.0, 21.0, 25.0, 5e6]) / 20.0)
    gaps = np.diff(heights[:, 1]) / np.diff(np.arcsinh(added / 0.1))
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-6)
    ticks = [tick for tick in upper.get_yticks() if 20.0 <= tick <= 5e6]
    assert len(ticks) >= 6
    assert "100" in {upper.yaxis.get_major_formatter()(tick, 0) for tick in ticks}


def test_healed_models_have_a_hollow_marker_above_the_full_one(compression_of):
    panel = tradeoff.draw([compression_of(healing_loss=[3.0, 2.9], unhealed=60.0, perplexity=30.0)]).axes[0]
    (before,) = lines(panel, "unhealed")
    assert before.get_ydata().tolist() == [60.0]
    assert before.get_markerfacecolor() == "none"
    assert before.get_xdata() == lines(panel, "after")[0].get_xdata()


def test_clustered_weights_are_counted_in_bytes_alone(compression_of):
    figure = tradeoff.draw([compression_of(), compression_of(form="clustered", weighting="none")])
    assert len(lines(figure.axes[0], "after")) == 2
    assert len(lines(figure.axes[1], "after")) == 1
    assert "K = 16" in {text.get_text() for text in figure.axes[0].texts}


def test_fifteen_files_stay_apart_and_say_what_differs(compression_of):
    files = [compression_of(form=form, weighting=weighting, ratio=ratio, perplexity=20 / ratio**8)
             for form in ("low-rank", "pivoted") for weighting in ("none", "two-sided")
             for ratio in (0.7, 0.8, 0.9)]  # fmt: skip
    files += [compression_of(gradient_windows=32, ratio=ratio) for ratio in (0.7, 0.8, 0.9)]
    figure = tradeoff.draw(files)
    drawn = lines(figure.axes[0], "after")
    assert sorted(len(line.get_xdata()) for line in drawn) == [3] * 5
    assert len({(line.get_color(), line.get_marker()) for line in drawn}) == 5
    assert "pivoted, two-sided, additive, 8 windows" in legend_texts(figure)
    assert "pivoted, two-sided, additive, 32 windows" in legend_texts(figure)
    assert "low-rank, unweighted, additive" in legend_texts(figure)


def test_recipes_are_a_line_each(compression_of):
    ratios = (0.6, 0.7, 0.8, 0.9)
    files = [compression_of(form="low-rank", error_weights="measured", ratio=ratio, perplexity=24 / ratio) for ratio in ratios]
    files += [compression_of(fit_order="sequential", ratio=ratio, perplexity=22 / ratio) for ratio in ratios]
    files += [compression_of(ratio=ratio, perplexity=23 / ratio) for ratio in ratios]
    figure = tradeoff.draw(files)
    assert [len(line.get_xdata()) for line in lines(figure.axes[0], "after")] == [4, 4, 4]
    assert legend_texts(figure)[1:] == ["low-rank, two-sided, additive, measured errors", "pivoted, two-sided, additive, fitted in order",
                                        "pivoted, two-sided, additive"]  # fmt: skip


def test_scores_of_different_protocols_are_not_drawn_together(compression_of):
    with pytest.raises(InputError, match="scored otherwise"):
        tradeoff.draw([compression_of(), compression_of(evaluation="text.txt: 2 windows of 1024 tokens")])


def test_map_shows_what_each_weight_keeps(compression_of):
    deck = CompressDeck(ratio=0.6)
    figure = layer_map.draw(compression_of(ratio=0.6))
    (image,) = figure.axes[0].images
    table = image.get_array()
    assert table.shape == (LAYERS, len(KINDS))
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["q", "v", "up", "down"]
    for column, (kind, (rows, columns)) in enumerate(KINDS.items()):
        for layer in range(LAYERS):
            assert table[layer, column] == pytest.approx(kept(deck, layer, kind), abs=0.5 / (rows * columns))
    assert {text.get_text() for text in figure.axes[0].texts} >= {"0.55", "0.69"}


def test_spectra_are_shown_kind_by_kind_with_the_rank(compression_of):
    spectra = layer_map.draw(compression_of()).axes[1]
    assert [line.get_label() for line in lines(spectra, "spectrum")] == ["q", "v", "up", "down"]
    first = lines(spectra, "spectrum")[0]
    assert np.interp(3 / 7, first.get_xdata(), first.get_ydata()) == pytest.approx(0.5**3, rel=1e-2)
    assert lines(spectra, "rank")[0].get_xdata() == pytest.approx([0.5])


def test_clustered_weights_have_a_map_of_bytes_and_no_spectra(compression_of):
    figure = layer_map.draw(compression_of(form="clustered", weighting="none"))
    assert len(figure.axes) == 2  # the map and its colour bar
    assert figure.axes[1].get_ylabel() == "kept part of the bytes"
    assert figure.axes[0].images[0].get_array()[0, 0] == pytest.approx((16 * 4 + 32) / 256)


def circuit(compression_of, size, depth, overlap, **deck):
    gates = (size, depth, 0.6, overlap, 5.0, 5.0 - depth)
    return compression_of(form="disentangled", weighting="none", allocation="uniform", gates=gates, **deck)


def test_gates_have_a_line_for_every_size_and_operators_alone_another(compression_of):
    files = [circuit(compression_of, size, depth, 0.6 + 0.01 * size * depth, bond_dimension=4) for size in (2, 4) for depth in (4, 1, 2)]
    figure = disentangler_depth.draw(files)
    overlaps, entropies, perplexities = figure.axes
    assert [lines(overlaps, f"gates {size}")[0].get_ydata() for size in (2, 4)] == [
        pytest.approx([0.62, 0.64, 0.68]), pytest.approx([0.64, 0.68, 0.76])]  # fmt: skip
    assert lines(entropies, "gates 2")[0].get_ydata() == pytest.approx([4.0, 3.0, 1.0])
    assert [lines(panel, "alone")[0].get_ydata()[0] for panel in (overlaps, entropies)] == pytest.approx([0.6, 5.0])
    assert not lines(perplexities, "alone")
    assert "gates on 2 qubits" in legend_texts(figure) and "operator alone" in legend_texts(figure)


def test_at_equal_numbers_other_forms_stand_beside_gates(compression_of):
    files = [circuit(compression_of, 2, 1, 0.7, perplexity=30.0), circuit(compression_of, 2, 0, 0.65, perplexity=35.0),
             *(compression_of(form=form, weighting="none", allocation="uniform", perplexity=40.0) for form in ("mpo", "low-rank"))]  # fmt: skip
    overlaps, _, perplexities = disentangler_depth.draw(files).axes
    assert lines(overlaps, "alone")[0].get_ydata()[0] == pytest.approx(0.65)
    assert [line.get_ydata()[0] for line in lines(overlaps, "other")] == pytest.approx([np.sqrt(0.99)] * 2)
    assert len(lines(perplexities, "other")) == 2 and lines(perplexities, "alone")[0].get_ydata()[0] == 35.0
    with pytest.raises(InputError, match="Draw them apart"):
        disentangler_depth.draw([*files, circuit(compression_of, 2, 1, 0.7, bond_dimension=4)])
    with pytest.raises(InputError, match="disentangled"):
        disentangler_depth.draw(files[2:])


def test_healing_loss_and_its_running_mean(compression_of):
    loss = list(3.0 - 0.01 * np.arange(60) + 0.2 * (-1.0) ** np.arange(60))
    figure = healing_curve.draw([compression_of(healing_loss=loss, unhealed=60.0, perplexity=30.0)])
    panel = figure.axes[0]
    assert lines(panel, "loss")[0].get_ydata().tolist() == loss
    mean = lines(panel, "mean")[0]
    assert mean.get_xdata()[0] == 4 and mean.get_ydata()[0] == pytest.approx(np.mean(loss[:4]))
    assert panel.get_ylabel() == "next-token loss on the calibration text (nat)"
    assert "perplexity 60 to 30, 63 % of the loss recovered" in mean.get_label()


def test_healing_is_seen_against_a_model_that_lost_next_to_nothing(compression_of):
    """20 (the original) to 40 and 24 by compression, to 20 and 16 by training: ln(40/20) lost, ln(20/16) left."""
    half = compression_of(healing_loss=[3.0, 2.9], unhealed=40.0, perplexity=20.0)
    control = compression_of(healing_loss=[2.9, 2.8], unhealed=20.5, perplexity=16.0, ratio=0.98)
    labels = [line.get_label() for line in lines(healing_curve.draw([half, control]).axes[0], "loss")]
    part = 1 - np.log(20 / 16) / np.log(2)
    assert f"perplexity 40 to 20, {100 * part:.0f} % of the loss recovered against the control" in labels[0]
    assert labels[1].endswith("the control")
    assert healing_curve.control_of([half, half]) is None and healing_curve.control_of([control]) is None


def test_held_out_windows_are_drawn_with_the_lowest_marked(compression_of):
    panel = healing_curve.draw([compression_of(healing_loss=[3.0] * 30, held_out_loss=[3.1, 2.9, 2.8, 2.85])]).axes[0]
    assert lines(panel, "held out")[0].get_xdata().tolist() == [0, 10, 20, 30]
    assert (lines(panel, "best")[0].get_xdata(), lines(panel, "best")[0].get_ydata()) == (20, 2.8)


def test_experiments_show_every_draw_and_the_layers(compression_of):
    figure = cluster_experiments.draw(compression_of(form="clustered", weighting="none", experiments=EXPERIMENTS))
    changes, stepwise = figure.axes
    words = [tick.get_text().split("\n")[0] for tick in changes.get_xticklabels()]
    assert words == ["as they are", "scrambled", "redrawn,"]
    assert [line.get_ydata()[0] for line in lines(changes, "k-means")] == pytest.approx([25.0, 22.0])
    drawn = lines(changes, "scrambled")
    assert len(drawn) == 4  # two numbers of values, in one or all layers; a marker for each seed
    assert all(len(line.get_ydata()) == 2 for line in drawn)
    hollow = [line for line in drawn if matplotlib.colors.to_hex(line.get_markerfacecolor()) == "#ffffff"]
    assert [line.get_ydata()[0] for line in hollow] == pytest.approx([1.6e6 * np.exp(0.1), 3.2e6 * np.exp(0.1)])
    for name, slope in (("redrawn", 3.0), ("redrawn-rescaled", 0.2)):
        first = lines(stepwise, f"layer-by-layer {name}")[0]
        assert first.get_xdata().tolist() == [0, 1, 2, 3]
        assert first.get_ydata() == pytest.approx(25.0 * np.exp(slope * np.arange(4)))
    assert changes.get_ylabel() == "perplexity (height: asinh of the added loss)"
    assert {"16 values", "32 values", "last layer", "last 3 layers"} <= set(legend_texts(figure))


def test_infinite_losses_are_drawn_at_the_edge(compression_of):
    experiments = [*EXPERIMENTS[:2], ("scrambled", 16, 3, 1, np.inf)]
    figure = cluster_experiments.draw(compression_of(form="clustered", experiments=experiments))
    (line,) = lines(figure.axes[0], "scrambled")
    assert np.isfinite(line.get_ydata()).all() and line.get_ydata()[0] > 1e40


@pytest.mark.parametrize("deck, count, expected", [
    ({"form": "clustered", "experiments": EXPERIMENTS}, 1, "values changed, assignments kept"),
    ({}, 1, ""),
    ({"form": "clustered", "experiments": EXPERIMENTS}, 2, ""),
])  # fmt: skip
def test_content_chooses_the_figure(tmp_path, deck, count, expected):
    files = [str(write(tmp_path / f"{i}.h5", CompressDeck(**deck))) for i in range(count)]
    figure = plots.draw(files, plots.Request())
    assert figure.axes[0].get_title() == expected
    assert bool(figure.axes[0].images) == (count == 1 and not expected)
    assert bool(lines(figure.axes[0], "after")) == (count == 2)


def test_plot_writes_every_view(run, tmp_path):
    profile = {"groups": ["layer 0"], "grouped_by": ["layer"], "bond_dimensions": [4], "perplexity": [[30.0]],
               "parameters": [[10]], "parameters_before": [100]}  # fmt: skip
    deck = CompressDeck(form="clustered", experiments=EXPERIMENTS, healing_loss=[3.0, 2.0], sensitivity=profile,
                        block=4, noise=noise(4), gates=(2, 1, 0.6, 0.7, 5.0, 4.0))  # fmt: skip
    file = write(tmp_path / "f.h5", deck)
    for view in plots.VIEWS:
        target = tmp_path / f"{view}.png"
        assert run("plot", file, "-o", target, "--view", view) == (0, "", "")
        assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("arguments, parts", [
    (["--view", "experiments"], ["holds no experiments", "experiments.names"]),
    (["--view", "healing"], ["holds a healing loss", "heal.steps"]),
    (["--observable", "Z62"], ["--observable", "rankine-simulate"]),
])  # fmt: skip
def test_what_a_file_does_not_hold_is_said(run, tmp_path, arguments, parts):
    file = write(tmp_path / "f.h5", CompressDeck())
    code, _, err = run("plot", file, "-o", tmp_path / "f.png", *arguments)
    assert code == 2 and err.count("\n") == 1
    assert all(part in err for part in parts)


def test_types_are_not_mixed_and_partial_files_say_so(run, eagle, tmp_path):
    file = write(tmp_path / "f.h5", CompressDeck(), status="running")
    code, _, err = run("plot", file, eagle, "-o", tmp_path / "f.png")
    assert code == 2 and "different types" in err
    code, _, err = run("plot", file, "-o", tmp_path / "f.png")
    assert code == 2 and "--allow-partial" in err
    figure = plots.draw([str(file)], plots.Request(allow_partial=True))
    assert "PARTIAL RESULT (status running)" in figure._supxlabel.get_text()


@pytest.mark.parametrize("name, expected", [
    ("model.layers.11.mlp.down_proj", (11, "down")),
    ("layers.0.feed_forward.w1", (0, "gate")),
    ("transformer.h.3.attn.c_proj", (3, "o")),
    ("transformer.h.3.mlp.c_proj", (3, "down")),
    ("transformer.h.3.attn.c_attn.query", (3, "q")),
])  # fmt: skip
def test_places_of_weights(name, expected):
    assert compression_labels.place(name) == expected
