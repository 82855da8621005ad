"""Gate lists on a few sites, exactly: all 2^n amplitudes."""

import numpy as np

I = np.eye(2)
X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1])
PAULI = {"X": X, "Y": Y, "Z": Z}

INVOLUTIONS = {"rx": X, "ry": Y, "rz": Z, "rxx": np.kron(X, X), "ryy": np.kron(Y, Y), "rzz": np.kron(Z, Z)}
FIXED = {
    "i": I, "x": X, "y": Y, "z": Z,
    "h": (X + Z) / np.sqrt(2),
    "s": np.diag([1, 1j]), "sdg": np.diag([1, -1j]),
    "t": np.diag([1, np.exp(0.25j * np.pi)]), "tdg": np.diag([1, np.exp(-0.25j * np.pi)]),
    "cx": np.kron(np.diag([1, 0]), I) + np.kron(np.diag([0, 1]), X),
    "cz": np.diag([1, 1, 1, -1]),
    "swap": (np.eye(4) + np.kron(X, X) + np.kron(Y, Y).real + np.kron(Z, Z)) / 2,
}


def matrix(name: str, angle: float | None) -> np.ndarray:
    """The gate's matrix, its first site the slow index; rotations are exp(-i angle P / 2)."""
    if name in FIXED:
        return FIXED[name]
    involution = INVOLUTIONS[name]
    return np.cos(angle / 2) * np.eye(len(involution)) - 1j * np.sin(angle / 2) * involution


class StateVector:
    """Amplitudes with one axis of length 2 per site, from |0...0>."""

    def __init__(self, n_sites: int):
        self.amplitudes = np.zeros((2,) * n_sites, dtype=complex)
        self.amplitudes[(0,) * n_sites] = 1

    def apply(self, operator: np.ndarray, *sites: int) -> np.ndarray:
        """The amplitudes after `operator`, which are not kept."""
        moved = np.moveaxis(self.amplitudes, sites, range(len(sites)))
        out = (operator @ moved.reshape(2 ** len(sites), -1)).reshape(moved.shape)
        return np.moveaxis(out, range(len(sites)), sites)

    def evolve(self, lines: list[str]) -> None:
        """Applies gates as in a gate list; all angles are numbers."""
        for words in map(str.split, lines):
            n_sites = int(np.log2(len(INVOLUTIONS.get(words[0], FIXED.get(words[0])))))
            sites = map(int, words[1 : 1 + n_sites])
            angle = float(words[-1]) if words[0] in INVOLUTIONS else None
            self.amplitudes = self.apply(matrix(words[0], angle), *sites)

    def expectation(self, pauli_string: str) -> float:
        changed = StateVector(self.amplitudes.ndim)
        changed.amplitudes = self.amplitudes
        for word in pauli_string.split():
            changed.amplitudes = changed.apply(PAULI[word[0]], int(word[1:]))
        return np.vdot(self.amplitudes, changed.amplitudes).real
