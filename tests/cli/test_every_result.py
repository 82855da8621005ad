"""What every result file has, whatever wrote it: axes that readers of netCDF know by name, and where the time went."""

import re
import time

import h5py
import numpy as np
import pytest
import xarray

from conftest import RESULT, Program, compress_stories, evaluate_stories, simulate_eagle
from distilling import distill_images, distill_stories
from images import image_compression, plain_network, random_images
from test_compress_images import LAYERS

ENGINES = ("h5netcdf", "netcdf4")
UNIFORM = {"allocation": "uniform", "parameter_ratio": 0.5}
FEW_WINDOWS = {"calibration": {"windows": 2, "gradient_windows": 2, "window_length": 64, "gradient_window_length": 64},
               "evaluate": {"max_windows": 2, "window_length": 64}}
SIMULATION = {"circuit": {"steps": 3, "theta_h": [0.3, 0.6]}, "state": {"max_bond_dimension": [4, 8]},
              "measure": {"observables": ["magnetization", "Z62"], "every": 2}, "run": {"directory": "states"}}


def compress_images(folder) -> Program:
    program = image_compression(folder)
    plain_network(program, LAYERS, (3, 8, 8))
    random_images(program, (3, 8, 8), classes=4)
    return program


def simulate_pair(folder) -> Program:
    """Two sites, so that a third rank owns nothing."""
    program = simulate_eagle(folder)
    program.given["lattice"] = {"name": "edge-list", "file": program.write("pair.edges", "0 1\n")}
    return program


# The program, sections of its deck, stages that it must have, and labels of axes: dataset, its group, its dimension.
KINDS = {
    "simulate": (simulate_eagle, SIMULATION,
                 ["bond factors", "bond products", "svd", "site products", "one-site gates", "readings", "checkpoint"],
                 [("theta_h", "results", "points"), ("max_bond_dimension", "results", "points"), ("steps", "results", "measured_steps")]),
    "pair": (simulate_pair, {"circuit": {"steps": 40}, "measure": {"observables": ["magnetization"]}}, ["svd"],
             [("steps", "results", "measured_steps")]),
    "evaluate": (evaluate_stories, {"evaluate": {"max_windows": 3, "window_length": 64},
                                    "generate": {"prompt_tokens": [1, 403], "tokens": 3}},
                 ["read model", "scoring", "generation"], [("prompts", "results", "prompts")]),
    "compress": (compress_stories, FEW_WINDOWS | {"ranks": UNIFORM, "heal": {"steps": 2}, "run": {"directory": "stages"},
                                                  "export": {"directory": "export"}},
                 ["read model", "calibration", "decomposition", "allocation", "replacement", "training", "scoring", "export", "checkpoint"],
                 []),
    "compress-images": (compress_images, {"ranks": UNIFORM, "method": {"form": "tucker"}, "train": {"epochs": 2, "batch_size": 16}},
                        ["read model", "calibration", "decomposition", "training", "scoring"], [("epoch", "results", "epochs")]),
    "distill": (distill_stories, FEW_WINDOWS | {"ranks": UNIFORM, "select": {"weights": ["*feed_forward*"]},
                                                "method": {"form": "low-rank"}, "distill": {"epochs": 2, "batch_size": 2}},
                ["teacher", "slices", "slice costs", "scoring"], [("simulated_teams", "results/local", "schedules")]),
    "distill-images": (distill_images, {"ranks": UNIFORM, "distill": {"epochs": 2, "batch_size": 8}},
                       ["teacher", "slices", "slice costs", "scoring"], [("simulated_teams", "results/local", "schedules")]),
}
RUNS = [("simulate", None), ("simulate", 2), ("pair", 3), ("evaluate", 2), ("compress", 3), ("compress-images", 2),
        ("distill", 2), ("distill-images", 3)]


class Finished:
    """A run that is over: its kind, its number of ranks, its file, its log and its seconds."""

    def __init__(self, kind: str, ranks: int | None, folder):
        make, sections, self.stages, self.labels = KINDS[kind]
        program = make(folder)
        began = time.monotonic()
        outcome = program.start(program.deck(**sections), ranks=ranks)
        self.seconds = time.monotonic() - began
        assert outcome.code == 0, outcome.err
        self.ranks, self.log, self.path = ranks or 1, outcome.err, folder / RESULT


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: f"{run[0]}-{run[1] or 1}")
def finished(request, tmp_path_factory) -> Finished:
    return Finished(*request.param, tmp_path_factory.mktemp("run"))


def groups_of(path) -> dict[str, list[str]]:
    """The datasets of each group but the root."""
    groups = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: groups.setdefault(item.parent.name.strip("/"), []).append(name.split("/")[-1])
                        if isinstance(item, h5py.Dataset) else None)
    groups.pop("")
    return groups


def is_length_only(dataset) -> bool:
    return dataset.attrs.get("NAME", b"").startswith(b"This is a netCDF dimension but not")


@pytest.mark.parametrize("engine", ENGINES)
def test_axes_are_named_dimensions(finished, engine):
    with h5py.File(finished.path) as file:
        for group, names in groups_of(finished.path).items():
            with xarray.open_dataset(finished.path, group=group, engine=engine) as found:
                assert set(found.variables) == {name for name in names if not is_length_only(file[group][name])}
                for name in found.variables:
                    dataset = file[group][name]
                    dims = [re.sub(r"[^A-Za-z0-9]+", "_", dim) for dim in dataset.attrs["dims"]]
                    for dim, found_dim in zip(dims, found[name].dims, strict=True):
                        assert found_dim in (dim, f"{dim}_axis"), (group, name)
                    values = dataset.asstr()[...] if dataset.dtype == object else dataset[...]
                    np.testing.assert_array_equal(found[name].values, values)


@pytest.mark.parametrize("engine", ENGINES)
def test_labels_of_axes_are_coordinates(finished, engine):
    for name, group, dimension in [*finished.labels, ("stage", "timing/profile", "stages")]:
        with xarray.open_dataset(finished.path, group=group, engine=engine) as found:
            assert name in found.coords
            assert found.coords[name].dims == (dimension,)


def test_the_profile_has_every_stage_of_every_rank(finished):
    with h5py.File(finished.path) as file:
        profile = {name: dataset[...] for name, dataset in file["timing/profile"].items() if not is_length_only(dataset)}
        assert list(file["timing/profile/seconds"].attrs["dims"]) == ["stages", "ranks"]
    assert set(profile) == {"stage", "calls", "seconds", "flops", "bytes_sent"}
    stages = [stage.decode() for stage in profile.pop("stage")]
    assert len(set(stages)) == len(stages)
    assert {"start", "read", "plan", "other", *finished.stages} <= set(stages)
    assert ("wait" in stages) == (finished.ranks > 1)
    for values in profile.values():
        assert values.shape == (len(stages), finished.ranks)
    assert np.all(profile["seconds"] >= 0) and np.all(profile["calls"] >= 0) and np.all(profile["bytes_sent"] >= 0)
    assert np.all(profile["calls"][[stages.index(stage) for stage in finished.stages]].max(axis=1) > 0)
    assert np.all(np.diff(profile["seconds"].sum(axis=1)) <= 0)  # those that took most first


def test_stages_add_up_to_the_run(finished):
    with h5py.File(finished.path) as file:
        seconds = file["timing/profile/seconds"][...].sum(axis=0)
        wall_seconds = file["timing/profile"].attrs["wall_seconds"]
    # Between its two clocks a rank may wait for a core.
    np.testing.assert_allclose(seconds, wall_seconds, rtol=0.01, atol=0.1)
    assert np.all(wall_seconds < finished.seconds)
    # The log tells the largest, and imbalance where there can be any.
    line = re.search(r"time: .+ \d+ %, .+ \d+ %, .+ \d+ %(; the busiest rank works (\d\.\d\d) times the mean)?\n", finished.log)
    assert line, finished.log
    assert (line[1] is None) == (finished.ranks == 1)


def test_what_is_counted_follows_from_the_sizes(tmp_path):
    """A chain of two sites, of which a third rank owns nothing."""
    run = Finished("pair", 3, tmp_path)
    with h5py.File(run.path) as file:
        profile = file["timing/profile"]
        stage = list(profile["stage"].asstr()[...])
        calls, flops, sent = (profile[name][...] for name in ("calls", "flops", "bytes_sent"))
    gates = stage.index("one-site gates")
    assert calls[gates].sum() == 80  # two sites in 40 steps
    assert np.all(flops[gates] <= calls[gates] * 8 * 4 * 2)
    assert np.all(np.isfinite(flops[stage.index("svd")])) and np.all(flops[stage.index("wait")] == 0)
    assert np.all(np.isnan(flops[stage.index("other")]))
    idle = np.flatnonzero(calls[gates] == 0)
    assert idle.size >= 1 and np.all(flops[stage.index("site products")][idle] == 0)
    # Each step one of the two ranks sends its factor, and the other one what it made of it.
    exchange = stage.index("exchange")
    assert np.count_nonzero(sent[exchange]) == 2 and np.all(sent[exchange][idle] == 0)


def test_a_stopped_run_says_where_its_time_went(tmp_path):
    """The first point takes no time, the second one more than there is."""
    outcome = simulate_eagle(tmp_path).run(
        circuit={"steps": 60, "theta_h": [0.8]}, state={"max_bond_dimension": [2, 64], "causal_cone": False},
        measure={"observables": ["magnetization"], "every": 60}, run={"wall_time_limit": 5.0}, ranks=2)
    assert outcome.code == 75, outcome
    with h5py.File(tmp_path / (RESULT + ".partial")) as file:
        profile = file["timing/profile"]
        assert file.attrs["status"] == "stopped" and profile["seconds"].shape[1] == 2
        np.testing.assert_allclose(profile["seconds"][...].sum(axis=0), profile.attrs["wall_seconds"], rtol=0.01)
