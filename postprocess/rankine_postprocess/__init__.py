"""Read, tabulate, compare and draw the result files of Rankine's programs.

import rankine_postprocess
simulation = rankine_postprocess.read("result.h5")
theta_h, value = simulation.curve("magnetization", step=5)
"""

from .compression import Compression, read_compression
from .distillation import Distillation, read_distillation
from .errors import InputError
from .image_result import ImageResult, read_image_result
from .reader import read
from .simulation import Observable, Simulation
from .version import __version__

__all__ = [
    "Compression", "Distillation", "ImageResult", "InputError", "Observable", "Simulation", "read", "read_compression",
    "read_distillation", "read_image_result", "__version__",
]  # fmt: skip
