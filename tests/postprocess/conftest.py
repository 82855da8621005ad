"""Makes the package importable when pytest runs without PYTHONPATH, and the result files tests share."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "postprocess"))

import compression_file  # noqa: E402
from rankine_postprocess import catalogue, command_line, read_compression  # noqa: E402
from result_file import Deck, write  # noqa: E402


def exact_magnetization(theta: float, chi: int, step: int) -> float:
    """Eagle's, after five steps."""
    return float(catalogue.CATALOGUE[0].exact(np.array([theta]))[0])


@pytest.fixture
def eagle(tmp_path):
    """One bond dimension, three angles, the exact magnetization and a Pauli string."""
    values = {"magnetization": exact_magnetization, "X13 X29": lambda theta, chi, step: 0.1 * theta}
    return write(tmp_path / "eagle.h5", Deck(), values)


@pytest.fixture
def sweep(tmp_path):
    """Three bond dimensions with the error 1 / chi^3, nine measured steps, Z62."""
    deck = Deck(theta_h=[0.2, 0.4, 0.6], max_bond_dimension=[8, 16, 32], steps=list(range(1, 10)), title="Sweep")
    return write(tmp_path / "sweep.h5", deck, {"Z62": lambda theta, chi, step: np.cos(theta) ** step - chi**-3.0})


@pytest.fixture
def compression_of(tmp_path):
    """Writes a compression's result file; returns what is read from it."""

    def make(**deck):
        name = f"{len(list(tmp_path.iterdir()))}.h5"
        return read_compression(compression_file.write(tmp_path / name, compression_file.CompressDeck(**deck)))

    return make


@pytest.fixture
def run(capsys):
    """Runs the command; returns its exit code, standard output and standard error."""

    def command(*arguments):
        try:
            code = command_line.main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse
            code = stop.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
