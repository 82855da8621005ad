"""What rankine-distill says of a network and its slices, in memory, from one of its result files."""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from . import compression, image_result
from .compression import Compression
from .errors import InputError
from .fields import integers, one_line, real, reals, subgroup, whole, whole_attribute, words
from .from_file import FromFile
from .image_result import ImageResult
from .own_process import in_own_process
from .result_header import check_header, opened

FILETYPE = "rankine-distill"
FORMAT_VERSION = 1
MODES = ("fit-only", "local", "global", "hybrid")
TRAINED, FIT_KEPT, DIVERGED = OUTCOMES = ("trained", "fit kept", "diverged")
_STAGES = ("fit", "teacher", "local", "global")
_MOST_TEAMS = 100_000
_LONGEST = 1e10  # seconds


@dataclass(frozen=True)
class Slice:
    """A run of stages of the network that was trained by itself; NaN stands for what was not done.

    Errors are squared errors of the features over their variance around the means of channels.
    """

    name: str
    position: int  # in the order of the network, of all slices
    parameters: int
    error_before: float  # of the plain decomposition
    error_fit: float
    error_after: float
    errors: np.ndarray  # after each epoch
    outcome: str  # of OUTCOMES; empty where nothing was trained
    team: int | None
    started: float  # seconds since local training began, the teacher's passes included
    finished: float
    cost: float  # that was foretold, seconds
    score: float | None  # accuracy or perplexity of the network with this slice alone
    is_restored: bool  # from an earlier run


@dataclass(frozen=True)
class Local:
    """How slices were trained."""

    samples: int  # images or windows
    held_out: int
    waves: int  # times the teacher ran
    teams: int
    simulated_teams: np.ndarray
    simulated_seconds: np.ndarray


@dataclass(frozen=True)
class Distillation(FromFile):
    """The content of one result file; None where a stage did not run. Scores are accuracies or perplexities.

    Of a compression that slices are held against, there is the network only, and no mode.
    """

    network: ImageResult | Compression  # what the programs of compression say too
    mode: str  # of MODES
    before: float | None
    fitted: float | None  # after the closed-form fit
    assembled: float | None  # after slices were put together
    after: float | None  # in the end
    n_ranks: int
    slices: list[Slice] = field(default_factory=list)
    local: Local | None = None
    training_loss: np.ndarray | None = None  # of each step of the global training, nat
    seconds: dict[str, float] = field(default_factory=dict)  # fit, teacher, local, global: those that ran

    @property
    def is_of_images(self) -> bool:
        return isinstance(self.network, ImageResult)

    @property
    def metric(self) -> str:
        return "accuracy" if self.is_of_images else "perplexity"

    @property
    def path(self) -> Path:
        return self.network.path

    @property
    def deck(self) -> dict:
        return self.network.deck

    def setting(self, key: str, default=None):
        """The value of a keyword of the deck, "section.keyword"."""
        return self.network.setting(key, default)


def read_distillation(path: str | Path, *, allow_partial: bool = False) -> Distillation:
    """Read a result file of rankine-distill, or of rankine-compress to set beside them.

    Raises InputError as rankine_postprocess.read does.
    """
    return in_own_process(_read_file, Path(path), allow_partial)


def _read_file(path: Path, allow_partial: bool) -> Distillation:
    with opened(path) as file:
        found = words(path, file, "filetype", "none")
        filetype = found if found == compression.FILETYPE else FILETYPE
        check_header(path, file, filetype, FORMAT_VERSION, allow_partial)
        return _read(path, file, is_distilled=filetype == FILETYPE)


def _read(path: Path, file: h5py.File, is_distilled: bool) -> Distillation:
    results = subgroup(path, file, "results")
    is_of_images = "architecture" in results.attrs
    metric, least, most = ("accuracy", 0.0, 1.0) if is_of_images else ("perplexity", 1.0, np.inf)
    moments = {"before": "before", "fitted": "fit", "assembled": "local", "after": "after"}
    scores = {name: real(path, results, f"{metric}_{moment}", least=least, most=most) for name, moment in moments.items()}
    if scores["after"] is None:
        scores["after"] = real(path, results, metric, least=least, most=most)  # files of image networks have both
    network = (image_result if is_of_images else compression).read_results(path, file)
    return Distillation(
        network=network,
        mode=_one_of(path, results, "mode", MODES) if is_distilled else "",
        **scores,
        n_ranks=whole_attribute(path, file, "n_ranks", 1) if "n_ranks" in file.attrs else 1,
        slices=_slices(path, results, (least, most)) if "slices" in results else [],
        local=_local(path, subgroup(path, results, "local")) if "local" in results else None,
        training_loss=_training_loss(path, results) if is_of_images else network.healing_loss,
        seconds=_seconds(path, file),
    )


def _training_loss(path: Path, results: h5py.Group) -> np.ndarray | None:
    return reals(path, results, "training_loss", (None,)) if "training_loss" in results else None


def _one_of(path: Path, group: h5py.Group, name: str, choices: tuple[str, ...]) -> str:
    value = words(path, group, name)
    if value not in choices:
        raise InputError(f"{path}: the attribute '{name}' of {group.name} is none of {', '.join(choices)}. Run the deck again.")
    return value


def _slices(path: Path, results: h5py.Group, bounds: tuple[float, float]) -> list[Slice]:
    group = subgroup(path, results, "slices")
    found = [_slice(path, one_line(name), subgroup(path, group, name), bounds) for name in group]
    return sorted(found, key=lambda one: one.position)


def _slice(path: Path, name: str, group: h5py.Group, bounds: tuple[float, float]) -> Slice:
    times = {moment: _number(path, group, moment, most=_LONGEST) for moment in ("started", "finished", "cost")}
    if times["finished"] < times["started"]:
        raise InputError(f"{path}: {group.name} ends before it begins. Run the deck again.")
    return Slice(
        name=name,
        position=whole(path, group, "position"),
        parameters=whole(path, group, "parameters") if "parameters" in group else 0,
        **{f"error_{moment}": _number(path, group, f"feature_error_{moment}") for moment in ("before", "fit", "after")},
        errors=reals(path, group, "feature_errors", (None,), least=0.0, most=np.inf) if "feature_errors" in group else np.array([]),
        outcome=_one_of(path, group, "outcome", OUTCOMES) if "outcome" in group.attrs else "",
        team=whole(path, group, "team") if "team" in group else None,
        **times,
        score=real(path, group, "score", least=bounds[0], most=bounds[1]),
        is_restored="is_restored" in group.attrs and bool(whole_attribute(path, group, "is_restored")),
    )


def _number(path: Path, group: h5py.Group, name: str, most: float = np.inf) -> float:
    """A number from 0; NaN where it is absent."""
    value = real(path, group, name, most=most)
    return np.nan if value is None else value


def _local(path: Path, group: h5py.Group) -> Local:
    simulated = integers(path, group, "simulated_teams", (None,), least=1) if "simulated_teams" in group else np.array([], int)
    teams = whole(path, group, "teams", least=1)
    if teams > _MOST_TEAMS:
        raise InputError(f"{path}: {group.name} tells of {teams} teams, which cannot be. Run the deck again.")
    return Local(
        samples=whole(path, group, "samples"),
        held_out=whole(path, group, "held_out"),
        waves=whole(path, group, "waves", least=1),
        teams=teams,
        simulated_teams=simulated,
        simulated_seconds=reals(path, group, "simulated_seconds", simulated.shape, least=0.0, most=_LONGEST)
        if simulated.size else np.array([]),
    )  # fmt: skip


def _seconds(path: Path, file: h5py.File) -> dict[str, float]:
    if "timing" not in file:
        return {}
    timing = subgroup(path, file, "timing")
    found = {stage: real(path, timing, f"{stage}_seconds", most=_LONGEST) for stage in _STAGES}
    return {stage: seconds for stage, seconds in found.items() if seconds}
