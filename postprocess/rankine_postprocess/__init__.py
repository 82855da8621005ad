"""Read, tabulate, compare and draw the result files of Rankine's programs.

import rankine_postprocess as rp
rp.summary("result.h5")                                 # any kind of file: results, values of the deck, provenance
rp.open("result.h5")["perplexity"].values               # any dataset, with its axes, units and labels
theta_h, value = rp.read("simulation.h5").curve("magnetization", step=5)
"""

from .axes import plot, plot_sweep
from .compression import Compression, read_compression
from .distillation import Distillation, read_distillation
from .errors import InputError
from .extrapolation import Extrapolation, extrapolate
from .image_result import ImageResult, read_image_result
from .kinds import read
from .labelled import to_dataframe, to_xarray
from .profile import Profile, read_profile
from .reader import read_simulation
from .result import Dataset, Result
from .result import open_result as open  # noqa: A001
from .simulation import Observable, Simulation
from .study import Study, read_study
from .summary import key_results, parameters, summaries, summary
from .version import __version__

__all__ = [
    "Compression", "Dataset", "Distillation", "Extrapolation", "ImageResult", "InputError", "Observable", "Profile", "Result", "Simulation", "Study",
    "extrapolate", "key_results", "parameters", "plot", "plot_sweep", "read", "read_compression", "read_distillation", "read_image_result", "read_profile",
    "read_simulation", "read_study", "summaries", "summary", "to_dataframe", "to_xarray", "__version__",
]  # fmt: skip
