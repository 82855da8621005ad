"""Decks, command lines and keywords that are wrong: exit code 2 and a message that says where and what to do."""

import pytest

BASE = '[lattice]\nname = "eagle"\n[output]\nfile = "result.h5"\n'  # lines 1 to 4

# Lines after BASE, and what the message must hold.
DECKS = {
    "unknown_keyword": (
        "[state]\nmax_bond_dimenson = 8\n",
        ["unknown keyword state.max_bond_dimenson, deck.toml:6", "Did you mean state.max_bond_dimension?"]),
    "unknown_section": (
        "[stat]\n", ["unknown section [stat], deck.toml:5", "Did you mean [state]?"]),
    "subsection": ("[state.sub]\na = 1\n", ["unknown keyword state.sub, deck.toml:5"]),
    "string_for_integer": (
        '[circuit]\nsteps = "five"\n',
        ["circuit.steps has the wrong type, deck.toml:6", 'expected integer, found string "five"']),
    "number_for_integer": ("[circuit]\nsteps = 5.0\n", ["expected integer, found number 5.0"]),
    "integer_for_boolean": (
        "[state]\ncausal_cone = 1\n", ["state.causal_cone has the wrong type", "expected true or false"]),
    "wrong_element": (
        "[measure]\nobservables = [62]\n", ["element 1 of measure.observables has the wrong type, deck.toml:6"]),
    "below_range": ("[circuit]\nsteps = 0\n", ["circuit.steps = 0, deck.toml:6 (it must be from 1 to"]),
    "above_range": (
        "[state]\ndiscarded_weight_max = 1\n",
        ["state.discarded_weight_max = 1", "it must be at least 0 and below 1"]),
    "element_out_of_range": (
        "[state]\nmax_bond_dimension = [8, 0]\n", ["element 2 of state.max_bond_dimension = 0, deck.toml:6"]),
    "not_finite": ("[circuit]\ntheta_h = [0.1, nan]\n", ["element 2 of circuit.theta_h = nan", "must be finite"]),
    "empty_list": ("[circuit]\ntheta_h = []\n", ["circuit.theta_h = [], deck.toml:6 (an empty list)"]),
    "no_choice": (
        '[state]\nroute = "grams"\n', ['state.route = "grams"', 'one of "gram", "qr"', 'Did you mean "gram"?']),
    "never_measured": ("[measure]\nevery = 0\n", ["measure.every = 0, deck.toml:6 (it must be at least 1)"]),
    "file_missing": ('[circuit]\nname = "gate-list"\n', ["circuit.file is not set", 'circuit.name is "gate-list"']),
    "file_useless": ('[circuit]\nfile = "gates.txt"\n', ["circuit.file has no use here, deck.toml:6"]),
    "syntax": ("[circuit]\nsteps = \n", ["cannot parse the deck, deck.toml:6"]),
    "section_twice": ("[lattice]\nrows = 3\n", ["cannot parse the deck, deck.toml:5"]),
}


@pytest.mark.parametrize("case", DECKS)
def test_is_refused_with_its_line(rankine, refuses, case):
    lines, messages = DECKS[case]
    refuses(*messages, deck=rankine.write("deck.toml", BASE + lines))


def test_all_problems_are_told_together_in_order_by_every_run(rankine, refuses):
    text = (
        'title = 3\n[lattice]\nname = "egle"\n[circuit]\nsteps = 0\nstep = 5\n'
        '[measurement]\nevery = 2\n[state]\nmax_bond_dimension = "x"\n'
    )
    outcome = refuses("7 problems in the input:", "circuit.steps?", 'Did you mean "eagle"?',
                      deck=rankine.write("deck.toml", text), ranks=2)
    places = [
        "title has the wrong type, deck.toml:1 ",
        'lattice.name = "egle", deck.toml:3 ',
        "circuit.steps = 0, deck.toml:5 ",
        "unknown keyword circuit.step, deck.toml:6 ",
        "unknown section [measurement], deck.toml:7 ",
        "state.max_bond_dimension has the wrong type, deck.toml:10 ",
        "output.file is missing, deck.toml ",
    ]
    positions = [outcome.err.index(place) for place in places]
    assert positions == sorted(positions)


def test_both_required_keywords_are_named(rankine, refuses):
    refuses("lattice.name is missing", "output.file is missing", deck=rankine.write("deck.toml", "[state]\n"))


@pytest.mark.parametrize("path, why", [("nowhere.toml", "there is no such file"), (".", "it is no readable file")])
def test_a_deck_that_cannot_be_read(refuses, path, why):
    refuses(f"cannot read the deck, {path} ({why})", deck=path, ranks=0)


def test_a_deck_that_is_no_text(rankine, refuses):
    (rankine.folder / "deck.toml").write_bytes(b"title = '\xff\xfe'\n")
    refuses("cannot parse the deck, deck.toml:1", deck="deck.toml")


OVERRIDES = {
    "state.max_bond_dimenson=8": "Did you mean state.max_bond_dimension?",
    "stat.route=qr": "unknown section [stat], command line",
    "circuit.steps=five": 'circuit.steps has the wrong type, command line (expected integer, found string "five")',
    "circuit.steps=-1": "circuit.steps = -1, command line",
    "circuit.theta_h=[0.1,": "cannot parse the value of circuit.theta_h, command line",
    "state.route": 'cannot use the argument "state.route", command line (an override has the form section.key=value)',
    "other.toml": 'cannot use the argument "other.toml"',
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_a_bad_override(refuses, override):
    refuses(OVERRIDES[override], arguments=[override])


def test_bad_overrides_and_deck_are_told_together(refuses):
    refuses("2 problems in the input:", "deck.toml:", "circuit.steps = 0, command line",
            state={"route": "quick"}, arguments=["circuit.steps=0"], ranks=0)


@pytest.mark.parametrize("arguments, message", [
    (["deck.toml", "--chek"],
     "unknown option --chek, command line (this program has none of that name). Did you mean --check?"),
    (["deck.toml", "--verbose"], "unknown option --verbose, command line"),
    (["deck.toml", "--ranks", "3"], "--ranks without --check or --dry-run"),
    (["deck.toml", "--check", "--ranks", "0"], "a job has at least one rank"),
    (["deck.toml", "--check", "--ranks", "two"], "cannot parse the arguments"),
    (["deck.toml", "--check", "--dry-run"], "--dry-run together with --check"),
    (["--help-deck", "state.rout"], "Did you mean state.route?"),
    ([], "no deck, command line (the first argument names the input deck)"),
])
def test_a_bad_command_line(rankine, arguments, message):
    rankine.deck()
    outcome = rankine.start(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.out == ""
    assert rankine.result_files() == []


OBSERVABLES = {
    "Z127": "names site 127, which does not exist). The lattice has sites 0 to 126.",
    "X0 Q3": '"Q3" is no Pauli letter with a site',
    "Z": '"Z" is no Pauli letter with a site',
    "Z3 X3": "names site 3 twice",
    "": "an observable is empty",
}


def test_observables_that_cannot_be_measured_are_told_together(refuses):
    refuses(f"{len(OBSERVABLES)} problems in the input:", "deck.toml:", *OBSERVABLES.values(),
            measure={"observables": ["Z62", *OBSERVABLES]}, state={"causal_cone": False}, ranks=0)


def test_an_observable_listed_twice(refuses):
    refuses('observable "Z62" is listed twice', measure={"observables": ["Z62", "Z1", "Z62"]})


def test_more_teams_than_ranks(rankine, refuses):
    refuses("parallel.teams is 3, but there are only 2 ranks",
            parallel={"teams": 3}, arguments=["--ranks", "2"])
    outcome = rankine.start("deck.toml", ranks=2)
    assert outcome.code == 2
    assert outcome.err.count("parallel.teams is 3, but there are only 2 ranks") == 1
    assert rankine.result_files() == []
