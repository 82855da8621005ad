"""[sweep]: which runs a deck has, and what is said of one that has none."""

import math
import tomllib

import pytest

import conftest  # noqa: F401  puts rankine_jobs on the path
from rankine_jobs.deck import read_deck
from rankine_jobs.errors import InputError
from rankine_jobs.expression import evaluate
from rankine_jobs.ranges import values_of
from rankine_jobs.runs import describe, runs_of
from rankine_jobs.toml_text import deck_text

DECK = """# program: rankine-compress
title = "all"
[circuit]
steps = 3
theta_h = [0.3]
[output]
file = "unused.h5"
"""


@pytest.fixture
def runs(tmp_path):
    def expand(sweep: str, *overrides):
        path = tmp_path / "deck.toml"
        path.write_text(DECK + sweep)
        return runs_of(read_deck(str(path), list(overrides)))

    return expand


@pytest.fixture
def refusal(runs):
    def expect(sweep: str, *overrides) -> str:
        with pytest.raises(InputError) as error:
            runs(sweep, *overrides)
        return str(error.value)

    return expect


def test_a_deck_without_sweep_is_one_run(runs):
    [run] = runs("", "circuit.steps=4", "title=other words")
    assert (run.number, run.program, run.parameters) == (1, "rankine-compress", {})
    deck = run.deck_in("folder")
    assert deck.startswith("# program: rankine-compress\n")
    assert tomllib.loads(deck) == {"title": "other words", "circuit": {"steps": 4, "theta_h": [0.3]}, "output": {"file": "unused.h5"}}


def test_products_take_all_combinations_and_zips_go_together(runs):
    found = runs("""[sweep.product]
"circuit.steps" = [1, 2]
lattice.name = ["eagle", "osprey"]
[[sweep.zip]]
"state.max_bond_dimension" = [4, 8, 16]
"measure.observables" = [["Z1"], ["Z2"], ["Z1", "Z2"]]
""")
    assert len(found) == 12 == len({run.hash for run in found})
    assert [run.number for run in found] == list(range(1, 13))
    assert found[0].parameters == {"circuit.steps": 1, "lattice.name": "eagle", "state.max_bond_dimension": 4,
                                   "measure.observables": ["Z1"]}  # fmt: skip
    assert found[1].parameters["measure.observables"] == ["Z2"]
    assert found[3].parameters["lattice.name"] == "osprey"
    assert tomllib.loads(found[11].deck_in("x"))["state"] == {"max_bond_dimension": 16}
    assert describe(found[0].parameters) == 'steps=1 name=eagle max_bond_dimension=4 observables=["Z1"]'


@pytest.mark.parametrize("given, values", [
    ({"from": 0.0, "to": 0.3, "step": 0.1}, [0.0, 0.1, 0.2, 0.3]),
    ({"from": 5, "to": 1, "step": -2}, [5, 3, 1]),
    ({"from": 0, "to": 10, "count": 5}, [0.0, 2.5, 5.0, 7.5, 10.0]),
    ({"from": 0, "to": 8, "count": 3}, [0, 4, 8]),
    ({"from": 4, "to": 64, "factor": 2}, [4, 8, 16, 32, 64]),
    ({"from": 1.0, "to": 0.001, "factor": 0.1}, [1.0, 0.1, 0.01, 0.001]),
    (["any", 1, [2]], ["any", 1, [2]]),
])  # fmt: skip
def test_ranges(given, values):
    found = values_of(given)
    assert found == values and [type(one) for one in found] == [type(one) for one in values]


@pytest.mark.parametrize("given, why", [
    ([], "the list is empty"),
    (3, "neither a list nor a range"),
    ({"from": 1, "to": 2}, "one of step, count, factor"),
    ({"from": 1, "to": 2, "step": 1, "count": 2}, "one of step, count, factor"),
    ({"from": 1, "to": 2, "step": 0}, "does not lead"),
    ({"from": 1, "to": 2, "step": -1}, "does not lead"),
    ({"from": 1, "to": 1e12, "step": 1}, "more than"),
    ({"from": 1, "to": 2, "count": 1}, "at least 2"),
    ({"from": 1, "to": 8, "factor": 0.5}, "does not lead"),
    ({"from": 0, "to": 8, "factor": 2}, "does not lead"),
    ({"from": "a", "to": 8, "factor": 2}, "'a' is no number"),
    ({"from": 0.0, "to": math.inf, "count": 2}, "not finite"),
])  # fmt: skip
def test_ranges_that_are_none(given, why):
    with pytest.raises(ValueError, match=why):
        values_of(given)


def test_derived_values_follow_from_the_others(runs):
    found = runs("""[sweep.product]
"circuit.steps" = [5, 9]
[sweep.derived]
"state.max_bond_dimension" = "2 ** min(circuit.steps, 8)"
"measure.every" = "state.max_bond_dimension // 32"
title = "{circuit.steps} steps, {state.max_bond_dimension:05d}, {circuit.theta_h}"
"result.checkpoint" = "{run}/model"
""")
    assert [run.parameters for run in found] == [
        {"circuit.steps": 5, "state.max_bond_dimension": 32, "measure.every": 1},
        {"circuit.steps": 9, "state.max_bond_dimension": 256, "measure.every": 8}]
    deck = tomllib.loads(found[1].deck_in("sweep/runs/x"))
    assert deck["title"] == "9 steps, 00256, [0.3]"
    assert deck["result"]["checkpoint"] == "sweep/runs/x/model"


def test_hashes_are_of_what_a_run_computes(runs):
    def hashes(*arguments):
        return {run.hash for run in runs(*arguments)}

    sweep = '[sweep.product]\n"circuit.steps" = [1, 2]\n'
    assert hashes(sweep) == hashes(sweep, "output.file=other.h5", "run.checkpoint_interval=3")
    assert not hashes(sweep) & hashes(sweep, "circuit.theta_j=0.1")
    assert hashes("", "circuit.steps=2") < hashes(sweep)  # however it came about
    derived = '[sweep.derived]\n"result.checkpoint" = "{run}/model"\n'
    assert hashes(derived) == hashes(derived)


def test_all_problems_of_a_sweep_are_told_together(refusal):
    message = refusal("""[sweep.product]
"circuit.steps" = 3
"a.b.c" = [1]
"run.directory" = ["a", "b"]
[[sweep.zip]]
"state.precision" = ["complex64"]
"circuit.theta_j" = [1, 2]
[sweep.derived]
"measure.every" = 3
[sweep.combine]
""")
    assert message.startswith("6 problems in the input:\n  unknown table [sweep.combine], ")
    assert "circuit.steps cannot be swept, " in message and "deck.toml:9 (neither a list nor a range). Write a list, or" in message
    assert "a.b.c cannot be swept" in message
    assert "run.directory cannot be swept" in message
    assert "deck.toml:13 (a zip takes one value of each for a run)" in message
    assert "state.precision has 1, circuit.theta_j has 2" in message
    assert "measure.every cannot be derived" in message


@pytest.mark.parametrize("sweep, overrides, words", [
    ('[sweep.product]\n"circuit.steps" = [1, 1]\n', (), "Runs 1 and 2 are the same"),
    ('[sweep.product]\n"output.format" = ["a", "b"]\n', (), "[run] and [output] do not tell runs apart"),
    ('[sweep.product]\n"circuit.steps" = [1]\n', ("circuit.steps=3",), "circuit.steps is swept, and given, command line"),
    ('[sweep.product]\n"circuit.steps" = [1]\n[sweep.derived]\n"circuit.steps" = "2"\n', (), "circuit.steps is swept twice"),
    ('[sweep.product]\n"a.b" = { from = 1, to = 1000, step = 1 }\n"c.d" = { from = 1, to = 1000, step = 1 }\n', (), "a sweep of 1000000 runs"),
    ("", ("steps",), "an override has the form section.key=value"),
    ("", ("circuit.steps=[1",), "cannot parse the value of circuit.steps"),
    ("[sweep", (), "Cannot parse the deck"),
])  # fmt: skip
def test_refusals(refusal, sweep, overrides, words):
    assert words in refusal(sweep, *overrides)


@pytest.mark.parametrize("expression, why", [
    ("circuit.stpes * 2", "circuit.stpes is neither in the deck nor in its sweep"),
    ("circuit.theta_h * 2", "circuit.theta_h = [0.3] is no number"),
    ("a.x + 1", "it depends on itself: a.x -> a.x"),
    ("__import__('os').getcwd()", "is no arithmetic over keywords"),
    ("[1 for _ in range(9)]", "is no arithmetic over keywords"),
    ("'a' * 9", "is no arithmetic over keywords"),
    ("circuit.steps.__class__", "circuit.steps.__class__ is neither"),
    ("9 ** 9 ** 9", "a power is too large"),
    ("1 / (circuit.steps - 3)", "it cannot be computed"),
    ("1 +", "no arithmetic expression"),
    ("{circuit.steps:q}", "cannot be written"),
    ("{circuit.stpes}", "circuit.stpes is neither"),
])  # fmt: skip
def test_expressions_that_are_none(refusal, expression, why):
    message = refusal(f'[sweep.derived]\n"a.x" = "{expression}"\n')
    assert why in message and "deck.toml:9 (" in message


def test_arithmetic():
    values = {"a.b": 3, "c": 0.5}
    assert evaluate("-a.b + 7 % 4 - 2 ** (a.b // 2) / c", values.__getitem__) == -3 + 3 - 2 / 0.5
    assert evaluate("round(max(pi, sqrt(a.b), abs(-c)) * 1e3)", values.__getitem__) == 3142


def test_what_is_written_is_read_again():
    sections = {"title": 'a "b" \\ \n é \x7f', "flag": True, "x": {"y": [1, 2.5, 1e-20, 1e300, [-3], "z"], "a b": {"c": 1}},
                "empty": {}, "inf": math.inf}  # fmt: skip
    assert tomllib.loads(deck_text(sections)) == sections
