"""Gate lists on a few sites, exactly: all 2^n amplitudes."""

import numpy as np

I = np.eye(2)
X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1])
PAULI = {"X": X, "Y": Y, "Z": Z}



def rotation(involution: np.ndarray):
    """exp(-i angle P / 2) of an involution P."""
    return lambda angle: np.cos(angle / 2) * np.eye(len(involution)) - 1j * np.sin(angle / 2) * involution


def controlled(gate):
    """The first site controls."""
    return lambda *angles: np.kron(np.diag([1, 0]), I) + np.kron(np.diag([0, 1]), gate(*angles))


def general(theta, phi, lamda):
    return np.exp(0.5j * (phi + lamda)) * rotation(Z)(phi) @ rotation(Y)(theta) @ rotation(Z)(lamda)


def fixed(matrix: np.ndarray):
    return lambda: matrix


def phase(angle):
    return np.diag([1, np.exp(1j * angle)])


H = (X + Z) / np.sqrt(2)
SX = np.exp(0.25j * np.pi) * rotation(X)(np.pi / 2)
PAIRS = np.kron(X, X) + np.kron(Y, Y).real
# name: sites, angles, matrix; the first site is the slow index.
GATES = {
    **{name: (1, 0, fixed(matrix)) for name, matrix in {
        "i": I, "x": X, "y": Y, "z": Z, "h": H, "s": phase(np.pi / 2), "sdg": phase(-np.pi / 2),
        "t": phase(np.pi / 4), "tdg": phase(-np.pi / 4), "sx": SX, "sxdg": SX.conj().T}.items()},
    **{f"r{name.lower()}": (1, 1, rotation(matrix)) for name, matrix in PAULI.items()},
    **{f"r{name.lower() * 2}": (2, 1, rotation(np.kron(matrix, matrix))) for name, matrix in PAULI.items()},
    **{f"cr{name.lower()}": (2, 1, controlled(rotation(matrix))) for name, matrix in PAULI.items()},
    **{f"c{name.lower()}": (2, 0, controlled(fixed(matrix))) for name, matrix in (PAULI | {"H": H}).items()},
    "rzx": (2, 1, rotation(np.kron(Z, X))),
    "p": (1, 1, phase), "cp": (2, 1, controlled(phase)), "u": (1, 3, general),
    "swap": (2, 0, fixed((np.eye(4) + PAIRS + np.kron(Z, Z)) / 2)),
    "iswap": (2, 0, fixed((np.eye(4) + 1j * PAIRS + np.kron(Z, Z)) / 2)),
    "ecr": (2, 0, fixed((np.kron(X, I) - np.kron(Y, X)) / np.sqrt(2))),
}  # fmt: skip


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
        for name, *words in map(str.split, lines):
            n_sites, _, matrix = GATES[name]
            sites, angles = map(int, words[:n_sites]), map(float, words[n_sites:])
            self.amplitudes = self.apply(matrix(*angles), *sites)

    def expectation(self, pauli_string: str) -> float:
        changed = StateVector(self.amplitudes.ndim)
        changed.amplitudes = self.amplitudes
        for word in pauli_string.split():
            changed.amplitudes = changed.apply(PAULI[word[0]], int(word[1:]))
        return np.vdot(self.amplitudes, changed.amplitudes).real
