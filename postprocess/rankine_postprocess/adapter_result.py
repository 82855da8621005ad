"""What a result file of rankine-compress says about an adapter and about its blocks as noisy quantum circuits."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from .fields import real, reals, subgroup, whole, whole_attribute, words


@dataclass(frozen=True)
class Adapter:
    """A trained adapter; what its kind does not have is None."""

    kind: str  # "cayley", "block-diagonal" or "lora"
    side: str | None
    block: int | None
    layers: int | None
    numbers: int
    perplexity_unadapted: float | None


@dataclass(frozen=True)
class NoiseMap:
    """Perplexities with noisy blocks; tables are error rates x shots."""

    error_rates: np.ndarray
    shots: np.ndarray  # may be infinite
    perplexity: np.ndarray  # NaN where not measured
    contrast: np.ndarray  # of each error rate
    gates: int
    qubits: int


def read_adapter(path: Path, results: h5py.Group) -> Adapter | None:
    if "adapter" not in results:
        return None
    group = subgroup(path, results, "adapter")
    return Adapter(
        kind=words(path, group, "kind"),
        side=words(path, group, "side") if "side" in group.attrs else None,
        **{name: whole_attribute(path, group, name, 1) if name in group.attrs else None for name in ("block", "layers")},
        numbers=whole(path, group, "numbers"),
        perplexity_unadapted=real(path, group, "perplexity_unadapted", least=1.0, most=np.inf),
    )


def read_noise(path: Path, results: h5py.Group) -> NoiseMap | None:
    if "noise" not in results:
        return None
    group = subgroup(path, results, "noise")
    error_rates = reals(path, group, "error_rates", (None,), least=0.0, most=1.0)
    shots = reals(path, group, "shots", (None,), least=1.0, most=np.inf)
    return NoiseMap(
        error_rates=error_rates,
        shots=shots,
        perplexity=reals(path, group, "perplexity", (len(error_rates), len(shots)), least=1.0, most=np.inf),
        contrast=reals(path, group, "contrast", error_rates.shape, least=0.0, most=1.0),
        gates=whole(path, group, "gates"),
        qubits=whole(path, group, "qubits"),
    )
