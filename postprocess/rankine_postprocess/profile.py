"""Where the time of a run went, stage by stage and rank by rank: /timing/profile of a result file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import InputError
from .result import RESULTS, Result, made_of_result
from .text_table import aligned, cell
from .wording import count

GROUP = "timing/profile"
WAIT = "wait"  # the stage in which a rank waits for others
_LONGEST = 1e12  # seconds


@dataclass(frozen=True)
class Profile:
    """Tables are stages x ranks; the seconds of a rank's stages add up to the run."""

    path: Path
    title: str
    stages: list[str]
    calls: np.ndarray
    seconds: np.ndarray
    flops: np.ndarray  # NaN where not known
    bytes_sent: np.ndarray

    @property
    def ranks(self) -> int:
        return self.seconds.shape[1]


def read_profile(path: str | Path, *, allow_partial: bool = False) -> Profile:
    """Raises InputError as rankine_postprocess.open does, and where the file has no profile."""
    return made_of_result(path, profile_of, allow_partial=allow_partial, wanted=_is_for_a_profile)


def _is_for_a_profile(name: str, shape: tuple[int, ...]) -> bool:
    return name in ("timing", RESULTS) or name.startswith(GROUP)


def has_profile(result: Result) -> bool:
    return f"{GROUP}/seconds" in result.datasets


def profile_of(result: Result) -> Profile:
    """Of a file that was read. Raises InputError where there is none, and where it is damaged."""
    if not has_profile(result):
        raise InputError(f"{result.path}: the file has no /{GROUP} (a program of an older version wrote it). Run the deck again.")
    stages = [str(stage) for stage in np.ravel(result[f"{GROUP}/stage"].values)]
    seconds = result[f"{GROUP}/seconds"].values
    tables = {name: result[f"{GROUP}/{name}"].values for name in ("calls", "seconds", "flops", "bytes_sent")}
    fits = seconds.ndim == 2 and seconds.size and len(stages) == len(seconds) and all(one.shape == seconds.shape for one in tables.values())
    if not fits or any(one.dtype.kind not in "iuf" for one in tables.values()) or not ((seconds >= 0) & (seconds < _LONGEST)).all():
        raise InputError(f"{result.path}: /{GROUP} is damaged. Run the deck again.")
    return Profile(result.path, result.title, stages, **{name: one.astype(float) for name, one in tables.items()})


def table(profile: Profile) -> str:
    """A line for each stage, the longest first: calls, seconds over the ranks, its part of the run, rate, bytes."""
    total = profile.seconds.sum(axis=0)
    rows = [_row(profile, stage, total.mean()) for stage in np.argsort(-profile.seconds.mean(axis=1), kind="stable")]
    rows.append(["all", "", *(f"{value:.4g}" for value in (total.min(), total.mean(), total.max())), "100.0 %", _imbalance(total),
                 "", cell_bytes(profile.bytes_sent.sum())])  # fmt: skip
    titles = ["stage", "calls", "least s", "mean s", "largest s", "part", "imbalance", "GFlop/s", "sent"]
    first = f"{profile.path}: {count(profile.ranks, 'rank')}, {total.max():.4g} s"
    return f"{first}\n\n{aligned(titles, rows, left=1)}"


def _row(profile: Profile, stage: int, whole: float) -> list[str]:
    seconds, flops = profile.seconds[stage], profile.flops[stage]
    rate = flops.sum() / seconds.sum() / 1e9 if seconds.sum() > 0 and flops.sum() > 0 else np.nan
    return [
        profile.stages[stage], f"{profile.calls[stage].max():.0f}",
        *(f"{value:.4g}" for value in (seconds.min(), seconds.mean(), seconds.max())),
        f"{100 * seconds.mean() / whole:.1f} %" if whole > 0 else "-", _imbalance(seconds), cell(float(f"{rate:.4g}")),
        cell_bytes(profile.bytes_sent[stage].sum()),
    ]  # fmt: skip


def _imbalance(seconds: np.ndarray) -> str:
    """The largest over the mean: 1 where all ranks take the same time."""
    return f"{seconds.max() / seconds.mean():.2f}" if seconds.mean() > 0 else "-"


def cell_bytes(number: float) -> str:
    """Bytes with three digits and a binary unit."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if number < 1024 or unit == "TiB":
            return f"{number:.3g} {unit}" if number >= 1000 else f"{float(f'{number:.3g}'):g} {unit}"
        number /= 1024
    raise AssertionError
