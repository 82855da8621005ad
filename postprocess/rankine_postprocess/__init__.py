"""Read, tabulate, compare and draw the result files of rankine-simulate, rankine-compress and rankine-bench.

import rankine_postprocess
simulation = rankine_postprocess.read("result.h5")
theta_h, value = simulation.curve("magnetization", step=5)
"""

from .compression import Compression, read_compression
from .errors import InputError
from .reader import read
from .simulation import Observable, Simulation
from .version import __version__

__all__ = ["Compression", "InputError", "Observable", "Simulation", "read", "read_compression", "__version__"]
