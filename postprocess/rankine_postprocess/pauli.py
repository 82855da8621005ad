"""Names of observables: the magnetisation or a Pauli string, whatever the order of its factors."""

import re

_LONGEST_DEFINITION = 40  # factors
_LONGEST_NAME = 24  # letters of a name that is no Pauli string
MAGNETIZATION = "magnetization"
_STRING = re.compile(r"[XYZ]\d+(?:[ _]+[XYZ]\d+)*")
_FACTOR = re.compile(r"([XYZ])(\d+)")
_LONGEST_LITERAL = 3


def factors(name: str) -> frozenset[tuple[str, int]] | None:
    """The (letter, site) pairs of "X13 X29" or "X13_X29"; None when `name` is not a Pauli string."""
    if not _STRING.fullmatch(name.strip()):
        return None
    return frozenset((letter, int(site)) for letter, site in _FACTOR.findall(name))


def same(name: str, other: str) -> bool:
    """Whether two names mean the same observable."""
    string = factors(name)
    return name == other if string is None else string == factors(other)


def short_name(name: str) -> str:
    """The name itself, or "W17" for a string of seventeen factors."""
    string = factors(name)
    return f"W{len(string)}" if string and len(string) > _LONGEST_LITERAL else name


def symbol(name: str) -> str:
    """The expectation value as matplotlib mathematics, without dollar signs."""
    if name == MAGNETIZATION:
        return r"M_z"
    string = factors(name)
    if string is None:
        return r"\mathrm{" + re.sub(r"[^A-Za-z0-9 ]", " ", name[:_LONGEST_NAME]).replace(" ", r"\ ") + "}"
    if len(string) > _LONGEST_LITERAL:
        return rf"\langle W_{{{len(string)}}}\rangle"
    ordered = sorted(string, key=lambda factor: factor[1])
    return r"\langle " + r"\,".join(f"{letter}_{{{site}}}" for letter, site in ordered) + r"\rangle"


def definition(name: str) -> str | None:
    """What a short symbol stands for, as text for a caption; None when the symbol says it all."""
    if name == MAGNETIZATION:
        return r"$M_z$: mean of $\langle Z_q\rangle$ over all qubits"
    string = factors(name)
    if string is None or len(string) <= _LONGEST_LITERAL:
        return None
    if len(string) > _LONGEST_DEFINITION:
        return rf"$W_{{{len(string)}}}$: product of {len(string)} Pauli matrices"
    sites = {letter: sorted(site for kind, site in string if kind == letter) for letter in "XYZ"}
    product = r"\,".join(f"{letter}_{{{','.join(map(str, numbers))}}}" for letter, numbers in sites.items() if numbers)
    return rf"$W_{{{len(string)}}} = {product}$"
