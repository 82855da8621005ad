"""rankine-compress goes on with runs that were stopped: from each stage, on other numbers of ranks, after being killed; and
says what is wrong with a restart folder."""

import contextlib
import json
import random
import re
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from checkpoints import stored_tensors
from conftest import RESULT, Program, compress_stories
from stopping import WAYS, go_on_until_done

DECK = {
    "ranks": {"allocation": "fermi", "parameter_ratio": 0.6, "fermi_steps": 6},
    "heal": {"steps": 12, "loss": "distillation", "window_length": 256, "learning_rate": 1e-3},
}
MIXED = {
    "method": {"form": "clustered", "weighting": "two-sided", "clusters": 16, "codebooks": "2", "rounds": 2},
    "ranks": {"bits_per_weight": 4},
}
KEPT = DECK | {"run": {"directory": "kept", "checkpoint_interval": 0}}


def run(program: Program, sections: dict, ranks: int | None = None) -> tuple[dict, str]:
    """Results and log of a run that must succeed."""
    outcome = program.start(program.deck(**sections), ranks=ranks)
    assert outcome.code == 0, outcome.err
    return program.read(), outcome.err


def stages(program: Program) -> dict:
    """The folders of run.directory by the name of their stage; states of a series have a number behind it."""
    return {folder.name.rsplit("-", 1)[0]: folder for folder in (program.folder / "kept").iterdir()}


def edit_notes(folder: Path, change) -> None:
    """Replaces the notes of a stage by what `change` makes of them, under a seal that fits."""
    file = folder / "stage.json"
    document = json.loads(file.read_text())
    del document["checksum"]
    document["notes"] = change(document["notes"])
    body = json.dumps(document)[:-1]
    seal = 0xcbf29ce484222325  # FNV-1a of length and text
    for byte in struct.pack("<Q", len(body)) + body.encode():
        seal = (seal ^ byte) * 0x100000001b3 % 2**64
    file.write_text(f'{body},"checksum":"{seal:016x}"}}')


def edit_header(folder: Path, change) -> None:
    """Replaces the header of model.safetensors by what `change` makes of it; the tensors' bytes stay."""
    file = folder / "model.safetensors"
    data = file.read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    change(header)
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data[end:])


def flip_bit(file: Path, place: float) -> None:
    """One bit, at a part of the file."""
    data = bytearray(file.read_bytes())
    data[int(place * len(data))] ^= 4
    file.write_bytes(data)


def expect_passed_over(program: Program, folder: Path, straight: dict, *messages: str, sections: dict = KEPT, ranks: int | None = None,
                       instead: str = "It is computed anew.") -> None:
    """The folder is named and what is wrong with it, and the run ends as a straight one does."""
    results, log = run(program, sections, ranks)
    assert log.count("warning: Cannot go on from") == 1, log
    for message in (f"Cannot go on from 'kept/{folder.name}'", instead, *messages):
        assert message in log
    if ranks is None:
        for name in straight:
            if "seconds" not in name:
                np.testing.assert_array_equal(results[name], straight[name], err_msg=name)
    else:
        expect_same(results, straight)


def expect_same(results: dict, straight: dict) -> None:
    assert results["parameters_after"] == straight["parameters_after"]
    assert results["perplexity_before"] == pytest.approx(straight["perplexity_before"], rel=1e-6)
    assert results["perplexity_unhealed"] == pytest.approx(straight["perplexity_unhealed"], rel=1e-4)
    assert results["perplexity_after"] == pytest.approx(straight["perplexity_after"], rel=1e-3)
    assert results["healing_loss"] == pytest.approx(straight["healing_loss"], rel=5e-3)


@pytest.fixture(scope="module")
def straight_run(tmp_path_factory):
    """A restart folder with all stages, to be copied, and the results."""
    program = compress_stories(tmp_path_factory.mktemp("restart"))
    results, _ = run(program, KEPT)
    return program.folder / "kept", results


@pytest.fixture
def restart(compress, straight_run) -> dict:
    """Puts a restart folder with all stages beside the deck; the results of its run."""
    shutil.copytree(straight_run[0], compress.folder / "kept")
    return straight_run[1]


def test_a_run_goes_on_from_each_stage_with_any_number_of_ranks(compress):
    straight, _ = run(compress, DECK)
    results, _ = run(compress, KEPT, ranks=2)
    expect_same(results, straight)
    assert set(stages(compress)) == {"scores", "inputs", "gradients", "fermi", "weights", "healing.11", "healing.12"}
    last = ["healing.12", "healing.11", "weights", "fermi", "gradients", "inputs"]  # the last stages first
    for gone, message, ranks in ((1, "healing goes on after step 11", 3), (2, "compressed weights taken from run.directory", 1),
                                 (3, "FermiGrad goes on after step 6", 2), (6, "(of an earlier run)", 1)):
        for name, folder in stages(compress).items():
            if name in last[:gone] or (gone > 1 and name.startswith("healing")):
                shutil.rmtree(folder)
        results, log = run(compress, KEPT, ranks)
        assert message in log
        expect_same(results, straight)


def kill_when_healed(program: Program, sections: dict, steps: int) -> None:
    """Starts a run, and kills it when so many steps of healing are saved."""

    def saved() -> int:
        counts = [0]
        for notes in program.folder.glob("kept/healing.*/stage.json"):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                counts.append(json.loads(notes.read_text())["notes"]["steps"])
        return max(counts)

    process = subprocess.Popen(program.command(program.deck(**sections)), cwd=program.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while saved() < steps:
        assert process.poll() is None and time.monotonic() < deadline, "healing was not saved in time"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_run_ends_with_the_losses_and_weights_of_a_straight_one(compress):
    heal = DECK["heal"] | {"steps": 60}
    straight, _ = run(compress, DECK | {"heal": heal, "export": {"directory": "straight"}})
    sections = KEPT | {"heal": heal, "export": {"directory": "restarted"}}
    kill_when_healed(compress, sections, 3)
    assert "result.h5.partial" in compress.result_files()
    results, log = run(compress, sections)
    after = int(re.search(r"healing goes on after step (\d+)", log)[1])
    assert 3 <= after < 60, "nothing was left to do"
    for name in ("healing_loss", "perplexity_unhealed", "perplexity_after"):
        np.testing.assert_array_equal(results[name], straight[name])
    expected, found = stored_tensors(compress.folder / "straight"), stored_tensors(compress.folder / "restarted")
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_decks_share_what_was_measured_and_nothing_else(compress):
    run(compress, KEPT)
    other = KEPT | {"ranks": {"allocation": "additive", "parameter_ratio": 0.8}}
    straight, _ = run(compress, {name: section for name, section in other.items() if name != "run"})
    results, log = run(compress, other)
    assert "input moments taken from run.directory" in log
    assert "output gradients taken from run.directory" in log
    assert "compressed weights taken" not in log and "healing goes on" not in log
    expect_same(results, straight)
    _, log = run(compress, other | {"calibration": compress.given["calibration"] | {"first_window": 1}})
    assert "taken from run.directory" not in log


def test_what_was_left_half_written_does_not_count(compress):
    run(compress, KEPT)
    for name in ("weights", "inputs"):
        folder = stages(compress)[name]
        (folder / "stage.json").unlink()
        data = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(data[:len(data) // 2])
    for name, folder in stages(compress).items():
        if name.startswith("healing"):
            shutil.rmtree(folder)
    _, log = run(compress, KEPT)
    assert "input moments taken" not in log and "compressed weights taken" not in log


def test_damaged_tensors_are_passed_over(compress, restart):
    for ranks in (None, 3):
        folder = only(compress, "weights")
        (folder / "model.safetensors").write_bytes(b"short")
        expect_passed_over(compress, folder, restart, ranks=ranks)


def only(program: Program, stage: str) -> Path:
    """The folder of a stage that a run will go on from, since later ones are gone."""
    later = {"scores": [], "healing.12": [], "healing.11": ["healing.12"], "weights": ["healing.11", "healing.12"]}
    folders = stages(program)
    for hidden in later.get(stage, ["weights", "healing.11", "healing.12"]):
        shutil.rmtree(folders.get(hidden, program.folder / "none"), ignore_errors=True)
    return folders[stage]


def test_the_state_before_a_damaged_one_is_taken(compress, restart):
    folder = stages(compress)["healing.12"]
    flip_bit(folder / "model.safetensors", 0.9)
    expect_passed_over(compress, folder, restart, "is damaged", instead="The state before it is taken.")
    _, log = run(compress, KEPT)
    assert "healing goes on after step 12" in log, "the damaged state has been replaced"


@pytest.mark.parametrize("stage", ["inputs", "weights", "healing.11", "fermi"])
def test_a_flipped_bit_is_noticed(compress, restart, stage):
    folder = only(compress, stage)
    tensors = folder / "model.safetensors"
    instead = "It begins anew." if stage.startswith("healing") else "It is computed anew."
    if tensors.exists():
        flip_bit(tensors, 0.9)
        expect_passed_over(compress, folder, restart, "is damaged", ranks=2, instead=instead)
        if stage.startswith("healing"):
            return
    folder = only(compress, stage)
    flip_bit(folder / "stage.json", 0.5)
    expect_passed_over(compress, folder, restart, "stage.json is damaged", instead=instead)


def test_a_flipped_bit_is_noticed_by_all_teams(compress):
    teams = KEPT | {"parallel": {"teams": 2}}
    straight, _ = run(compress, teams, ranks=2)
    folder = stages(compress)["healing.12"]
    flip_bit(folder / "model.safetensors", 0.9)
    expect_passed_over(compress, folder, straight, sections=teams, ranks=2, instead="The state before it is taken.")
    folder = only(compress, "weights")
    flip_bit(folder / "model.safetensors", 0.9)
    expect_passed_over(compress, folder, straight, sections=teams, ranks=2)


def swap(entry: str):
    """The lengths of a tensor's axes in another order, or as one."""
    def change(header):
        rows, columns = header[entry]["shape"]
        header[entry]["shape"] = [columns, rows] if rows != columns else [rows * columns]
    return change


@pytest.mark.parametrize("stage, change, message", [
    ("inputs", swap("moment0"), "the tensor moment0 does not fit: it is F64 [4096], and not F64 [64, 64]"),
    ("inputs", lambda header: header["moment1"].update(shape=[32, 128]), "the tensor moment1 does not fit"),
    ("inputs", lambda header: header["moment1"].update(shape=[128, 64], dtype="F32"), "the tensor moment1 does not fit"),
    ("inputs", lambda header: header.update(other=header.pop("moment0")), "tensor"),
    ("gradients", lambda header: header["moment3"].update(shape=[16, 256]), "the tensor moment3 does not fit"),
    ("weights", swap("layers.0.feed_forward.w1.left"), "the tensor layers.0.feed_forward.w1.left does not fit"),
    ("weights", lambda header: header["layers.0.feed_forward.w1.left"].update(dtype="I32"), "the tensor layers.0.feed_forward.w1.left does not fit"),
    ("healing.11", swap("layers.0.feed_forward.w1.left.square"), "the tensor layers.0.feed_forward.w1.left.square does not fit"),
])
def test_tensors_are_those_of_the_model(compress, restart, stage, change, message):
    folder = only(compress, stage)
    edit_header(folder, change)
    expect_passed_over(compress, folder, restart, message, instead="anew.")


def first(**values):
    """The first of a list of notes with other values."""
    return lambda notes: [notes[0] | values, *notes[1:]]


@pytest.mark.parametrize("stage, change", [
    ("weights", lambda notes: [1, 2]), ("weights", lambda notes: []), ("weights", first(rank=1.5)), ("weights", first(rank=10**6)),
    ("weights", first(rank=-1)), ("weights", first(form="mpo")), ("weights", first(form="dense")), ("weights", first(spectrum=None)),
    ("weights", first(shape={"rows": 4096, "columns": 1})), ("weights", first(numbers=True)), ("weights", first(name="other")),
    ("inputs", lambda notes: {}), ("inputs", lambda notes: {"of_weight": [7], "count": 1}), ("inputs", lambda notes: notes | {"count": 10**15}),
    ("inputs", lambda notes: notes | {"count": 20.0}), ("inputs", lambda notes: notes | {"of_weight": [0] * 35}),
    ("inputs", lambda notes: notes | {"of_weight": [-1] * 35}),
    ("gradients", lambda notes: {"count": 34}), ("gradients", lambda notes: {"count": 35.5}), ("gradients", lambda notes: None),
    ("scores", lambda notes: {"negative_log_likelihood": [1.0], "seconds": 1.0}), ("scores", lambda notes: notes | {"seconds": None}),
    ("fermi", lambda notes: notes | {"steps": 7}), ("fermi", lambda notes: notes | {"steps": 0}), ("fermi", lambda notes: notes | {"steps": 2.5}),
    ("fermi", lambda notes: notes | {"parts": notes["parts"][1:]}), ("fermi", lambda notes: notes | {"mean": []}),
    ("fermi", lambda notes: notes | {"importance": {"products": [], "squares": []}}),
    ("fermi", lambda notes: notes | {"importance": {name: [values[:1] for values in table] for name, table in notes["importance"].items()}}),
    ("healing.11", lambda notes: "text"), ("healing.11", lambda notes: notes | {"steps": 13}), ("healing.11", lambda notes: notes | {"steps": -3}),
    ("healing.11", lambda notes: notes | {"steps": 11.5}), ("healing.11", lambda notes: notes | {"losses": notes["losses"][1:]}),
])
def test_notes_of_another_kind_are_passed_over(compress, restart, stage, change):
    folder = only(compress, stage)
    edit_notes(folder, change)
    expect_passed_over(compress, folder, restart, instead="anew.")


STUDIES = {
    "sensitivity": ("perplexity", {"sensitivity": {"bond_dimensions": [2, 4]}, "method": {"form": "mpo", "weighting": "full", "sweeps": 0}}),
    "experiments": ("negative_log_likelihood", {"method": {"form": "clustered", "weighting": "none"},
                             "experiments": {"names": ["scrambled", "layer-by-layer"], "clusters": [4, 8], "layer_step": 2}}),
    "noise": ("perplexity", {"method": {"form": "clustered", "weighting": "none", "clusters": 8},
                             "adapter": {"kind": "cayley", "steps": 5, "window_length": 256},
                             "noise": {"error_rates": [0, 0.01, 0.1], "shots": [1000]}}),
}


def points_of(program: Program, study: str, dataset: str) -> np.ndarray:
    with h5py.File(program.folder / RESULT) as file:
        return file[f"results/{study}/{dataset}"][...]


@pytest.mark.parametrize("change", [
    lambda errors: errors[1:], lambda errors: [of_weight[1:] for of_weight in errors], lambda errors: [of_weight[::-1] for of_weight in errors],
    lambda errors: [[*of_weight[:-1], -1.0] for of_weight in errors]])
def test_errors_of_codebooks_are_those_of_the_weights(compress, change):
    sections = MIXED | {"run": {"directory": "kept"}}
    straight, _ = run(compress, sections)
    shutil.rmtree(only(compress, "weights"))
    edit_notes(only(compress, "codebook-errors"), lambda notes: {"errors": change(notes["errors"])})
    again, log = run(compress, sections)
    assert "its errors are not those of the selected weights. It is computed anew." in log
    assert again["perplexity_after"] == straight["perplexity_after"]


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_goes_on_behind_its_last_point(compress, study):
    dataset, sections = STUDIES[study]
    sections = sections | {"ranks": {"allocation": "uniform"}, "run": {"directory": "kept"}}
    run(compress, sections)
    straight = points_of(compress, study, dataset)
    folder = stages(compress)[study]
    points = json.loads((folder / "stage.json").read_text())["notes"]
    assert len(points) == straight.size
    edit_notes(folder, lambda points: [*points, points[0]])
    _, log = run(compress, sections)
    assert "its points are not those of the study. It is computed anew." in log
    np.testing.assert_array_equal(points_of(compress, study, dataset), straight)
    for left, ranks in ((len(points), 2), (len(points) // 2 + 1, 1), (1, 3)):
        edit_notes(folder, lambda _: points[:left])
        _, log = run(compress, sections, ranks)
        assert f"{left} point{'s' if left > 1 else ''} taken from run.directory" in log
        np.testing.assert_allclose(points_of(compress, study, dataset), straight, rtol=1e-4)
    _, log = run(compress, sections | {"evaluate": compress.given["evaluate"] | {"max_windows": 1}})
    assert "points taken" not in log


def check(program: Program, sections: dict) -> tuple[int, str]:
    """Exit code and everything that --check says."""
    outcome = program.start(program.deck(**sections), "--check")
    return outcome.code, outcome.out + outcome.err


def test_check_tells_what_the_folders_hold(compress, straight_run):
    sections = KEPT | {"export": {"directory": "out"}}
    assert check(compress, sections)[0] == 0
    assert list(compress.folder.iterdir()) == [compress.folder / "deck.toml"]
    shutil.copytree(straight_run[0], compress.folder / "kept")
    (compress.folder / "out").mkdir()
    code, text = check(compress, sections)
    assert code == 0
    assert "run.directory = kept holds fermi, gradients, healing, inputs, scores, weights of this deck\n" in text
    assert "replaced" not in text
    (compress.folder / "out" / "model.safetensors").write_bytes(b"")
    assert "export.directory = out holds a model already, which will be replaced" in check(compress, sections)[1]
    other = sections | {"ranks": {"allocation": "additive"}}
    assert "holds gradients, inputs, scores of this deck and 4 stages of other decks, models or versions" in check(compress, other)[1]
    other = KEPT | {"model": compress.given["model"] | {"precision": "float64"}}
    text = check(compress, other)[1]
    assert "holds nothing of this deck, but 7 stages of other decks, models or versions: " in text
    assert 'model.precision = "float32" there, "float64" here\n' in text
    folder = stages(compress)["weights"]
    flip_bit(folder / "stage.json", 0.5)
    code, text = check(compress, sections)
    assert code == 0
    assert f"what 'kept/{folder.name}' holds will be computed anew (" in text
    flip_bit(folder / "stage.json", 0.5)
    (folder / "model.safetensors").unlink()
    code, text = check(compress, sections)
    assert code == 0
    assert f"what 'kept/{folder.name}' holds will be computed anew (" in text


def test_old_keywords_are_answered_with_the_new_ones(compress, compress_refuses):
    compress_refuses("checkpoint.directory is no keyword any more", "Write run.directory.", checkpoint={"directory": "kept"})
    outcome = compress.start(compress.deck(), "--check", "checkpoint.interval=10")
    assert outcome.code == 2
    assert "checkpoint.interval is no keyword any more, command line (it has another name). Write run.checkpoint_interval, in seconds." in outcome.err


TRIALS = {
    "fermi and healing": DECK | {"heal": DECK["heal"] | {"steps": 40}},
    "adapter": {"method": {"form": "low-rank", "weighting": "full", "storage": "4-bit"}, "ranks": {"parameter_ratio": 0.7},
                "heal": {"steps": 5, "window_length": 256},
                "adapter": {"kind": "cayley", "side": "both", "steps": 30, "window_length": 256, "loss": "distillation"},
                "noise": {"error_rates": [0.01], "shots": [1000]}},
    "operators": {"method": {"form": "mpo", "weighting": "two-sided"}, "ranks": {"parameter_ratio": 0.7}},
    "codebooks": MIXED | {"fit": {"order": "sequential"}},
    **{study: sections | {"ranks": {"allocation": "uniform"}} for study, (_, sections) in STUDIES.items()},
}


@pytest.mark.parametrize("ranks, teams, trial", [(None, 1, "fermi and healing"), (2, 2, "fermi and healing"), (None, 1, "operators"), (None, 1, "codebooks"), (None, 1, "adapter"), (2, 2, "adapter"),
                                                 (None, 1, "sensitivity"), (None, 1, "experiments")])
def test_a_run_stopped_at_random_ends_as_a_straight_one(tmp_path, ranks, teams, trial):
    programs = {name: compress_stories(tmp_path / name) for name in ("straight", "stopped")}
    sections = TRIALS[trial] | {"parallel": {"teams": teams}}
    for program in programs.values():
        program.folder.mkdir()
    run(programs["straight"], sections, ranks)
    kept = sections | {"run": {"directory": "kept", "checkpoint_interval": 0.2}}
    # Signals to mpirun are its own affair; a stop file and the clock need nobody between.
    stops = go_on_until_done(programs["stopped"], kept, random.Random(trial), ranks,
                             WAYS if ranks is None else ("file", "time"))
    assert stops > 0, "the run was never stopped"
    straight, stopped = (numbers_of(program) for program in programs.values())
    assert straight.keys() == stopped.keys()
    for name, array in straight.items():
        np.testing.assert_array_equal(stopped[name], array, err_msg=name)


def numbers_of(program: Program) -> dict:
    """All that is computed, in all groups of /results."""
    numbers = {}
    with h5py.File(program.folder / RESULT) as file:
        file["results"].visititems(lambda name, item: numbers.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None)
    return {name: array for name, array in numbers.items() if "second" not in name and "bytes" not in name}


@pytest.mark.parametrize("section", ["export", "run"])
@pytest.mark.parametrize("folder, message", [("file", "'file' is no folder"), ("file/deeper", "'file' is no folder"), ("loop", "symbolic links"),
                                             ("nowhere/deeper", "leads nowhere"), ("/proc/new", "No such file or directory"),
                                             ("x" * 300, "too long")])
def test_folders_that_cannot_be_written_are_refused_at_the_start(compress, compress_refuses, section, folder, message):
    compress.write("file", "text")
    (compress.folder / "loop").symlink_to("loop")
    (compress.folder / "nowhere").symlink_to("missing")
    compress_refuses(f"{section}.directory = {folder} cannot be written to", message, ranks=2, **{section: {"directory": folder}})


def test_folders_in_the_place_of_files_are_refused_at_the_start(compress, compress_refuses):
    (compress.folder / "out" / "model.safetensors").mkdir(parents=True)
    compress_refuses("export.directory = out cannot be written to", "'out/model.safetensors' is a folder", export={"directory": "out"})
