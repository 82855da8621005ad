"""The package is built and installed from the source folder, without a network."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from result_file import Deck, write

SOURCE = Path(__file__).parents[2] / "postprocess"
OFFLINE = ["--quiet", "--no-build-isolation", "--no-index", "--no-deps", "--disable-pip-version-check"]


@pytest.fixture
def source(tmp_path):
    """A copy, in which building may leave what it likes."""
    return shutil.copytree(SOURCE, tmp_path / "source", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", *map(str, arguments)], check=True)


def test_a_wheel_installs_and_runs_elsewhere(source, tmp_path):
    pip("wheel", *OFFLINE, "--wheel-dir", tmp_path, source)
    (wheel,) = tmp_path.glob("rankine_postprocess-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"rankine_postprocess/{path.name}" for path in (SOURCE / "rankine_postprocess").glob("*.py")}
    assert wanted <= names and any(name.startswith("rankine_postprocess/reference/quantum/kim2023") for name in names)
    pip("install", *OFFLINE, "--target", tmp_path / "installed", wheel)
    file = write(tmp_path / "f.h5", Deck(), {"Z62": lambda theta, chi, step: theta})
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, tmp_path / "installed" / "bin" / "rankine-postprocess", "list", tmp_path]
    shown = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert file.name in shown.stdout and "complete" in shown.stdout
