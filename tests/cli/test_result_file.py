"""The result file: what stands in it under which name, shape, type and description."""

import re
import subprocess
import time
import tomllib

import h5py
import numpy as np
import pytest

from kicked_ising import W10, dataset

N_SITES = 127
STRINGS = ["Z62", "X62 Z63", W10]
PER_STEP = ["points", "measured steps"]
# name: type, dims
DATASETS = {
    "theta_h": ("float64", ["points"]),
    "max_bond_dimension": ("int64", ["points"]),
    "steps": ("int64", ["measured steps"]),
    "magnetization": ("float64", PER_STEP),
    "site_z": ("float64", [*PER_STEP, "sites"]),
    "discarded_weight": ("float64", PER_STEP),
    "fidelity": ("float64", PER_STEP),
    "bond_dimension": ("int64", PER_STEP),
} | {dataset(string): ("float64", PER_STEP) for string in STRINGS}
LENGTH = {"points": 4, "measured steps": 3, "sites": N_SITES}


def write_sample(rankine):
    """Two bond dimensions, two angles, steps 2, 4 and 5; the deck by its absolute path, one override."""
    deck = rankine.deck(title="Sample \u03b8_h", circuit={"theta_h": [0.3, 0.6], "steps": 9},
                        state={"max_bond_dimension": [4, 8]},
                        measure={"observables": ["magnetization", *STRINGS], "every": 2})
    outcome = rankine.start(rankine.folder / deck, "circuit.steps=5", ranks=2)
    assert outcome.code == 0, outcome.err
    return outcome


def test_everything_stands_where_the_format_says(rankine):
    outcome = write_sample(rankine)
    assert rankine.result_files() == ["result.h5"]
    with h5py.File(rankine.folder / "result.h5") as file:
        check_root(file)
        check_results(file["results"])
        check_observables(file["results"])
        check_provenance(file["provenance"])
        check_log(file["log"], outcome)
        seconds = file["timing/point_seconds"]
        assert seconds.shape == (4,) and seconds.attrs["units"] == "s" and np.all(seconds[...] > 0)
        check_no_trace_of(rankine.folder, file)


def check_root(file):
    attributes = dict(file.attrs)
    assert sorted(attributes) == ["created_utc", "filetype", "format_version", "git_commit", "n_ranks", "program",
                                  "program_version", "status", "threads"]
    assert attributes["filetype"] == attributes["program"] == "rankine-simulate"
    assert (attributes["format_version"], attributes["n_ranks"], attributes["threads"]) == (1, 2, 1)
    assert attributes["status"] == "complete"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", attributes["created_utc"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", attributes["program_version"])
    scales = {name for name in file if file[name].attrs.get("CLASS") == b"DIMENSION_SCALE"}
    assert scales >= {"points", "measured_steps", "sites", "lines", "stages", "ranks"}
    assert sorted(set(file) - scales) == ["inputs", "log", "provenance", "results", "timing"]


def check_results(results):
    assert sorted(results) == sorted(DATASETS)
    for name, (dtype, dims) in DATASETS.items():
        values = results[name]
        assert values.dtype == dtype, name
        assert values.shape == tuple(LENGTH[dim] for dim in dims), name
        assert list(values.attrs["dims"]) == dims, name
        assert values.attrs["units"] == ("rad" if name == "theta_h" else "1"), name
        assert len(values.attrs["long_name"]) > 3, name
        assert np.all(np.isfinite(values[...])), name
    assert {key: results.attrs[key] for key in results.attrs} == {
        "title": "Sample \u03b8_h", "lattice": "eagle", "n_sites": 127, "n_edges": 144, "circuit": "kicked-ising",
        "theta_j": -1.5707963267948966, "final_rx_layer": 0,
    }
    assert results["theta_h"][...].tolist() == [0.3, 0.6, 0.3, 0.6]
    assert results["max_bond_dimension"][...].tolist() == [4, 4, 8, 8]
    assert results["steps"][...].tolist() == [2, 4, 5]
    assert results["bond_dimension"][:, -1].tolist() == [4, 4, 8, 8]
    np.testing.assert_allclose(results["site_z"][...].mean(axis=2), results["magnetization"][...], atol=1e-14)
    np.testing.assert_array_equal(results["Z62"][...], results["site_z"][:, :, 62])
    weight, fidelity = results["discarded_weight"][...], results["fidelity"][...]
    assert np.all(np.diff(weight, axis=1) >= 0) and np.all(weight[:, -1] > 0)
    assert np.all(fidelity <= 1) and np.all(fidelity >= 1 - weight - 1e-14)


def check_observables(results):
    for string in STRINGS:
        attributes = results[dataset(string)].attrs
        assert attributes["pauli_string"] == string
        assert string in attributes["long_name"]
    assert results["magnetization"].attrs["route"] == results["Z62"].attrs["route"] == "mean-field"
    # One name where all measured steps are read alike, else one for each.
    routes = results[dataset(W10)].attrs["route"].split(",")
    assert len(routes) in (1, 3) and routes[-1] == "clifford+light-cone"
    assert results["X62_Z63"].attrs["route"].split(",")[-1] in ("cluster", "light-cone", "clifford+light-cone")


def check_provenance(provenance):
    text = provenance["effective_deck"][()].decode()
    document = tomllib.loads(text)
    assert document["circuit"]["steps"] == 5 and document["circuit"]["theta_h"] == [0.3, 0.6]
    assert document["state"]["precision"] == "complex128"
    for line in ["steps = 5  # command line", "every = 2  # deck.toml:", 'route = "gram"  # default']:
        assert line in text
    assert sorted(provenance["versions"].attrs) == ["HDF5", "blas", "mpi"]
    assert provenance["inputs"].shape == (0,)  # no file but the deck was read
    assert "job_id" in provenance.attrs


def check_log(log, outcome):
    lines = [line.decode() for line in log[...]]
    assert any("127 sites, 144 edges, 4 points, 3 measured steps, 2 ranks, 1 thread each" in line for line in lines)
    assert any("results in result.h5" in line for line in lines)
    for line in "\n".join(lines).splitlines():
        assert line in outcome.err


def check_no_trace_of(folder, file):
    """No absolute path in any text: results travel."""
    texts = []

    def collect(_, item):
        texts.extend(map(str, item.attrs.values()))
        if isinstance(item, h5py.Dataset) and item.dtype == object:
            texts.append(str(item[...]))

    file.visititems(collect)
    assert len(texts) > 50
    assert not any(str(folder) in text for text in texts)


def test_the_table_holds_the_last_values_of_every_point(rankine):
    outcome = rankine.run(circuit={"steps": 2, "theta_h": [0.3, 0.6]},
                          measure={"observables": ["magnetization", "Z62"]})
    results = rankine.read()
    header, *rows = outcome.out.splitlines()
    assert header.split()[:5] == ["theta_h", "max", "bond", "magnetization", "Z62"]
    assert len(rows) == 2
    for point, row in enumerate(rows):
        shown = [float(word) for word in row.split()[:4]]
        expected = [results["theta_h"][point], 64, results["magnetization"][point, -1], results["Z62"][point, -1]]
        np.testing.assert_allclose(shown, expected, atol=1e-13)


def test_progress_tells_point_step_truncation_and_time_left(rankine):
    outcome = rankine.run(circuit={"steps": 3, "theta_h": [0.0, 0.6]})
    last = [line for line in outcome.err.splitlines() if "point 2/2" in line][-1]
    assert re.search(r"^ *100\.0 % .*step 3/3 +bond 4 +discarded .*fidelity 1\.0+ .*elapsed, [\d.]+ MiB$", last)
    assert re.match(r"100\.0 % \| [\d.]+ s left \| ", last) and last.count("iB") == 1
    assert "nan" not in outcome.err


def test_only_what_is_asked_for_is_written_and_a_new_run_replaces_the_old(rankine):
    rankine.results(circuit={"steps": 1})
    results = rankine.results(circuit={"steps": 2}, measure={"observables": ["X62  Z63 "], "every": 7})
    assert sorted(results) == sorted(set(DATASETS) - {"magnetization", "site_z", "Z62", dataset(W10)})
    assert results["steps"].tolist() == [2]


def started(rankine, ranks=None):
    """A run that has saved its first point and goes on for long."""
    deck = rankine.deck(circuit={"steps": 9, "theta_h": 0.6}, measure={"every": 9},
                        state={"max_bond_dimension": [2, 64], "causal_cone": False})
    process = subprocess.Popen(rankine.command(deck, ranks=ranks), cwd=rankine.folder, text=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (rankine.folder / "result.h5.partial").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None
    return process


def test_a_second_run_on_the_same_file_is_refused(rankine):
    first = started(rankine)
    try:
        second = rankine.start("deck.toml")
        assert second.code == 2
        assert f"another run is writing it: process {first.pid} on " in second.err
        assert "(rankine-simulate, since 20" in second.err
        assert rankine.result_files() == ["result.h5.lock", "result.h5.partial"]
        with h5py.File(rankine.folder / "result.h5.partial") as file:
            assert file.attrs["status"] == "running"
    finally:
        first.kill()  # leaves its lock
        first.communicate()
    assert "result.h5.lock" in rankine.result_files()
    (rankine.folder / "result.h5.partial").unlink()
    assert rankine.run(circuit={"steps": 1}).code == 0
    assert rankine.result_files() == ["result.h5"]


def test_a_replaced_result_is_mentioned(rankine):
    deck = rankine.deck(circuit={"steps": 1})
    assert "earlier" not in rankine.start(deck).err
    assert "results in result.h5 (in place of an earlier file of that name)" in rankine.start(deck).err


def test_a_killed_run_leaves_what_it_had_under_another_name(rankine):
    deck = rankine.deck(circuit={"steps": 9, "theta_h": 0.6}, measure={"every": 9},
                        state={"max_bond_dimension": [2, 64], "causal_cone": False})
    partial = rankine.folder / "result.h5.partial"
    process = subprocess.Popen(rankine.command(deck), cwd=rankine.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not partial.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    assert not (rankine.folder / "result.h5").exists()
    with h5py.File(partial) as file:
        assert file.attrs["status"] == "running"
        magnetization = file["results/magnetization"][:, 0]
        assert np.isfinite(magnetization[0]) and np.isnan(magnetization[1])
        assert file["results/bond_dimension"][:, 0].tolist() == [2, -1]
