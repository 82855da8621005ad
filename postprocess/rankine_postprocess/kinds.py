"""A result file as the object of its kind: simulation, compression, network of images, distillation, or a `Result`."""

from pathlib import Path

from . import compression, distillation, reader
from .image_result import OF_IMAGES, read_image_result, type_of
from .result import open_result

# Of the others, evaluations of language models and benchmarks, the arrays say all there is.
READERS = {
    reader.FILETYPE: reader.read_simulation,
    compression.FILETYPE: compression.read_compression,
    distillation.FILETYPE: distillation.read_distillation,
    OF_IMAGES: read_image_result,
}


def read(path: str | Path, *, allow_partial: bool = False):
    """Read a result file of any kind.

    Raises InputError for what is no result file, for another format version, for a file whose status is not "complete" (unless
    `allow_partial`), and for missing, misshapen or damaged content.
    """
    return READERS.get(type_of(path), open_result)(path, allow_partial=allow_partial)
