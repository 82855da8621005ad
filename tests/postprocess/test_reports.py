"""The report: one page that stands alone, with everything that is known of the runs."""

import re
from html.parser import HTMLParser

import h5py
import pytest
import result_file
import sweep_folder
from rankine_postprocess import report, report_figures
from rankine_postprocess.study import read_study
from result_file import Deck
from test_commands import fails_in_one_line

_VOID = {"meta", "img", "br", "i"}


class _Page(HTMLParser):
    """Notes texts and addresses; fails where an element is not closed."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.addresses, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in _VOID - {"i"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def page_of():
    return lambda *sources: _Page(report.html(read_study(sources)))


def test_a_report_says_what_was_run_what_came_out_and_what_went_wrong(page_of, tmp_path):
    sweep_folder.with_every_state(tmp_path / "sweep")
    page = page_of(tmp_path / "sweep")
    for part in ("Blocks of adapters", "6 runs of rankine-compress", "Runs without results", "exit code 3 (resources)", "Take more ranks.",
                 "step 2 of 5", "stopped at the wall time limit", "2 attempts", "1 run waiting or running", "adapter.block", "2, 4, 8, 16, 32, 64",
                 "All runs", "Provenance", "0123abc", "rankine-postprocess"):  # fmt: skip
        assert part in page.text, part


def test_a_report_needs_nothing_but_itself(page_of, tmp_path):
    sweep_folder.adapters(tmp_path / "sweep", seeds=(1, 2), blocks=(2, 4), kinds=("cayley",))
    page = page_of(tmp_path / "sweep")
    assert all(address.startswith(("#", "data:image/svg+xml;base64,")) for address in page.addresses)
    assert sum(address.startswith("data:") for address in page.addresses) >= 3
    assert str(tmp_path) not in report.html(read_study([tmp_path / "sweep"]))
    links = {address[1:] for address in page.addresses if address.startswith("#")}
    assert links == set(re.findall(r'<section id="(\w+)">', report.html(read_study([tmp_path / "sweep"]))))


def test_simulations_are_taken_to_infinite_bond_dimension(page_of, tmp_path):
    sweep_folder.simulations(tmp_path / "sweep", angles=(0.2,))
    page = page_of(tmp_path / "sweep")
    assert "At infinite bond dimension" in page.text and "within the uncertainty in some 95 %" in page.text and "Time of the runs" in page.text


def test_times_are_told_by_stage_as_means_over_the_ranks(tmp_path):
    file = result_file.write(tmp_path / "a.h5", Deck(), {"Z62": lambda theta, chi, step: theta})
    study = read_study([tmp_path])
    assert [bar.get_width() for bar in report_figures.of_times(study)[0].figure.axes[0].patches] == [1.5]  # of its points
    with h5py.File(file, "a") as opened:
        opened["timing/profile/stage"] = ["gates", "measurement"]
        opened["timing/profile/seconds"] = [[4.0, 2.0], [1.0, 1.0]]
    axes = report_figures.of_times(study)[0].figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [3.0, 1.0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["gates", "measurement"]


def test_texts_of_users_are_no_markup(page_of, tmp_path):
    result_file.write(tmp_path / "a<b>.h5", Deck(title="<script>alert(1)</script> & $x$"), {"Z62": lambda theta, chi, step: theta})
    page = page_of(tmp_path)
    assert "<script>alert(1)</script> & $x$" in page.text and "script" not in page.open
    assert "<script>" not in report.html(read_study([tmp_path]))


def test_a_study_of_which_nothing_is_done_has_a_report(page_of, tmp_path):
    sweep = sweep_folder.Sweep(tmp_path)
    sweep.add({"adapter.block": 2}, notes=[sweep_folder.began(), sweep_folder.ended(2, "error: no such keyword")])
    page = page_of(tmp_path)
    assert "1 failed" in page.text and "no such keyword" in page.text and "It left no log." in page.text


def test_the_command_writes_the_page(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result_file.write(tmp_path / "a.h5", Deck(), {"Z62": lambda theta, chi, step: theta})
    assert run("report", "a.h5") == (0, "", "")
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    fails_in_one_line(run("report", "a.h5", "-o", tmp_path / "absent" / "r.html"), "the report cannot be written")
    fails_in_one_line(run("report", "absent"), "no such file")
