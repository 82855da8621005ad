"""--check --machine: predicted seconds of every program, and what is refused."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import BINARIES, Program

ROOT = Path(__file__).parents[2]
MACHINE = ROOT / "inputs" / "machines" / "cluster.toml"


def predicted(text):
    """Total seconds and those of each stage."""
    stages = {name.strip(): float(seconds) for name, seconds in re.findall(r"^  (\S.*?)  +([\d.e+-]+) s ", text, re.M)}
    return float(re.search(r"^predicted ([\d.e+-]+) s on", text, re.M)[1]), stages


@pytest.mark.parametrize("program, deck", [
    ("simulate", "eagle"), ("evaluate", "evaluate_stories260K"), ("evaluate", "evaluate_textures"),
    ("compress", "compress_stories260K"), ("compress", "compress_adapter"), ("compress", "compress_disentangled"),
    ("compress", "tcnn_textures"), ("distill", "distill_stories260K"), ("distill", "distill_textures"),
])  # fmt: skip
def test_every_program_predicts_its_time(program, deck):
    command = [BINARIES / f"rankine-{program}", f"inputs/smoke/{deck}.toml", "--check", "--ranks", "3"]
    plain = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert plain.returncode == 0, plain.stderr
    assert "predicted" not in plain.stdout
    outcome = subprocess.run([*command, "--machine", MACHINE], cwd=ROOT, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    total, stages = predicted(outcome.stdout)
    assert {"reading and planning", "start"} <= stages.keys() and len(stages) > 2
    assert total == pytest.approx(sum(stages.values()), rel=2e-2)
    assert 1 < total < 1000
    assert "memory of" in outcome.stdout


def test_a_rank_may_use_what_the_machine_has(rankine):
    checked = rankine.run("--check", "--ranks", "128", "--machine", MACHINE)
    assert checked.code == 0, checked.err
    assert "a rank may use 8.0 GiB" in checked.out  # 512 GiB and 64 cores a node


def test_a_model_of_which_only_the_config_is_there_is_predicted(tmp_path):
    compress = Program(tmp_path, "rankine-compress", {
        "model": {"path": "outline"}, "calibration": {"text": "text.npy", "windows": 8, "window_length": 256},
        "method": {"form": "low-rank", "weighting": "full"}, "ranks": {"allocation": "additive", "parameter_ratio": 0.8}})
    (tmp_path / "outline").mkdir()
    shutil.copy(ROOT / "inputs/models/stories260K/config.json", tmp_path / "outline")
    deck = compress.deck()
    checked = compress.start(deck, "--check", "--machine", MACHINE)
    assert checked.code == 0, checked.err
    assert "outline holds no weights: this can be checked, not run" in checked.out
    assert {"moments of inputs", "decompositions"} <= predicted(checked.out)[1].keys()
    refused = compress.start(deck)
    assert refused.code == 2
    assert "There is no checkpoint in 'outline'" in refused.err


def test_machine_files_are_held_against_their_keywords(rankine):
    deck = rankine.deck()
    rankine.write("machine.toml", "[node]\ncores = 0\nnode = 2\n[products]\nfloat32 = [1.0]\n")
    refused = rankine.start(deck, "--check", "--machine", "machine.toml")
    assert refused.code == 2
    for message in ("machine.toml:2", "node.cores = 0", "machine.toml:3", "Did you mean"):
        assert message in refused.err
    missing = rankine.start(deck, "--check", "--machine", "elsewhere.toml")
    assert missing.code == 2 and "elsewhere.toml" in missing.err
    useless = rankine.start(deck, "--machine", "machine.toml")
    assert useless.code == 2
    assert "--machine without --check or --dry-run" in useless.err


def test_the_machine_suite_writes_a_file_that_can_be_used(rankine):
    made = subprocess.run([BINARIES / "rankine-bench", "machine", "bench.file=here.toml", "bench.repeats=1"],
                          cwd=rankine.folder, capture_output=True, text=True, timeout=300)  # fmt: skip
    assert made.returncode == 0, made.stderr
    checked = rankine.start(rankine.deck(), "--check", "--machine", "here.toml")
    assert checked.code == 0, checked.err
    assert predicted(checked.out)[0] > 0
