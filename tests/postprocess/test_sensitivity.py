"""The heat maps of sensitivity profiles: which file they are drawn of, and what their cells hold."""

import numpy as np
import pytest
from compression_file import CompressDeck, write
from matplotlib.colors import LogNorm
from rankine_postprocess import InputError, plots, read_compression, sensitivity_map

LAYERS, KINDS, BONDS = 3, ["self_attn.q_proj", "mlp.down_proj"], [4, 16, 8]
ORIGINAL = 20.0  # perplexity that compression_file writes


def profile_file(path, missing=0):
    """Perplexities rise by 8 / (bond (1 + layer)) of the original, for kinds by 80 / bond."""
    names = [f"layer {i}" for i in range(LAYERS)] + KINDS
    rise = [8 / (1 + i) for i in range(LAYERS)] + [80] * len(KINDS)
    values = ORIGINAL * (1 + np.outer(rise, 1 / np.array(BONDS)))
    values.ravel()[values.size - missing:] = np.nan
    datasets = {
        "groups": names, "grouped_by": ["layer"] * LAYERS + ["kind"] * len(KINDS), "bond_dimensions": BONDS,
        "perplexity": values, "parameters": np.ones(values.shape, dtype=int),
        "parameters_before": np.full(len(names), 100),
    }  # fmt: skip
    return write(path, CompressDeck(form="mpo", title="Profile", sensitivity=datasets))


def test_cells_hold_the_increase_in_the_order_of_the_bond_dimensions(tmp_path):
    figure = sensitivity_map.draw(read_compression(profile_file(tmp_path / "p.h5")))
    layers, kinds = figure.axes[:2]
    (image,) = layers.images
    assert isinstance(image.norm, LogNorm) and image.get_gid() == "layer"
    expected = [[8 / (1 + layer) / bond for bond in sorted(BONDS)] for layer in range(LAYERS)]
    np.testing.assert_allclose(image.get_array(), expected, rtol=1e-12)
    assert [text.get_text() for text in layers.get_xticklabels()] == ["4", "8", "16"]
    assert [text.get_text() for text in layers.get_yticklabels()] == ["0", "1", "2"]
    assert [text.get_text() for text in kinds.get_yticklabels()] == ["q", "down"]
    assert kinds.images[0].norm is image.norm
    cells = {(round(text.get_position()[0]), round(text.get_position()[1])): text.get_text() for text in layers.texts}
    assert cells[0, 0] == "60" and cells[2, 1] == "25"
    assert "perplexity of the original 20" in figure._supxlabel.get_text()


def test_points_that_are_not_done_stay_empty(tmp_path):
    figure = sensitivity_map.draw(read_compression(profile_file(tmp_path / "p.h5", missing=2)))
    kinds = figure.axes[1]
    assert np.isnan(np.ma.filled(kinds.images[0].get_array(), np.nan)).sum() == 2
    assert len(kinds.texts) == len(KINDS) * len(BONDS) - 2


def test_the_file_chooses_the_view(run, tmp_path):
    path = profile_file(tmp_path / "p.h5")
    figure = plots.draw([str(path)], plots.Request())
    assert [panel.get_title() for panel in figure.axes[:2]] == ["one layer at a time", "one kind of matrix at a time"]
    code, _, err = run("plot", path, "-o", tmp_path / "p.png")
    assert (code, err) == (0, "")
    assert (tmp_path / "p.png").stat().st_size > 10_000


def test_a_file_without_a_profile_is_refused(tmp_path):
    compression = read_compression(write(tmp_path / "c.h5", CompressDeck()))
    with pytest.raises(InputError, match="no sensitivity profile"):
        sensitivity_map.draw(compression)
