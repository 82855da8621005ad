"""A finished compression of a language model in memory, from a result file of rankine-compress."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from .errors import InputError
from .result_header import attribute, check_header, opened, text, text_dataset

FILETYPE = "rankine-compress"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class CompressedWeight:
    """What became of one weight matrix."""

    name: str  # in the checkpoint, without .weight
    form: str
    rank: int
    parameters: int  # stored numbers
    parameters_before: int | None  # of the original matrix; None in files of early programs
    bytes: int
    weighted_error: float
    spectrum: np.ndarray | None  # singular values, descending

    @property
    def is_counted_in_bytes(self) -> bool:
        """Whether it is stored as few numbers and many indices, so that numbers alone say nothing."""
        return self.form == "clustered"


@dataclass(frozen=True)
class Experiments:
    """Columns, one row for each score of clustered weights with changed values."""

    experiment: np.ndarray  # text
    clusters: np.ndarray
    layers: np.ndarray  # how many of the last ones are changed
    seed: np.ndarray
    loss: np.ndarray  # nat; may be infinite


@dataclass(frozen=True)
class Sensitivity:
    """Perplexities of the model when one group of weights alone is compressed; tables are groups x bond dimensions."""

    groups: list[str]  # "layer 3", "mlp.up_proj", or the name of a weight
    grouped_by: list[str]  # of each group: "layer", "kind" or "weight"
    bond_dimensions: np.ndarray
    perplexity: np.ndarray  # NaN where not measured
    parameters: np.ndarray  # stored numbers of the group; 0 where not measured
    parameters_before: np.ndarray  # of each group


@dataclass(frozen=True)
class Compression:
    """The content of one result file; perplexities and counts are None where there are none."""

    path: Path
    status: str
    title: str
    model: str
    precision: str
    method: str  # one line, as the program has it
    evaluation: str  # the protocol of the perplexities
    program: str
    program_version: str
    git_commit: str
    deck: dict  # section -> keyword -> value
    perplexity_before: float | None
    perplexity_unhealed: float | None
    perplexity_after: float | None
    recovered: float | None  # part of the lost loss that healing brought back
    parameters_before: int | None
    parameters_after: int | None
    bytes_after: int | None
    weights: dict[str, CompressedWeight]
    healing_loss: np.ndarray | None = None  # of each step, nat
    experiments: Experiments | None = field(default=None, repr=False)
    sensitivity: Sensitivity | None = field(default=None, repr=False)

    @property
    def number_bytes(self) -> int:
        """Bytes of a number of the original in memory."""
        return 8 if self.precision == "float64" else 4

    def setting(self, key: str, default=None):
        """The value of a keyword of the deck, "section.keyword"."""
        section, keyword = key.split(".")
        return self.deck.get(section, {}).get(keyword, default)


def read_compression(path: str | Path, *, allow_partial: bool = False) -> Compression:
    """Read a result file. Raises InputError as rankine_postprocess.read does."""
    path = Path(path)
    with opened(path) as file:
        check_header(path, file, FILETYPE, FORMAT_VERSION, allow_partial)
        if not isinstance(file.get("results"), h5py.Group):
            raise InputError(f"{path}: the group /results is missing.")
        return _read(path, file)


def _read(path: Path, file: h5py.File) -> Compression:
    results = file["results"]
    header = ("status", "program", "program_version", "git_commit")
    words = ("title", "model", "precision", "method", "evaluation")
    reals = ("perplexity_before", "perplexity_unhealed", "perplexity_after", "recovered")
    counts = ("parameters_before", "parameters_after", "bytes_after")
    return Compression(
        path=path,
        **{name: text(attribute(path, file, name)) for name in header},
        **{name: text(results.attrs.get(name, "")) for name in words},
        deck=_read_deck(path, file),
        **{name: _scalar(results, name, float) for name in reals},
        **{name: _scalar(results, name, int) for name in counts},
        weights={name: _read_weight(name, group) for name, group in results.get("weights", {}).items()},
        healing_loss=results["healing_loss"][()] if "healing_loss" in results else None,
        experiments=_read_experiments(results["experiments"]) if "experiments" in results else None,
        sensitivity=_read_sensitivity(results["sensitivity"]) if "sensitivity" in results else None,
    )


def _read_deck(path: Path, file: h5py.File) -> dict:
    try:
        return tomllib.loads(text_dataset(file, "provenance/effective_deck"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: /provenance/effective_deck is not TOML ({error}).") from error


def _read_weight(name: str, group: h5py.Group) -> CompressedWeight:
    return CompressedWeight(
        name=name,
        form=text(group.attrs.get("form", "")),
        rank=_scalar(group, "rank", int),
        parameters=_scalar(group, "parameters", int),
        parameters_before=_scalar(group, "parameters_before", int),
        bytes=_scalar(group, "bytes", int),
        weighted_error=_scalar(group, "weighted_error", float),
        spectrum=group["spectrum"][()] if "spectrum" in group else None,
    )


def _read_experiments(group: h5py.Group) -> Experiments:
    return Experiments(
        experiment=np.array([text(name) for name in group["experiment"][()]]),
        clusters=group["clusters"][()],
        layers=group["layers"][()],
        seed=group["seed"][()],
        loss=group["negative_log_likelihood"][()],
    )


def _read_sensitivity(group: h5py.Group) -> Sensitivity:
    return Sensitivity(
        groups=[text(name) for name in group["groups"][()]],
        grouped_by=[text(name) for name in group["grouped_by"][()]],
        **{name: group[name][()] for name in ("bond_dimensions", "perplexity", "parameters", "parameters_before")},
    )


def _scalar(group: h5py.Group, name: str, kind: type):
    return kind(np.ravel(group[name][()])[0]) if name in group else None
