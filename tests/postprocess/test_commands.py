"""The command line: table text, comparison, exit codes, one-line errors."""

import os
import subprocess
import sys

import h5py
import pytest
from rankine_postprocess import catalogue
from result_file import Deck, write


def fails_in_one_line(outcome, *parts):
    code, out, err = outcome
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1 and "Traceback" not in err
    for part in parts:
        assert part in err


def test_table_states_what_was_run_and_every_value(run, eagle):
    code, out, _ = run("table", eagle)
    assert code == 0
    for part in ("Eagle, kicked Ising, five steps", "eagle, 127 sites, 144 edges", "kicked-ising, theta_j = -1.57",
                 "complete", "rankine-simulate 0.1.0, commit 0123abc", "route: mean-field"):  # fmt: skip
        assert part in out
    rows = out.strip().splitlines()[-3:]
    assert rows[2].split()[:5] == ["0.785398163", "16", "5", "0.07853981633974", "0.45280386917345"]
    assert rows[0].split()[-3:] == ["16", "0.00e+00", "1.000000000000"]


def test_table_of_one_step_and_of_all(run, sweep):
    _, last, _ = run("table", sweep)
    _, third, _ = run("table", sweep, "--step", 3)
    _, every, _ = run("table", sweep, "--all-steps")
    count = {text: len(text.split("\n\n")[1].strip().splitlines()) - 2 for text in (last, third, every)}
    assert (count[last], count[third], count[every]) == (9, 9, 81)
    assert " 3  " in third.splitlines()[-1] and " 9  " in last.splitlines()[-1]


def test_table_says_what_values_leave_out(run, tmp_path):
    deck = Deck(steps=[2, 5], loops_ignored=[0, 6])
    path = write(tmp_path / "grid.h5", deck, {"Z5": lambda theta, chi, step: theta})
    _, last, _ = run("table", path)
    assert "not exact: 6 loops of 4 or more sites ignored, estimated error up to 2e-02, exact in 6e+13 flops" in last
    _, second, _ = run("table", path, "--step", 2)
    assert "not exact" not in second
    assert "not exact: 6 loops" in run("table", path, "--all-steps")[1]
    with h5py.File(path, "a") as file:
        file["results/Z5"].attrs["loops_ignored"] = [1, 2, 3]
    fails_in_one_line(run("table", path), "loops_ignored", "is not one number, nor")


def test_table_is_plain_ascii_with_short_names(run, tmp_path):
    path = write(tmp_path / "w.h5", Deck(), {catalogue.W17: lambda theta, chi, step: -theta})
    _, out, _ = run("table", path)
    assert out.isascii()
    assert "W17      X37 X41" in out
    assert len(out.splitlines()[-1]) < 120


def test_partial_table_shows_what_is_missing(run, tmp_path):
    path = write(tmp_path / "p.h5", Deck(), {"Z62": lambda theta, chi, step: float("nan")}, status="stopped")
    fails_in_one_line(run("table", path), "status is 'stopped'", "--allow-partial")
    code, out, _ = run("table", path, "--allow-partial")
    assert code == 0 and "stopped" in out
    assert out.splitlines()[-1].split()[3] == "-"


REFERENCE = "theta_h, value\n 0.0 ,  1.0\n\n 0.78539816339745\t0.45280386917345\n1.0, 0.2\n"


def test_compare_reports_differences_and_unmatched_points(run, eagle, tmp_path):
    reference = tmp_path / "ref.csv"
    reference.write_text(REFERENCE)
    code, out, _ = run("compare", eagle, reference, "--observable", "magnetization", "--tolerance", "1e-12")
    assert code == 0
    assert "points compared          2" in out and "met" in out
    assert "not in the reference (1): 0.3" in out
    assert "not in the simulation (1): 1" in out


def test_compare_fails_beyond_the_tolerance(run, eagle, tmp_path):
    reference = tmp_path / "ref.csv"
    reference.write_text("0 0.75\n0.78539816339745 0.45280386917345\n")
    code, out, _ = run("compare", eagle, reference, "--tolerance", "0.2")
    assert code == 1
    assert "largest |difference|     2.500e-01 at theta_h = 0.000000000" in out
    assert "mean |difference|        1.250e-01" in out
    assert "EXCEEDED" in out
    assert run("compare", eagle, reference, "--tolerance", "0.3")[0] == 0
    assert run("compare", eagle, reference)[0] == 0


def test_compare_takes_the_bond_dimension_asked_for(run, sweep, tmp_path):
    reference = tmp_path / "ref.csv"
    reference.write_text(f"0.2,{0.9800665778412416**9!r}\n")
    for chi, exceeded in ((8, 1), (32, 0)):
        assert run("compare", sweep, reference, "--bond-dimension", chi, "--tolerance", "1e-4")[0] == exceeded


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("theta_h,value\n", "no data"),
        ("0.0,1.0\n0.1,abc\n", "line 2"),
        ("0.0,1.0,2.0\n0.1,1.0,2.0\n", "line 2"),
        ("0.0,1.0\n0.0,1.1\n", "occurs twice"),
        ("0.1,nan\n0.2,nan\n", "line 2"),
        ("0.123,1.0\n", "no theta_h in common"),
    ],
)
def test_compare_refuses_bad_references(run, sweep, tmp_path, text, message):
    reference = tmp_path / "ref.csv"
    reference.write_text(text)
    fails_in_one_line(run("compare", sweep, reference), message)


def test_errors_take_one_line_and_exit_code_two(run, sweep, tmp_path):
    fails_in_one_line(run("table", tmp_path / "absent.h5"), "no such file")
    fails_in_one_line(run("compare", sweep, tmp_path / "absent.csv"), "cannot be read")
    fails_in_one_line(run("plot", sweep, "-o", tmp_path / "a.png", "--observable", "Z1"), "Present: 'Z62'")
    fails_in_one_line(run("plot", sweep, "-o", tmp_path / "a.nonsense"), "cannot be written")
    fails_in_one_line(run("plot", sweep, "-o", tmp_path / "absent" / "a.png"), "cannot be written")
    fails_in_one_line(run("table", sweep, "--step", 44), "Measured steps: 1, 2")
    with h5py.File(sweep, "a") as file:
        file.attrs["format_version"] = 7
    fails_in_one_line(run("plot", sweep, "-o", tmp_path / "a.png"), "format_version is 7")


@pytest.mark.parametrize("command", [["table"], ["plot", "-o", "out.png"], ["bench", "-o", "out.png"]])
def test_what_is_no_result_file_is_refused(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")  # which would never end
    (tmp_path / "notes.txt").write_text("hello\n")
    for name, message in (("absent.h5", f"no such file. It was looked for in {tmp_path}."), (".", "not a file but a folder" if command != ["table"] else "neither runs"),
                          ("pipe", "not a file"), ("notes.txt", "not a readable HDF5 file"), ("a" * 300, "cannot be opened"),
                          ("notes.txt/x", "cannot be opened")):  # fmt: skip
        fails_in_one_line(run(command[0], name, *command[1:]), message)


def test_a_figure_needs_the_name_of_a_file(run, eagle, tmp_path):
    for name in ("", tmp_path, f"{tmp_path}/"):
        code, _, err = run("plot", eagle, "-o", name, "--observable", "magnetization")
        assert (code, err.count("\n")) == (2, 1) and "it is no name of a file" in err


def test_output_that_cannot_be_written_is_told(eagle):
    command = [sys.executable, "-m", "rankine_postprocess", "table", eagle]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with open("/dev/full", "w") as full:
        table = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True)
    assert table.returncode == 2
    assert table.stderr == "rankine-postprocess: the output cannot be written (No space left on device).\n"


def test_one_of_a_thing_is_singular(run, eagle):
    with h5py.File(eagle, "a") as file:
        file.attrs["n_ranks"], file.attrs["threads"] = 1, 3
    assert "1 rank x 3 threads" in run("table", eagle)[1]


def test_points_that_are_not_done_reached_no_bond_dimension(run, tmp_path):
    path = write(tmp_path / "p.h5", Deck(), {"Z62": lambda theta, chi, step: float("nan")}, status="stopped")
    with h5py.File(path, "a") as file:
        file["results/bond_dimension"][...] = -1
    assert run("table", path, "--allow-partial")[1].splitlines()[-1].split()[4] == "-"


def test_usage_errors_exit_with_two(run, eagle):
    assert run("compare", eagle, eagle, "--tolerance", "nan")[0] == 2
    assert run("compare", eagle, eagle, "--tolerance", "-1")[0] == 2
    assert run()[0] == 2
    assert run("plot", "file.h5")[0] == 2


def test_runs_as_a_module(eagle):
    command = [sys.executable, "-m", "rankine_postprocess"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run([*command, "--version"], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout == "rankine-postprocess 0.1.0\n"
    table = subprocess.run(
        [*command, "table", eagle], env=environment | {"LC_ALL": "C"}, capture_output=True, check=True
    )
    assert b"127 sites" in table.stdout
