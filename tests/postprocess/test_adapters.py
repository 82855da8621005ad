"""Figures of adapters: perplexity against their blocks, and the map of their noise."""

import numpy as np
import pytest
from compression_file import RATES, CompressDeck, contrast, legend_texts, lines, noise, write
from rankine_postprocess import InputError, adapter_curve, noise_map, plots, read_compression

def test_a_line_for_each_model_with_its_seeds_as_a_band(compression_of):
    files = [compression_of(block=block, has_weights=clustered, form="clustered", adapter_seed=seed, unadapted=30.0 if clustered else 20.0,
                     perplexity=(30.0 if clustered else 20.0) - np.log2(block) + 0.1 * seed)
             for clustered in (True, False) for block in (2, 4, 8) for seed in (-1, 0, 1)]  # fmt: skip
    figure = adapter_curve.draw(files)
    by_block, by_numbers = figure.axes[:2]
    clustered, original = lines(by_block, "adapted")
    assert clustered.get_xdata().tolist() == [2, 4, 8]
    assert clustered.get_ydata() == pytest.approx([29, 28, 27])
    assert original.get_ydata() == pytest.approx([19, 18, 17])
    band = [collection for collection in by_block.collections if collection.get_gid() == "seeds"][0]
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((26.9, 29.1))
    assert [line.get_ydata()[0] for line in lines(by_block, "unadapted")] == [30.0, 20.0]
    assert lines(by_block, "original")[0].get_ydata()[0] == 20.0
    assert lines(by_numbers, "adapted")[0].get_xdata().tolist() == [288, 864, 2016]
    assert legend_texts(figure) == ["original", "clustered, two-sided, 8 outliers, K = 16, cayley, inputs", "tiny, cayley, inputs",
                             "the same without adapter"]  # fmt: skip


def test_what_has_no_blocks_is_drawn_against_its_numbers(compression_of):
    figure = adapter_curve.draw([compression_of(block=4), compression_of(block=1, adapter="lora"), compression_of(block=4, adapter="block-diagonal")])
    assert [len(lines(panel, "adapted")) for panel in figure.axes[:2]] == [2, 3]
    assert [line.get_xdata().tolist() for line in lines(figure.axes[1], "adapted")] == [[864], [1152], [2304]]


def test_the_map_has_a_row_for_each_block_and_a_panel_for_each_number_of_shots(compression_of):
    figure = noise_map.draw([compression_of(block=block, noise=noise(block)) for block in (64, 4, 16)])
    finite, infinite = figure.axes[:2]
    assert [finite.get_title(), infinite.get_title()] == ["10,000 shots a block", "infinitely many shots"]
    assert [text.get_text() for text in finite.get_yticklabels()] == ["4", "16", "64"]
    cells = {mesh.get_gid(): np.ravel(mesh.get_array()) for mesh in infinite.collections if mesh.get_gid()}
    for row, block in enumerate((4, 16, 64)):
        expected = np.log(np.array(noise(block)["perplexity"])[:, 1] / 25.0)
        np.testing.assert_allclose(cells[f"row {row}"], expected, rtol=1e-12)


def test_lines_of_the_map_are_where_adapters_stop_helping_and_half_the_contrast_is_left(compression_of):
    panel = noise_map.draw([compression_of(block=block, noise=noise(block)) for block in (4, 16, 64)]).axes[1]
    (turn,) = lines(panel, "turn")
    assert turn.get_ydata().tolist() == [1, 2]  # blocks of 4 always help
    for x, block in zip(turn.get_xdata(), (16, 64)):
        added = np.log(np.array(noise(block)["perplexity"])[:, 1] / 25.0)
        assert np.interp(x, np.log10(RATES[1:]), added[1:]) == pytest.approx(0, abs=1e-12)
    (half,) = lines(panel, "half")
    assert half.get_ydata().tolist() == [1, 2]
    assert [contrast(block, 10**x) for x, block in zip(half.get_xdata(), (16, 64))] == pytest.approx([0.5, 0.5])
    assert sorted(line.get_xdata()[0] for line in lines(panel, "mark")) == pytest.approx(np.log10([1e-4, 1e-3, 3e-3]))


def test_points_that_are_not_done_and_seeds(compression_of):
    undone = noise(16) | {"perplexity": [[np.nan, 24.0]] + [[np.nan, np.nan]] * 5}
    with pytest.raises(InputError, match="no point"):
        noise_map.draw([compression_of(block=16, noise=undone | {"perplexity": np.full((6, 2), np.nan)})])
    figure = noise_map.draw([compression_of(block=16, noise=undone)])
    assert len([axes for axes in figure.axes if axes.get_title()]) == 1
    twice = noise_map.draw([compression_of(block=16, noise=noise(16, gain), adapter_seed=seed) for seed, gain in ((1, 0.02), (2, 0.04))])
    mean = np.log(np.array(noise(16, 0.03)["perplexity"])[:, 0] / 25.0)
    np.testing.assert_allclose(np.ravel(twice.axes[0].collections[0].get_array()), mean, rtol=1e-12)


def test_content_chooses_the_figure(run, tmp_path):
    files = [write(tmp_path / f"{block}.h5", CompressDeck(block=block, noise=noise(block))) for block in (4, 8)]
    assert "noisy quantum circuits" in plots.draw([str(f) for f in files], plots.Request())._suptitle.get_text()
    bare = [write(tmp_path / f"bare{block}.h5", CompressDeck(block=block)) for block in (4, 8)]
    assert "Perplexity with adapters" in plots.draw([str(f) for f in bare], plots.Request())._suptitle.get_text()
    for view in ("adapters", "noise-map"):
        code, _, err = run("plot", *files, "-o", tmp_path / "f.png", "--view", view)
        assert (code, err) == (0, "")
        assert (tmp_path / "f.png").stat().st_size > 10_000


@pytest.mark.parametrize("view, part", [("adapters", "Set adapter.kind"), ("noise-map", "Set noise.error_rates")])
def test_what_a_file_does_not_hold_is_said(run, tmp_path, view, part):
    file = write(tmp_path / "f.h5", CompressDeck())
    code, _, err = run("plot", file, "-o", tmp_path / "f.png", "--view", view)
    assert code == 2 and err.count("\n") == 1 and part in err
