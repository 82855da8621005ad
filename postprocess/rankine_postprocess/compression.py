"""A finished compression of a language model in memory, from a result file of rankine-compress."""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from .adapter_result import Adapter, NoiseMap, read_adapter, read_noise
from .effective_deck import deck_sections
from .fields import document, integers, one_line, real, reals, subgroup, texts, whole, words
from .from_file import FromFile
from .own_process import in_own_process
from .result_header import check_header, opened

FILETYPE = "rankine-compress"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Gates:
    """What circuits of gates beside an operator did; entropies are None where they were not measured."""

    parameters: int  # of the gates
    overlap_alone: float  # of the operator of that bond dimension without gates
    overlap: float
    entropy_before: float | None  # of the cut, nat
    entropy_after: float | None


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
    gates: Gates | None = None

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
class Compression(FromFile):
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
    healing_held_out_loss: np.ndarray | None = None  # before healing and after every heal.check_every steps, nat
    experiments: Experiments | None = field(default=None, repr=False)
    sensitivity: Sensitivity | None = field(default=None, repr=False)
    adapter: Adapter | None = None
    noise: NoiseMap | None = field(default=None, repr=False)

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
    return in_own_process(_read_file, Path(path), allow_partial)


def _read_file(path: Path, allow_partial: bool) -> Compression:
    with opened(path) as file:
        check_header(path, file, FILETYPE, FORMAT_VERSION, allow_partial)
        return read_results(path, file)


def read_results(path: Path, file: h5py.File) -> Compression:
    """From an open file whose header is known."""
    results = subgroup(path, file, "results")
    header = ("status", "program", "program_version", "git_commit")
    lines = ("title", "model", "precision", "method", "evaluation")
    perplexities = ("perplexity_before", "perplexity_unhealed", "perplexity_after")
    counts = ("parameters_before", "parameters_after", "bytes_after")
    return Compression(
        path=path,
        **{name: words(path, file, name) for name in header},
        **{name: words(path, results, name, "") for name in lines},
        deck=read_deck(path, file),
        **{name: _perplexity(path, results, name) for name in perplexities},
        recovered=real(path, results, "recovered", least=-np.inf, most=1e6),
        **{name: _count(path, results, name) for name in counts},
        weights=_read_weights(path, results),
        **{name: reals(path, results, name, (None,)) for name in ("healing_loss", "healing_held_out_loss") if name in results},
        experiments=_read_experiments(path, results) if "experiments" in results else None,
        sensitivity=_read_sensitivity(path, results) if "sensitivity" in results else None,
        adapter=read_adapter(path, results),
        noise=read_noise(path, results),
    )


def read_deck(path: Path, file: h5py.File) -> dict:
    """The effective deck of a result file."""
    return deck_sections(path, document(path, file, "provenance/effective_deck"))


def _read_weights(path: Path, results: h5py.Group) -> dict[str, CompressedWeight]:
    if "weights" not in results:
        return {}
    group = subgroup(path, results, "weights")
    return {one_line(name): _read_weight(path, one_line(name), subgroup(path, group, name)) for name in group}


def _read_weight(path: Path, name: str, group: h5py.Group) -> CompressedWeight:
    return CompressedWeight(
        name=name,
        form=words(path, group, "form", ""),
        rank=whole(path, group, "rank"),
        parameters=whole(path, group, "parameters"),
        parameters_before=_count(path, group, "parameters_before"),
        bytes=whole(path, group, "bytes"),
        weighted_error=float(reals(path, group, "weighted_error", ())),
        spectrum=reals(path, group, "spectrum", (None,), least=0.0) if "spectrum" in group else None,
        gates=_read_gates(path, group) if "overlap" in group else None,
    )


def _read_gates(path: Path, group: h5py.Group) -> Gates:
    def overlap(name: str) -> float:
        return float(reals(path, group, name, (), least=0.0))

    return Gates(
        parameters=whole(path, group, "gate_parameters"),
        overlap_alone=overlap("overlap_alone"),
        overlap=overlap("overlap"),
        entropy_before=real(path, group, "entropy_before"),
        entropy_after=real(path, group, "entropy_after"),
    )


def _read_experiments(path: Path, results: h5py.Group) -> Experiments:
    group = subgroup(path, results, "experiments")
    names = texts(path, group, "experiment", (None,))
    rows = (len(names),)
    return Experiments(
        experiment=np.array(names, dtype=str),
        clusters=integers(path, group, "clusters", rows, least=1),
        layers=integers(path, group, "layers", rows),
        seed=integers(path, group, "seed", rows, least=-1),
        loss=reals(path, group, "negative_log_likelihood", rows, least=0.0, most=np.inf),
    )


def _read_sensitivity(path: Path, results: h5py.Group) -> Sensitivity:
    group = subgroup(path, results, "sensitivity")
    groups = texts(path, group, "groups", (None,))
    bond_dimensions = integers(path, group, "bond_dimensions", (None,), least=1)
    table = (len(groups), len(bond_dimensions))
    return Sensitivity(
        groups=groups,
        grouped_by=texts(path, group, "grouped_by", table[:1]),
        bond_dimensions=bond_dimensions,
        perplexity=reals(path, group, "perplexity", table, least=1.0, most=np.inf),
        parameters=integers(path, group, "parameters", table),
        parameters_before=integers(path, group, "parameters_before", table[:1]),
    )


def _perplexity(path: Path, results: h5py.Group, name: str) -> float | None:
    return real(path, results, name, least=1.0, most=np.inf)


def _count(path: Path, group: h5py.Group, name: str) -> int | None:
    """A number of something; None where the file does not have it, or nothing was selected beside an adapter."""
    if name not in group:
        return None
    return whole(path, group, name, least=0 if "adapter" in group else 1) or None
