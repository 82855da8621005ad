"""Edge lists, gate lists and outputs that are wrong: exit code 2, the file and its line, and no result."""

import pytest

GIBIBYTE = 2**30

EDGE_LISTS = {
    "self_loop": ("0 1\n1 1\n", "edge 1 1 is a self loop", 2),
    "duplicate": ("# triangle\n0 1\n1 2\n1 0\n", "is given twice", 4),
    "garbage": ("0 1\nfoo bar\n", '"foo bar" is not an edge', 2),
    "four_numbers": ("0 1\n\n1 2 0 4\n", '"1 2 0 4" is not an edge', 3),
    "negative": ("0 1\n-1 2\n", "names a negative site", 2),
    "no_integer": ("0 99999999999\n", "is not an edge", 1),
    "half_coloured": ("0 1 0\n1 2\n", "some edges have a colour and some have none", 2),
    "colours_clash": ("0 1 0\n1 2 0\n", "share a site and colour 0", 2),
}


@pytest.mark.parametrize("case", EDGE_LISTS)
def test_a_malformed_edge_list_is_refused_with_its_line(rankine, refuses, case):
    text, message, line = EDGE_LISTS[case]
    rankine.write("sites.edges", text)
    refuses(message, f"sites.edges:{line}:", lattice={"name": "edge-list", "file": "sites.edges"})


def test_an_edge_beyond_the_number_of_sites(rankine, refuses):
    rankine.write("sites.edges", "0 1\n1 7\n")
    refuses("names site 7, which does not exist (sites are 0 to 4)", "sites.edges:2:",
            lattice={"name": "edge-list", "file": "sites.edges", "n_sites": 5}, ranks=0)


@pytest.mark.parametrize("site", [2000000000, 2147483647])
def test_a_site_number_that_no_memory_holds(rankine, site):
    rankine.write("sites.edges", f"0 1\n1 {site}\n")
    deck = rankine.deck(lattice={"name": "edge-list", "file": "sites.edges"})
    outcome = rankine.start(deck, "--check", memory_limit=4 * GIBIBYTE)
    assert outcome.code in (2, 3), outcome.err
    assert "std::" not in outcome.err


def test_an_edge_list_without_edges(rankine, refuses):
    rankine.write("sites.edges", "# nothing\n")
    refuses("edge list sites.edges holds no edge", lattice={"name": "edge-list", "file": "sites.edges"})


@pytest.mark.parametrize("file", ["missing.edges", "."])
def test_an_edge_list_that_cannot_be_read(refuses, file):
    refuses(f"edge list {file} cannot be read", lattice={"name": "edge-list", "file": file})


def test_an_edge_list_that_is_not_named(refuses):
    refuses("lattice.file is not set", lattice={"name": "edge-list"})


GATE_LISTS = {
    "unknown_gate": ("rx 0 0.5\nrw 0\n", 'unknown gate "rw"', 2),
    "no_such_site": ("step\n\nrx 127 0.5\n", "site 127 does not exist. The lattice has sites 0 to 126", 3),
    "no_site": ("h one\n", '"one" is no site', 1),
    "no_angle": ("rx 0 theta\n", '"theta" is no angle', 1),
    "infinite_angle": ("rx 0 inf\n", '"inf" is no angle', 1),
    "angle_missing": ("rx 0\n", "gate rx takes 1 site and an angle", 1),
    "too_many_words": ("cx 0 1 2\n", "gate cx takes 2 sites", 1),
    "one_site_twice": ("h 0\ncx 0 0\n", "gate cx acts twice on site 0", 2),
}


@pytest.mark.parametrize("case", GATE_LISTS)
def test_a_malformed_gate_list_is_refused_with_its_line(rankine, refuses, case):
    text, message, line = GATE_LISTS[case]
    rankine.write("gates.txt", text)
    refuses(message, f"gates.txt:{line}:", circuit={"name": "gate-list", "file": "gates.txt"})


def test_a_gate_list_that_is_missing_or_empty(rankine, refuses):
    refuses("gate list gates.txt cannot be read", circuit={"name": "gate-list", "file": "gates.txt"}, ranks=0)
    rankine.write("gates.txt", "# nothing\n")
    refuses("gate list gates.txt holds no gate", circuit={"name": "gate-list", "file": "gates.txt"})


def test_a_run_refuses_a_gate_on_sites_without_an_edge(rankine):
    rankine.write("gates.txt", "h 0\ncx 0 5\n")
    outcome = rankine.run(ranks=2, circuit={"name": "gate-list", "file": "gates.txt"})
    assert outcome.code == 2, outcome
    assert outcome.err.count("gate cx acts on sites 0 and 5, which no edge of lattice eagle joins") == 1
    assert rankine.result_files() == []


@pytest.mark.parametrize("gate", ["cx", "cz"])  # the cz changes nothing that is measured
def test_a_check_refuses_a_gate_on_sites_without_an_edge(rankine, refuses, gate):
    rankine.write("gates.txt", f"h 0\n{gate} 0 5\n")
    refuses(f"gate {gate} acts on sites 0 and 5, which no edge of lattice eagle joins",
            circuit={"name": "gate-list", "file": "gates.txt"})


OUTPUTS = {
    "nowhere/result.h5": "there is no folder 'nowhere'",
    "deck.toml/result.h5": "there is no folder 'deck.toml'",
    "folder": "a folder of that name exists",
    "": "it names no file",
    "/proc/result.h5": "Choose a folder that exists and that you may write to",
}


@pytest.mark.parametrize("file", OUTPUTS)
def test_an_output_that_cannot_be_written_is_refused_before_the_run(rankine, refuses, file):
    (rankine.folder / "folder").mkdir()
    before = set(rankine.folder.iterdir()) | {rankine.folder / "deck.toml"}
    refuses(f"Cannot write '{file}'", OUTPUTS[file], output={"file": file}, ranks=0 if file == "folder" else None)
    assert set(rankine.folder.iterdir()) == before


def test_an_old_result_survives_runs_that_fail(rankine):
    rankine.write("result.h5", "an old result")
    (rankine.folder / "result.h5.partial").mkdir()  # what the run would go on from
    rankine.deck(circuit={"steps": 1, "theta_h": [0.1, 0.2]})
    for ranks in (None, 2):
        outcome = rankine.start("deck.toml", ranks=ranks)
        assert outcome.code == 2
        assert outcome.err.count("Cannot go on from 'result.h5.partial' (Cannot read 'result.h5.partial': it is a folder)") == 1
        assert (rankine.folder / "result.h5").read_text() == "an old result"
    assert rankine.result_files() == ["result.h5", "result.h5.partial"]
