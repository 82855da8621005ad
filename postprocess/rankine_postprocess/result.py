"""Any result file in memory: attributes of the file and its groups, and every dataset with its axes, units and labels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np

from .effective_deck import deck_values
from .errors import ForeignFile, InputError
from .fields import any_attribute, document, numbers_or_texts, words
from .from_file import FromFile
from .own_process import in_own_process
from .result_header import check_version_and_status, opened

FORMAT_VERSION = 1  # of every kind of file
KINDS = (
    "rankine-simulate", "rankine-evaluate", "rankine-compress", "rankine-distill",
    "rankine-bench-linalg", "rankine-bench-gpeps", "rankine-bench-images", "rankine-bench-models",
)  # fmt: skip
RESULTS = "results"
_DOCUMENTS = ("provenance/effective_deck", "log")  # fields of Result
_DEEPEST = 8  # a damaged file may hold a group in itself
# Datasets that label the axis of others, for older files that do not say so in the attribute `coordinates`; besides these,
# one that is named as the axis is, or as one place on it ("layer" along "layers").
_LABELS = {"points": ("theta_h", "max_bond_dimension"), "measured steps": ("steps",), "schedules": ("simulated_teams",)}
# What HDF5 and netCDF keep in attributes for themselves.
_BOOKKEEPING = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties"}
_BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable"


@dataclass(frozen=True)
class Dataset:
    """An array of a result file."""

    name: str  # its path, "results/perplexity"
    values: np.ndarray  # numbers, or texts as objects
    dims: tuple[str, ...]  # one name for each axis
    units: str  # "1" for pure numbers
    long_name: str
    attributes: dict[str, object] = field(default_factory=dict)  # the others

    @property
    def short_name(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def group(self) -> str:
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class Result(FromFile):
    """The content of one result file of any kind, or what was asked for of it."""

    path: Path
    attributes: dict[str, object]  # of the file: filetype, program_version, created_utc, n_ranks, ...
    groups: dict[str, dict[str, object]]  # path of each group -> its attributes
    datasets: dict[str, Dataset]  # by their paths
    effective_deck: str = field(default="", repr=False)
    log: str = field(default="", repr=False)

    @property
    def kind(self) -> str:
        """The file's type, one of KINDS."""
        return str(self.attributes["filetype"])

    @property
    def status(self) -> str:
        return str(self.attributes["status"])

    @property
    def title(self) -> str:
        return str(self.groups.get(RESULTS, {}).get("title", ""))

    @property
    def is_of_images(self) -> bool:
        """Whether it is about an image network."""
        return "architecture" in self.groups.get(RESULTS, {})

    @cached_property
    def deck(self) -> dict[str, object]:
        """ "section.keyword" -> value of every keyword. Raises InputError where the deck is damaged."""
        return deck_values(self.path, self.effective_deck)

    def __contains__(self, name: str) -> bool:
        return name in self.datasets or f"{RESULTS}/{name}" in self.datasets

    def __getitem__(self, name: str) -> Dataset:
        """A dataset by its path, or by its path below /results. Raises InputError."""
        for path in (name, f"{RESULTS}/{name}"):
            if path in self.datasets:
                return self.datasets[path]
        raise InputError(f"{self.path}: no dataset '{name}'. Present: {', '.join(self.datasets) or 'none'}.")

    def in_group(self, group: str) -> dict[str, Dataset]:
        """The datasets that stand in a group itself, by their short names."""
        return {one.short_name: one for one in self.datasets.values() if one.group == group}

    def subgroups(self, group: str) -> list[str]:
        """Paths of the groups in a group."""
        return [path for path in self.groups if path.rpartition("/")[0] == group]

    def labels(self, dataset: Dataset) -> dict[str, Dataset]:
        """Short name -> dataset of one axis in the same group that labels an axis of this one."""
        named = dataset.attributes.get("coordinates")
        wanted = str(named).split() if named else [label for dim in dataset.dims for label in _labels_of(dim)]
        here = self.in_group(dataset.group)
        found = {name: here[name] for name in wanted if name in here}
        return {name: one for name, one in found.items() if len(one.dims) == 1 and one.dims[0] in dataset.dims and one is not dataset}


def _labels_of(dim: str) -> list[str]:
    name = dim.replace(" ", "_")
    return [*_LABELS.get(dim, ()), name, name.removesuffix("s")]


Wanted = Callable[[str, tuple[int, ...]], bool]  # of the path and shape of a dataset, or of a group with all that is in it


def open_result(path: str | Path, *, allow_partial: bool = True) -> Result:
    """Read a result file of any kind, whatever its status.

    Raises InputError for what is no result file, for one of another format version, for a status that is not "complete"
    unless `allow_partial`, and for damaged content.
    """
    return made_of_result(path, _as_it_is, allow_partial=allow_partial)


def made_of_result(path: str | Path, make: Callable, *, allow_partial: bool = True, wanted: Wanted | None = None):
    """What `make(result)` makes of a file in the process that reads it, with the datasets that are `wanted` only.

    Raises InputError as `open_result` does, also for whatever `make` raises: datasets of a damaged file need not fit each other.
    """
    return in_own_process(_read_file, Path(path), make, allow_partial, wanted)


def _as_it_is(result: Result) -> Result:
    return result


def _read_file(path: Path, make: Callable, allow_partial: bool, wanted: Wanted | None):
    with opened(path) as file:
        kind = words(path, file, "filetype", "none")
        if kind not in KINDS:
            raise ForeignFile(f"{path}: filetype is '{kind}' (known are {', '.join(KINDS)}).")
        check_version_and_status(path, file, FORMAT_VERSION, allow_partial)
        return make(_read(path, file, wanted))


def _read(path: Path, file: h5py.File, wanted: Wanted | None) -> Result:
    result = Result(path, _attributes(file), {}, {}, *(document(path, file, name) for name in _DOCUMENTS))
    _read_group(result, file, "", wanted)
    return result


def _read_group(result: Result, group: h5py.Group, place: str, wanted: Wanted | None) -> None:
    """What stands in a group and below; soft links and links to other files are not followed."""
    for name in group:
        path = f"{place}{name}"
        if path in _DOCUMENTS or not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        item = group[name]
        if wanted is not None and not wanted(path, getattr(item, "shape", ())):
            continue
        if isinstance(item, h5py.Group):
            result.groups[path] = _attributes(item)
            if path.count("/") < _DEEPEST:
                _read_group(result, item, f"{path}/", wanted)
        elif isinstance(item, h5py.Dataset) and not _is_bare_dimension(item):
            result.datasets[path] = _dataset(result.path, path, item)


def _is_bare_dimension(item: h5py.Dataset) -> bool:
    """Whether it only gives an axis its length."""
    return str(any_attribute(item, "NAME")).startswith(_BARE_DIMENSION) if "NAME" in item.attrs else False


def _dataset(path: Path, name: str, item: h5py.Dataset) -> Dataset:
    attributes = _attributes(item)
    values = numbers_or_texts(path, item)
    dims = attributes.pop("dims", None)
    dims = [dims] if isinstance(dims, str) else dims
    if not isinstance(dims, list) or len(set(map(str, dims))) != values.ndim:
        dims = [f"{name.rpartition('/')[2]} axis {axis}" for axis in range(values.ndim)]
    units, long_name = (str(attributes.pop(key, "")) for key in ("units", "long_name"))
    return Dataset(name, values, tuple(map(str, dims)), units or "1", long_name, attributes)


def _attributes(holder: h5py.Group | h5py.Dataset) -> dict[str, object]:
    values = {name: any_attribute(holder, name) for name in holder.attrs if name not in _BOOKKEEPING}
    return {name: value for name, value in values.items() if value is not None}
