"""Nothing written on a figure is cut by its edge or lies over another text, in every figure the package draws."""

import itertools

import bench_file
import evaluate_file
import h5py
import numpy as np
import pytest
import test_bench
import test_compressions
from compression_file import CompressDeck, noise
from compression_file import write as write_compression
from rankine_postprocess import bench, catalogue, plots
from result_file import Deck, write

LONG = "A title that says everything about the run, the lattice, the angles and the day on which it was begun"
CLOSE = 4.0  # pixels by which boxes may touch: legends have an empty border
ANGLES = list(np.linspace(0.0, np.pi / 2, 9))


def labels_of(figure):
    """Name -> box of what is written outside the panels."""
    found = {"title": figure._suptitle, "footer": figure._supxlabel}
    for number, axes in enumerate(figure.axes):
        if axes.axison:
            found |= {f"title {number}": axes.title, f"x label {number}": axes.xaxis.label,
                      f"y label {number}": axes.yaxis.label}  # fmt: skip
        legends = [child for child in axes.get_children() if hasattr(child, "get_texts")]
        outside = [legend for legend in legends if axes.axison and legend.get_window_extent().y0 >= axes.bbox.y1 - 5]
        found |= {f"legend {number}.{k}": legend for k, legend in enumerate(outside or legends * (not axes.axison))}
    return {name: artist.get_window_extent() for name, artist in found.items()
            if not hasattr(artist, "get_text") or artist.get_text()}  # fmt: skip


def check(figure):
    figure.draw_without_rendering()
    boxes = labels_of(figure)
    for name, box in boxes.items():
        assert box.x0 >= -CLOSE and box.y0 >= -CLOSE, f"{name} is cut"
        assert box.x1 <= figure.bbox.x1 + CLOSE and box.y1 <= figure.bbox.y1 + CLOSE, f"{name} is cut"
    for (name, box), (other, second) in itertools.combinations(boxes.items(), 2):
        wide = min(box.x1, second.x1) - max(box.x0, second.x0)
        high = min(box.y1, second.y1) - max(box.y0, second.y0)
        assert wide <= CLOSE or high <= CLOSE, f"{name} lies over {other}"
    for axes in figure.axes:
        assert not axes.xaxis.get_offset_text().get_text() and not axes.yaxis.get_offset_text().get_text()
        for text in axes.get_xticklabels() + axes.get_yticklabels():
            if axes.axison and text.get_text() and text.get_visible():
                box = text.get_window_extent()
                inside = box.x0 >= -CLOSE and box.x1 <= figure.bbox.x1 + CLOSE
                assert inside or not axes.get_xlim()[0] <= text.get_position()[0] <= axes.get_xlim()[1]


def cosine(theta, chi, step):
    return np.cos(theta) ** step - chi**-3.0


def simulation(path, values=cosine, name="Z62", lattice_name=None, **deck):
    write(path, Deck(**deck), {name: values})
    if lattice_name:
        with h5py.File(path, "a") as file:
            file["results"].attrs["lattice"] = lattice_name
    return str(path)


SIMULATIONS = {
    "angles": ({"theta_h": ANGLES}, {}),
    "long title": ({"theta_h": ANGLES, "title": LONG}, {}),
    "small values": ({"theta_h": ANGLES, "values": lambda *point: 1e-7 * cosine(*point)}, {}),
    "close values": ({"theta_h": ANGLES, "values": lambda *point: 0.5 + 1e-9 * cosine(*point)}, {}),
    "close angles": ({"theta_h": [0.5 + 1e-8 * k for k in range(5)]}, {}),
    "sweep": ({"theta_h": ANGLES, "max_bond_dimension": [8, 16, 32], "steps": [4, 9]}, {}),
    "steps": ({"theta_h": [0.6], "steps": list(range(1, 21))}, {}),
    "bond dimensions": ({"theta_h": ANGLES[:3], "max_bond_dimension": [8, 16, 32]}, {"against": "bond-dimension"}),
    "long string": ({"theta_h": ANGLES, "name": catalogue.W17}, {}),
    "very long string": ({"theta_h": ANGLES, "name": " ".join(f"X{site}" for site in range(120))}, {}),
    "long name": ({"theta_h": ANGLES, "title": "", "name": "a_long_name_that_is_no_Pauli_string_at_all"}, {}),
    "file as lattice": ({"theta_h": ANGLES, "title": "", "lattice_name": "a" * 150 + "$.edges"}, {}),
}


@pytest.mark.parametrize("case", SIMULATIONS)
def test_simulations(tmp_path, case):
    deck, request = SIMULATIONS[case]
    check(plots.draw([simulation(tmp_path / "f.h5", **deck)], plots.Request(**request)))


def test_several_lattices(tmp_path):
    files = [simulation(tmp_path / f"{name}.h5", name="magnetization", theta_h=ANGLES, lattice=name)
             for name in ("eagle", "osprey", "condor", "infinite-heavy-hex")]  # fmt: skip
    check(plots.draw(files, plots.Request()))


PROFILE = {"groups": ["layer 0", "layer 1", "mlp.up_proj"], "grouped_by": ["layer", "layer", "kind"],
           "bond_dimensions": [4, 8], "perplexity": [[30.0, 25.0]] * 3, "parameters": [[10, 20]] * 3,
           "parameters_before": [100] * 3}  # fmt: skip
COMPRESSIONS = {
    "gates": {"form": "disentangled", "gates": (2, 4, 0.62, 0.96, 5.0, 4.0)},
    "layers": {},
    "long title": {"title": LONG * 2},
    "bytes": {"form": "clustered"},
    "healing": {"healing_loss": [3.0 - 0.01 * k for k in range(60)], "unhealed": 60.0},
    "few steps of healing": {"healing_loss": [3.0, 2.0], "unhealed": 60.0},
    "small losses": {"healing_loss": [3e-5 - 1e-8 * k for k in range(60)]},
    "sensitivity": {"form": "mpo", "sensitivity": PROFILE},
    "experiments": {"form": "clustered", "experiments": test_compressions.EXPERIMENTS},
    "one experiment": {"form": "clustered", "experiments": test_compressions.EXPERIMENTS[:1]},
}


@pytest.mark.parametrize("layers", [1, 5, 40])
def test_layers_of_models_of_any_depth(tmp_path, monkeypatch, layers):
    monkeypatch.setattr("compression_file.LAYERS", layers)
    file = write_compression(tmp_path / "f.h5", CompressDeck())
    check(plots.draw([str(file)], plots.Request()))


@pytest.mark.parametrize("case", COMPRESSIONS)
def test_compressions(tmp_path, case):
    file = write_compression(tmp_path / "f.h5", CompressDeck(**COMPRESSIONS[case]))
    view = "healing" if "healing_loss" in COMPRESSIONS[case] else "disentanglers" if case == "gates" else None
    check(plots.draw([str(file)], plots.Request(view=view)))


@pytest.mark.parametrize("blocks", [(2,), (4, 8, 16, 32, 64)])
@pytest.mark.parametrize("view", ["adapters", "noise-map"])
def test_adapters_and_their_noise(tmp_path, view, blocks):
    files = [write_compression(tmp_path / f"{block}.h5", CompressDeck(block=block, noise=noise(block), weighting=weighting))
             for block in blocks for weighting in ("two-sided", "w" * 90)]  # fmt: skip
    check(plots.draw([str(file) for file in files], plots.Request(view=view)))


@pytest.mark.parametrize("perplexities", [(31.0, 50.0), (20.0001, 20.0002), (25.0, 5e6)])
def test_tradeoff(tmp_path, perplexities):
    files = [write_compression(tmp_path / f"{value}.h5", CompressDeck(perplexity=value, weighting=weighting))
             for value, weighting in zip(perplexities, ("two-sided", "w" * 90))]  # fmt: skip
    check(plots.draw([str(file) for file in files], plots.Request()))


@pytest.mark.parametrize("ranks", [(2,), (1, 2, 4)])
def test_benchmarks(tmp_path, ranks):
    files = [test_bench.write(tmp_path / f"{count}.h5", count, lambda n, method: n**3 * 1e-8) for count in ranks]
    check(bench.draw(bench.read_measurements(files)))


@pytest.mark.parametrize("ranks", [(1,), (4,), (2, 100)])
@pytest.mark.parametrize("stages", [2, 15])
def test_profiles(tmp_path, ranks, stages):
    names = [f"a stage with a rather long name, number {k}" for k in range(stages)]
    files = [evaluate_file.add_profile(simulation(tmp_path / f"{count}.h5", title=LONG),
                                       [[1.0 + k] * count for k in range(stages)], names) for count in ranks]  # fmt: skip
    check(plots.draw([str(file) for file in files], plots.Request(view="timing")))


@pytest.mark.parametrize("suite", ["gpeps", "images"])
@pytest.mark.parametrize("names", [("f",), ("a" * 90, "b")])
def test_other_benchmarks(tmp_path, suite, names):
    check(plots.draw([str(bench_file.write(tmp_path / f"{name}.h5", suite)) for name in names], plots.Request()))


@pytest.mark.parametrize("files", [1, 4])
@pytest.mark.parametrize("divergence", [None, 0.1])
def test_windows(tmp_path, files, divergence):
    paths = [evaluate_file.write(tmp_path / f"{'name' * 20}_{k}.h5", [3.0, 2.5 + k, 2.75], divergence=divergence) for k in range(files)]
    check(plots.draw([str(path) for path in paths], plots.Request()))


def test_healing_footer_names_the_lines_that_are_drawn(tmp_path):
    for steps, drawn in ((2, {"loss"}), (60, {"loss", "mean"})):
        deck = CompressDeck(healing_loss=[3.0 - 0.01 * step for step in range(steps)])
        figure = plots.draw([str(write_compression(tmp_path / "f.h5", deck))], plots.Request(view="healing"))
        assert {line.get_gid() for line in figure.axes[0].lines} == drawn
        assert ("running mean" in figure._supxlabel.get_text()) == ("mean" in drawn)


def test_file_names_as_lattices_keep_their_case(tmp_path):
    file = simulation(tmp_path / "f.h5", theta_h=ANGLES, title="", lattice_name="kagome_4x4.edges")
    figure = plots.draw([file], plots.Request())
    for text in (figure._suptitle.get_text(), figure._supxlabel.get_text()):
        assert "kagome_4x4.edges, 127 qubits" in text.replace("\n", " ")


def test_more_setups_than_colours_stay_apart(tmp_path):
    files = [simulation(tmp_path / f"{name}{steps}.h5", theta_h=ANGLES, lattice=name, steps=[steps])
             for name in ("eagle", "osprey", "condor") for steps in (5, 9, 11)]  # fmt: skip
    panel = plots.draw(files, plots.Request()).axes[0]
    drawn = [line for line in panel.lines if line.get_gid() == "simulation"]
    assert len({(line.get_color(), line.get_linestyle()) for line in drawn}) == 9
