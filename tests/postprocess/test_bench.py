"""Figures of benchmark files, drawn from files with known times."""

import h5py
import numpy as np
import pytest
from rankine_postprocess import bench
from rankine_postprocess.errors import InputError


def write(path, ranks, seconds_of):
    rows = [(n, kept, method) for n in (256, 512) for kept in (n, 16) for method in ("lapack", "gram")]
    with h5py.File(path, "w") as file:
        file.attrs.update({"filetype": "rankine-bench-linalg", "format_version": 1, "status": "complete",
                           "n_ranks": ranks, "threads": 1})  # fmt: skip
        results = file.create_group("results")
        texts = {"task": "svd", "type": "float64", "spectrum": "algebraic"}
        for name, text in texts.items():
            results[name] = np.array([text] * len(rows), dtype=h5py.string_dtype())
        results["method"] = np.array([method for _, _, method in rows], dtype=h5py.string_dtype())
        results["rows"] = results["columns"] = np.array([n for n, _, _ in rows])
        results["kept"] = np.array([kept for _, kept, _ in rows])
        results["seconds"] = np.array([seconds_of(n, method) / ranks for n, _, method in rows])
        results["gemm_gflops"] = np.full(len(rows), 50.0 * ranks)
        for dataset in results.values():
            dataset.attrs["dims"] = ["measurement"]
    return path


@pytest.fixture
def files(tmp_path):
    def seconds(n, method):
        return (n / 256) ** 3 * (0.4 if method == "lapack" else 0.1)

    return [write(tmp_path / f"{ranks}.h5", ranks, seconds) for ranks in (1, 2)]


def test_curves_show_the_times_of_the_files(files):
    whole, leading, scaling = bench.draw(bench.read_measurements(files)).axes[:3]
    gram = next(line for line in whole.get_lines() if line.get_label() == "gram")
    assert list(gram.get_xdata()) == [256, 512]
    np.testing.assert_allclose(gram.get_ydata(), [0.05, 0.4])  # at the larger rank count
    gemm = next(line for line in whole.get_lines() if "gemm" in line.get_label())
    np.testing.assert_allclose(gemm.get_ydata()[1], 4e-9 * 512**3 / 100)
    assert leading.get_title() == "16 triplets, 2 ranks"
    np.testing.assert_allclose(scaling.get_lines()[0].get_ydata(), [3.2, 1.6])  # lapack, all triplets, 1 and 2 ranks


def test_the_command_writes_the_figure(run, files, tmp_path):
    code, _, err = run("bench", *files, "-o", tmp_path / "bench.png")
    assert (code, err) == (0, "")
    assert (tmp_path / "bench.png").stat().st_size > 10_000


def test_other_files_are_refused(run, eagle, tmp_path):
    code, _, err = run("bench", eagle, "-o", tmp_path / "bench.png")
    assert code == 2 and "filetype is 'rankine-simulate'" in err
    with pytest.raises(InputError, match="no such file"):
        bench.read_measurements(["missing.h5"])
