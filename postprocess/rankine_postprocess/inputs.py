"""The lattice and the gates that a result file holds, checked against their hashes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from .errors import InputError


@dataclass(frozen=True)
class Inputs:
    """What rankine-simulate computed on; written to files, the two texts make it compute the same again."""

    n_sites: int
    edges: np.ndarray  # [edges, 3]: two sites and a colour
    gate_list: str  # angles of the deck by their names
    edges_sha256: str
    gates_sha256: str

    @property
    def edge_list(self) -> str:
        """As text, for lattice.file beside lattice.n_sites."""
        return "".join(f"{a} {b} {colour}\n" for a, b, colour in self.edges)


def read_inputs(path: Path, file: h5py.File) -> Inputs | None:
    """The group /inputs; None where there is none. Raises InputError where a hash does not fit."""
    group = file.get("inputs")
    if not isinstance(group, h5py.Group):
        return None
    try:
        edges, steps, order = (group[name] for name in ("edges", "steps", "step_order"))
        texts = steps.asstr()[()]
        found = Inputs(
            n_sites=int(edges.attrs["n_sites"]),
            edges=edges[()].reshape(-1, 3),
            gate_list="".join(texts[index] + "step\n" for index in order[()]),
            edges_sha256=str(edges.attrs["sha256"]),
            gates_sha256=str(order.attrs["sha256"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OSError) as error:
        raise InputError(f"{path}: the group /inputs is damaged ({error}). Run the deck again.") from error
    for text, sha256, what in (
        (f"{found.n_sites}\n{found.edge_list}", found.edges_sha256, "edges"),
        (found.gate_list, found.gates_sha256, "gates"),
    ):
        if hashlib.sha256(text.encode()).hexdigest() != sha256:
            raise InputError(f"{path}: the {what} of /inputs do not fit their hash. Run the deck again.")
    return found
