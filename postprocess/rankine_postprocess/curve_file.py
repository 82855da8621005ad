"""Text files of two columns, theta_h and value: references for `compare`, overlays and exact curves."""

from pathlib import Path

import numpy as np

from .errors import InputError


def read_curve_file(path) -> tuple[np.ndarray, np.ndarray]:
    """theta_h (radians, ascending) and value.

    Columns are separated by a comma, a semicolon or white space; a header line, blank lines and
    lines that start with # are skipped. `path` is a Path or package resource. Raises InputError.
    """
    try:
        text = (Path(path) if isinstance(path, str) else path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise InputError(f"{path}: cannot be read ({reason}).") from error
    rows = _rows(path, text)
    if not rows:
        raise InputError(f"{path}: no data. Write two columns, theta_h and value.")
    theta_h, value = np.array(sorted(rows)).T
    repeated = np.flatnonzero(np.diff(theta_h) == 0)
    if repeated.size:
        raise InputError(f"{path}: theta_h = {theta_h[repeated[0]]!r} occurs twice.")
    return theta_h, value


def _rows(path, text: str) -> list[tuple[float, float]]:
    rows, header_allowed = [], True
    for number, line in enumerate(text.splitlines(), start=1):
        columns = line.replace(",", " ").replace(";", " ").split()
        if not columns or columns[0].startswith("#"):
            continue
        try:
            theta_h, value = (float(column) for column in columns)
            if not np.isfinite([theta_h, value]).all():
                raise ValueError
            rows.append((theta_h, value))
        except ValueError:
            if not header_allowed:
                raise InputError(f"{path}, line {number}: '{line.strip()}' is not two finite numbers.") from None
        header_allowed = False
    return rows
