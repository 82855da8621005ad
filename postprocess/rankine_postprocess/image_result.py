"""What the programs say of an image network, in memory, from one of their result files."""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from . import compression
from .compression import read_deck
from .fields import integers, one_line, real, reals, subgroup, texts, whole, words
from .from_file import FromFile
from .own_process import in_own_process
from .result_header import check_header, opened
from .wording import count

FILETYPES = (compression.FILETYPE, "rankine-evaluate", "rankine-distill")
FORMAT_VERSION = 1
OF_IMAGES = "image networks"


@dataclass(frozen=True)
class CompressedKernel:
    """What became of one kernel."""

    name: str
    form: str
    shape: tuple[int, ...]  # outputs, inputs, height, width
    ranks: tuple[int, ...]  # none for a kernel that stayed as it is
    parameters: int
    weighted_error: float
    norm_loss: float


@dataclass(frozen=True)
class CutStudy:
    """Scores of the network when kernels are truncated; tables are cuts x fractions x layers."""

    cuts: list[str]
    fractions: np.ndarray  # kept part of the rank
    layers: list[str]  # of which the last is all of them together
    accuracy: np.ndarray
    norm_loss: np.ndarray


@dataclass(frozen=True)
class Share:
    """A measured part of something, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ImageResult(FromFile):
    """The content of one result file; None where there is nothing."""

    path: Path
    status: str
    title: str
    model: str
    architecture: str
    method: str  # one line, as the program has it; empty for an evaluation
    program: str
    program_version: str
    git_commit: str
    deck: dict  # section -> keyword -> value
    accuracy: Share | None  # in the end
    accuracy_before: float | None  # of the network that was read
    accuracy_compressed: float | None  # with the statistics its batch norms had
    accuracy_re_estimated: float | None  # with statistics of its own, before any training
    difference: Share | None  # of the accuracies in the end and before, on the same images
    macro_miss_rate: float | None
    missed_defects: Share | None
    false_alarms: Share | None
    auc: Share | None
    parameters_before: int | None
    parameters_after: int | None
    confusion: np.ndarray | None  # classes x predicted classes
    labels: np.ndarray | None  # class of each test image
    predictions: np.ndarray | None  # that it was taken for
    kernels: dict[str, CompressedKernel] = field(default_factory=dict)
    epoch: np.ndarray | None = None
    epoch_accuracy: np.ndarray | None = None
    cuts: CutStudy | None = field(default=None, repr=False)

    @property
    def images(self) -> int:
        """Test images; 0 where the scores of none are in the file."""
        return 0 if self.confusion is None else int(self.confusion.sum())

    @property
    def evaluation(self) -> str:
        """What the scores are of, in words."""
        return count(self.images, "test image") if self.images else ""

    def setting(self, key: str, default=None):
        """The value of a keyword of the deck, "section.keyword"."""
        section, keyword = key.split(".")
        return self.deck.get(section, {}).get(keyword, default)

    @property
    def is_from_scratch(self) -> bool:
        """Whether training began with random numbers."""
        return not self.model


def is_of_images(path: str | Path) -> bool:
    """Whether the file is of an image network. Raises InputError where it cannot be read."""
    return in_own_process(_is_of_images, path)


def type_of(path: str | Path) -> str:
    """The file's type; OF_IMAGES for compressions and evaluations of image networks. Raises InputError as `is_of_images`."""
    return in_own_process(_type_of, path)


def _is_of_images(path: str | Path) -> bool:
    with opened(path) as file:
        return _has_image_network(path, file, FILETYPES)


def _type_of(path: str | Path) -> str:
    with opened(path) as file:
        return OF_IMAGES if _has_image_network(path, file, FILETYPES[:2]) else words(path, file, "filetype", "none")


def _has_image_network(path: str | Path, file: h5py.File, filetypes: tuple[str, ...]) -> bool:
    results = file.get("results")
    return words(path, file, "filetype", "none") in filetypes and results is not None and "architecture" in results.attrs


def read_image_result(path: str | Path, *, allow_partial: bool = False) -> ImageResult:
    """Read a result file of an image network. Raises InputError as rankine_postprocess.read does."""
    return in_own_process(_read_file, Path(path), allow_partial)


def _read_file(path: Path, allow_partial: bool) -> ImageResult:
    with opened(path) as file:
        check_header(path, file, words(path, file, "filetype", "none"), FORMAT_VERSION, allow_partial)
        return read_results(path, file)


def read_results(path: Path, file: h5py.File) -> ImageResult:
    """From an open file whose header is known."""
    results = subgroup(path, file, "results")
    header = ("status", "program", "program_version", "git_commit")
    lines = ("title", "model", "architecture", "method")
    parts = ("accuracy_before", "accuracy_compressed", "accuracy_re_estimated", "macro_miss_rate")
    counts = ("parameters_before", "parameters_after")
    return ImageResult(
        path=path,
        **{name: words(path, file, name) for name in header},
        **{name: words(path, results, name, "") for name in lines},
        deck=read_deck(path, file),
        **{name: real(path, results, name, most=1.0) for name in parts},
        accuracy=_share(path, results, "accuracy"),
        difference=_share(path, results, "accuracy_difference", least=-1.0),
        missed_defects=_share(path, results, "missed_defect_rate"),
        false_alarms=_share(path, results, "false_alarm_rate"),
        auc=_share(path, results, "auc"),
        **{name: whole(path, results, name, least=1) if name in results else None for name in counts},
        confusion=_confusion(path, results),
        **_predictions(path, results),
        kernels=_kernels(path, results),
        **_epochs(path, results),
        cuts=_cuts(path, results) if "cuts" in results else None,
    )


def _share(path: Path, results: h5py.Group, name: str, least: float = 0.0) -> Share | None:
    value = real(path, results, name, least=least, most=1.0)
    if value is None:
        return None
    low, high = reals(path, results, f"{name}_interval", (2,), least=least, most=1.0)
    return Share(value, *(value if np.isnan(end) else float(end) for end in (low, high)))


def _confusion(path: Path, results: h5py.Group) -> np.ndarray | None:
    if "confusion" not in results:
        return None
    (classes,) = reals(path, results, "recall", (None,)).shape
    return integers(path, results, "confusion", (classes, classes))


def _predictions(path: Path, results: h5py.Group) -> dict[str, np.ndarray | None]:
    if "predictions" not in results:
        return {"labels": None, "predictions": None}
    labels = integers(path, results, "labels", (None,))
    return {"labels": labels, "predictions": integers(path, results, "predictions", labels.shape)}


def _kernels(path: Path, results: h5py.Group) -> dict[str, CompressedKernel]:
    if "weights" not in results:
        return {}
    group = subgroup(path, results, "weights")
    return {one_line(name): _kernel(path, one_line(name), subgroup(path, group, name)) for name in group}


def _kernel(path: Path, name: str, group: h5py.Group) -> CompressedKernel:
    ranks = integers(path, group, "ranks", (None,), least=1) if "ranks" in group else ()
    return CompressedKernel(
        name=name,
        form=words(path, group, "form", ""),
        shape=tuple(map(int, integers(path, group, "shape", (4,), least=1))),
        ranks=tuple(map(int, ranks)),
        parameters=whole(path, group, "parameters"),
        weighted_error=float(reals(path, group, "weighted_error", (), least=0.0)),
        norm_loss=float(reals(path, group, "norm_loss", ())),
    )


def _epochs(path: Path, results: h5py.Group) -> dict[str, np.ndarray | None]:
    if "epoch" not in results:
        return {}
    epoch = integers(path, results, "epoch", (None,), least=1)
    return {"epoch": epoch, "epoch_accuracy": reals(path, results, "epoch_accuracy", epoch.shape, least=0.0, most=1.0)}


def _cuts(path: Path, results: h5py.Group) -> CutStudy:
    group = subgroup(path, results, "cuts")
    cuts, layers = texts(path, group, "cut", (None,)), texts(path, group, "layer", (None,))
    fractions = reals(path, group, "fraction", (None,), least=0.0, most=1.0)
    table = (len(cuts), len(fractions), len(layers))
    return CutStudy(
        cuts=cuts,
        fractions=fractions,
        layers=layers,
        accuracy=reals(path, group, "accuracy", table, least=0.0, most=1.0),
        norm_loss=reals(path, group, "norm_loss", table, most=1.0),
    )
