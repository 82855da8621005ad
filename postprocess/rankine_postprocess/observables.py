"""Which observable is meant when none is named."""

import sys

from . import pauli
from .errors import InputError
from .simulation import Simulation


def choose(simulations: list[Simulation], wanted: str | None) -> str:
    """The observable asked for; by default the magnetization if every file has it, else the first common one."""
    if wanted is not None:
        return wanted
    present = list(simulations[0].observables)
    if not present:
        raise InputError(f"{simulations[0].path}: the file holds no observable.")
    for name in sorted(present, key=lambda name: name != pauli.MAGNETIZATION):
        if all(any(pauli.same(name, other) for other in s.observables) for s in simulations[1:]):
            if len(present) > 1:
                print(f"observable: {name} (choose another of {', '.join(present)} with --observable)", file=sys.stderr)
            return name
    raise InputError("the files have no observable in common. Name one with --observable.")
