"""What the program says about itself and about a deck, without computing."""

import re
import tomllib

import pytest

SECTIONS = ["lattice", "circuit", "state", "measure", "parallel", "output"]


def answer(rankine, *arguments) -> str:
    outcome = rankine.start(*arguments)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    return outcome.out


def test_help_names_every_option(rankine):
    text = answer(rankine, "--help")
    assert "Usage: rankine-simulate DECK [section.key=value ...]" in text
    for option in ["--help", "--version", "--help-deck", "--print-defaults", "--check", "--dry-run", "--ranks"]:
        assert option in text
    assert answer(rankine, "-h", "no-deck.toml") == text


def test_version(rankine):
    commit = r"[0-9a-f]{40}(-dirty)?|unknown"
    assert re.fullmatch(rf"rankine-simulate \d+\.\d+\.\d+ \(({commit})\)\n", answer(rankine, "--version"))


def test_help_on_the_deck_narrows_down(rankine):
    whole, section, keyword = (answer(rankine, "--help-deck", *topic) for topic in [[], ["state"], ["state.route"]])
    for name in SECTIONS:
        assert f"[{name}]" in whole
    assert section in whole
    assert section.startswith("[state]") and "max_bond_dimension = " in section and "[measure]" not in section
    assert 'route = "gram"' in keyword and 'one of "gram", "qr"' in keyword and "precision" not in keyword


def test_the_reference_explains_every_keyword_of_the_defaults(rankine):
    reference = answer(rankine, "--reference")
    for name in re.findall(r"^#? ?(\w+) = ", answer(rankine, "--print-defaults"), re.MULTILINE):
        assert f"| `{name}` |" in reference


def test_the_printed_defaults_are_a_deck(rankine):
    defaults = answer(rankine, "--print-defaults")
    document = tomllib.loads(defaults)
    assert document["state"] == {
        "max_bond_dimension": [64],
        "discarded_weight_max": 1e-20,
        "precision": "complex128",
        "causal_cone": True,
        "route": "gram",
    }
    assert document["circuit"]["theta_j"] == -1.5707963267948966
    assert "name" not in document["lattice"] and "file" not in document["output"]
    rankine.write("deck.toml", defaults)
    assert rankine.start("deck.toml", "--check").code == 2
    answer(rankine, "deck.toml", "--check", "lattice.name=eagle", "output.file=result.h5")


def test_a_check_tells_the_plan_and_leaves_nothing(rankine):
    deck = rankine.deck(circuit={"theta_h": [0.1, 0.2]}, state={"max_bond_dimension": [8, 16]},
                        measure={"observables": ["magnetization", "Z62", "X62 Z63"], "every": 2})
    text = answer(rankine, deck, "--check", "--ranks", "3")
    assert "127 sites, 144 edges, 4 points, 3 measured steps" in text
    assert re.search(r"memory of the largest rank at most [\d.]+ MiB \(3 ranks a team\); a rank may use", text)
    assert "\nmagnetization: read by mean-field\n" in text and "\nZ62: read by mean-field\n" in text
    assert re.search(r"^X62 Z63: read by [a-z+-]+$", text, re.MULTILINE)
    assert sorted(path.name for path in rankine.folder.iterdir()) == ["deck.toml"]


@pytest.mark.parametrize("arguments, steps", [([], 3), (["circuit.steps=4"], 4)])
def test_a_dry_run_shows_the_deck_in_effect(rankine, arguments, steps):
    deck = rankine.deck(circuit={"steps": 3})
    text = answer(rankine, deck, "--dry-run", *arguments)
    document = tomllib.loads(text[text.index("title = "):])
    assert document["circuit"]["steps"] == steps
    assert document["lattice"]["name"] == "eagle"
    assert f"steps = {steps}  # {'command line' if arguments else 'deck.toml:6'}\n" in text
    assert "every = 1  # default" in text
    assert rankine.result_files() == []
