"""Tables of predicted scalings and their figure."""

import pytest

from rankine_postprocess import scaling
from rankine_postprocess.command_line import main
from rankine_postprocess.errors import InputError

TABLE = """case,scaling,ranks,teams,stage,seconds,fits
job,strong,16,1,start,1,0
job,strong,16,1,work,15,0
job,strong,32,1,start,1,1
job,strong,32,1,work,7,1
job,strong,64,1,work,10,1
job,weak,16,1,work,4,1
job,weak,32,1,work,5,1
"""


@pytest.fixture
def table(tmp_path):
    (tmp_path / "scaling.csv").write_text(TABLE)
    return tmp_path / "scaling.csv"


def test_stages_add_up_and_efficiencies_follow(table):
    strong, weak = scaling.read_scaling(table)
    assert strong.seconds == {16: 16.0, 32: 8.0, 64: 10.0}
    assert strong.efficiency() == pytest.approx({16: 1.0, 32: 1.0, 64: 0.4})
    assert (strong.wall(), weak.wall()) == (64, None)
    assert weak.efficiency() == pytest.approx({16: 1.0, 32: 0.8})
    assert strong.fits == {16: False, 32: True, 64: True}


def test_the_command_draws_it(table, tmp_path):
    assert main(["scaling", str(table), "-o", str(tmp_path / "scaling.png")]) == 0
    assert (tmp_path / "scaling.png").stat().st_size > 10_000


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", TABLE + "job,weak,x,1,work,5,1\n"])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / "other.csv").write_text(text)
    with pytest.raises(InputError, match="other.csv"):
        scaling.read_scaling(tmp_path / "other.csv")
