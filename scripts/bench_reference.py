#!/usr/bin/env python3
"""Times the gPEPS evolution in plain numpy, and in quimb on request: what rankine-simulate is compared with.

The kicked Ising circuit on heavy-hex processors is evolved by simple update and measured, by

  numpy  the same Gram form that rankine uses: weighted site tensors, Gram matrices by
         matrix multiplication, Cholesky with pivoting of the 2D x 2D matrices (eigendecomposition where scipy
         is missing), one SVD a gate, no inverse of a neighbour's weights, no copies to reorder legs;
  quimb  quimb.tensor.CircuitPEPSSimpleUpdate, based on QR (https://quimb.readthedocs.io), given the same gates.

Every code gets the same list of gates, so that truncated values may be compared too. Cases:

  eagle-mz        127 qubits, M_z after 5 steps, theta_h = 0.6, chi = 16, last ZZ layer skipped
  eagle-z62       127 qubits, Z_62 after 9 steps, theta_h = pi/4, chi = 64, gates of the causal cone
  eagle-z62-full  the same with all gates but the last ZZ layer
  eagle-z62-256   eagle-z62 at chi = 256, which truncates nothing
  condor-mz       1121 qubits, otherwise eagle-mz

Run it alone on the machine, with as many BLAS threads as the code it is compared with:

  OPENBLAS_NUM_THREADS=1 python3 scripts/bench_reference.py
  pip install quimb==1.15
  OPENBLAS_NUM_THREADS=1 python3 scripts/bench_reference.py --quimb --case eagle-mz --case eagle-z62

A time covers evolution and measurement, is the minimum over --repeats, and follows a warm-up of the same
circuit at a small chi: imports and compilation are not in it. The column `error` is the distance from the exact value;
where none is known it stays empty.
"""

import argparse
import csv
import ctypes
import dataclasses
import math
import os
import platform
import re
import sys
import time

import numpy as np

try:
    from scipy.linalg.lapack import zpstrf
except ImportError:
    zpstrf = None

THETA_J = -math.pi / 2
# A gate may discard this share of the squared singular values: it is rounding error.
DISCARDED_WEIGHT_MAX = 1e-15
WARM_UP_CHI = 8


# --- Lattice and circuit ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Lattice:
    """Sites 0 ... n_sites - 1; edges (a, b) with a < b in ascending order and the colour of each."""

    n_sites: int
    edges: list
    colours: list


def heavy_hex(rows, row_length):
    """Rows of sites joined by bridge sites; numbered row, its bridges, next row.

    The first row lacks its last site and the last row its first. Bridges stand at offsets 0, 4, 8, ... below
    even rows and 2, 6, 10, ... below odd rows. An edge has the smallest colour free at both of its ends.
    """
    site = {}  # (row, offset), or (row + 1/2, offset) for a bridge
    for row in range(rows):
        first = 1 if row == rows - 1 else 0
        last = row_length - 1 if row == 0 else row_length
        for offset in range(first, last):
            site[row, offset] = len(site)
        if row < rows - 1:
            for offset in range(2 * (row % 2), row_length, 4):
                site[row + 0.5, offset] = len(site)
    edges = []
    for (row, offset), a in site.items():
        neighbours = [(row + 0.5, offset)] if row % 1 else [(row, offset + 1), (row + 0.5, offset)]
        edges += [(a, site[place]) for place in neighbours if place in site]
    edges.sort()
    colours, taken = [], [set() for _ in site]
    for a, b in edges:
        colours.append(min({0, 1, 2} - taken[a] - taken[b]))
        taken[a].add(colours[-1])
        taken[b].add(colours[-1])
    return Lattice(len(site), edges, colours)


def distances(lattice, centre):
    """Number of edges between every site and the centre."""
    neighbours = [[] for _ in range(lattice.n_sites)]
    for a, b in lattice.edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    distance, shell = {centre: 0}, [centre]
    while shell:
        shell = [n for n in dict.fromkeys(n for s in shell for n in neighbours[s]) if n not in distance]
        distance.update({n: 1 + max(distance.values()) for n in shell})
    return [distance[s] for s in range(lattice.n_sites)]


def kicked_ising(lattice, steps, cone_centre=None):
    """The circuit as steps of (sites to kick, edges to couple, ordered by colour).

    Couplings of the last step commute with Z and are skipped. With a cone centre, a gate is also skipped where it
    cannot change Z there: of T steps, step t needs kicks within T - t and couplings that touch T - t - 1 edges.
    """
    distance = [-1] * lattice.n_sites if cone_centre is None else distances(lattice, cone_centre)
    order = sorted(range(len(lattice.edges)), key=lambda e: lattice.colours[e])
    circuit = []
    for after in reversed(range(steps)):
        kicks = [s for s in range(lattice.n_sites) if distance[s] <= after]
        couplings = [e for e in order if min(distance[s] for s in lattice.edges[e]) <= after - 1]
        circuit.append((kicks, couplings if after else []))
    return circuit


# --- Simple update in numpy ---------------------------------------------------------------------------------


class NumpyState:
    """Weighted site tensors B[q, leg, leg, ...]: every leg carries the weights of its edge.

    An update takes its leg from the front and puts the new one at the back. Edges go by colour, so that
    the next leg is then in front and no tensor is ever copied to reorder its legs, except after a skipped gate.
    """

    def __init__(self, lattice, chi):
        self.edges = lattice.edges
        self.chi = chi
        self.legs = [[] for _ in range(lattice.n_sites)]
        for e in sorted(range(len(lattice.edges)), key=lambda e: lattice.colours[e]):
            for s in lattice.edges[e]:
                self.legs[s].append(e)
        self.weights = [np.ones(1) for _ in lattice.edges]
        self.tensors = []
        for legs in self.legs:
            tensor = np.zeros((2,) + (1,) * len(legs), complex)
            tensor[0] = 1
            self.tensors.append(tensor)

    def evolve(self, circuit, theta_h):
        c, s = math.cos(theta_h / 2), -1j * math.sin(theta_h / 2)
        kick = np.array([[c, s], [s, c]])
        roots = np.sqrt(np.array([math.cos(THETA_J / 2), -1j * math.sin(THETA_J / 2)]))
        for kicks, couplings in circuit:
            for site in kicks:
                tensor = self.tensors[site]
                self.tensors[site] = (kick @ tensor.reshape(2, -1)).reshape(tensor.shape)
            for edge in couplings:
                self.couple(edge, roots)

    def couple(self, edge, roots):
        """Applies w_0 I (x) I + w_1 Z (x) Z, given the roots of w, to an edge and truncates it to chi."""
        a, b = self.edges[edge]
        weights = self.weights[edge]
        tensor_a, tensor_b = self.with_leg_in_front(a, edge), self.with_leg_in_front(b, edge)
        factor_a = factorise(gate_gram(tensor_a, weights, roots))
        factor_b = factorise(gate_gram(tensor_b, weights, roots))
        theta = (factor_a * np.concatenate((weights, weights))) @ factor_b.T
        u, values, vh = np.linalg.svd(theta, full_matrices=False)
        tail = np.cumsum(values[::-1] ** 2)[::-1]
        keep = min(self.chi, np.count_nonzero(tail > DISCARDED_WEIGHT_MAX * tail[0]))
        norm = math.sqrt(tail[0] - tail[keep]) if keep < len(tail) else math.sqrt(tail[0])
        self.weights[edge] = values[:keep] / norm
        self.replace(a, edge, tensor_a, factor_b.T @ vh[:keep].conj().T / norm, roots)
        self.replace(b, edge, tensor_b, factor_a.T @ u[:, :keep].conj() / norm, roots)

    def with_leg_in_front(self, site, edge):
        """The tensor as (q, leg, other legs)."""
        legs, tensor = self.legs[site], self.tensors[site]
        position = legs.index(edge)
        if position > 0:
            tensor = np.moveaxis(tensor, 1 + position, 1)
            legs.insert(0, legs.pop(position))
            self.tensors[site] = tensor
        return tensor.reshape(2, tensor.shape[1], -1)

    def replace(self, site, edge, tensor, bond, roots):
        """Contracts the leg in front with the (2 D) x keep bond and its half of the gate."""
        even, odd = roots[0] * bond[: len(bond) // 2], roots[1] * bond[len(bond) // 2 :]
        other_legs = self.tensors[site].shape[2:]
        tensor = tensor.transpose(0, 2, 1) @ np.stack((even + odd, even - odd))
        self.tensors[site] = tensor.reshape((2,) + other_legs + (-1,))
        self.legs[site].append(self.legs[site].pop(0))

    def expectation_z(self, site):
        up, down = (np.vdot(block, block).real for block in self.tensors[site])
        return (up - down) / (up + down)


def gate_gram(tensor, weights, roots):
    """N[(x, k), (y, l)] = sum_q conj(p_x(q)) p_y(q) G^q[k, l] with p_x(q) = root_x z_q^x and G^q the Gram matrix
    of a tensor (q, leg, rest) without the weights of the leg."""
    gram = tensor.conj() @ tensor.transpose(0, 2, 1)
    gram /= np.outer(weights, weights)
    total, difference = gram[0] + gram[1], gram[0] - gram[1]
    n = len(weights)
    matrix = np.empty((2 * n, 2 * n), complex, order="F")
    matrix[:n, :n] = abs(roots[0]) ** 2 * total
    matrix[n:, n:] = abs(roots[1]) ** 2 * total
    matrix[:n, n:] = roots[0].conj() * roots[1] * difference
    matrix[n:, :n] = roots[1].conj() * roots[0] * difference
    return matrix


def factorise(matrix):
    """R with R^H R = matrix; its rows are as many as the numerical rank."""
    if zpstrf is None:
        values, vectors = np.linalg.eigh(matrix)
        kept = values > len(values) * np.finfo(float).eps * values[-1]
        return np.sqrt(values[kept])[:, None] * vectors[:, kept].conj().T
    upper, pivots, rank, info = zpstrf(matrix, overwrite_a=1)
    if info < 0:
        raise RuntimeError(f"zpstrf refused argument {-info}")
    factor = np.empty((rank, len(matrix)), complex)
    factor[:, pivots - 1] = np.triu(upper[:rank])
    return factor


def run_numpy(case, lattice, circuit, chi):
    start = time.perf_counter()
    state = NumpyState(lattice, chi)
    state.evolve(circuit, case.theta_h)
    value = np.mean([state.expectation_z(s) for s in case.measured_sites(lattice)])
    return time.perf_counter() - start, float(value)


# --- The same in quimb --------------------------------------------------------------------------------------


def run_quimb(case, lattice, circuit, chi):
    import quimb.tensor as qtn

    gates = []
    for kicks, couplings in circuit:
        gates += [qtn.Gate("RX", [case.theta_h], [s]) for s in kicks]
        gates += [qtn.Gate("RZZ", [THETA_J], lattice.edges[e]) for e in couplings]
    z = np.diag([1.0, -1.0]).astype(complex)
    start = time.perf_counter()
    state = qtn.CircuitPEPSSimpleUpdate(lattice.n_sites, edges=lattice.edges, max_bond=chi)
    state.apply_gates(gates)
    value = np.mean([state.local_expectation(z, s).real for s in case.measured_sites(lattice)])
    return time.perf_counter() - start, float(value)


# --- Cases and the table ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Case:
    """Z on one site, or the mean of Z over all sites, after some steps of the kicked Ising circuit."""

    rows: int
    row_length: int
    steps: int
    theta_h: float
    chi: int
    site: int = None
    cone: bool = False
    exact: float = None

    def measured_sites(self, lattice):
        return range(lattice.n_sites) if self.site is None else [self.site]


EAGLE, CONDOR = (7, 15), (21, 43)
CASES = {
    "eagle-mz": Case(*EAGLE, steps=5, theta_h=0.6, chi=16, exact=0.71823577085266),
    "eagle-z62": Case(*EAGLE, steps=9, theta_h=math.pi / 4, chi=64, site=62, cone=True),
    "eagle-z62-full": Case(*EAGLE, steps=9, theta_h=math.pi / 4, chi=64, site=62),
    "eagle-z62-256": Case(*EAGLE, steps=9, theta_h=math.pi / 4, chi=256, site=62, cone=True),
    "condor-mz": Case(*CONDOR, steps=5, theta_h=0.6, chi=16, exact=0.70556093126543),
}


def measure(case, run, repeats):
    """The least time in seconds and the value."""
    lattice = heavy_hex(case.rows, case.row_length)
    circuit = kicked_ising(lattice, case.steps, case.site if case.cone else None)
    run(case, lattice, circuit, min(case.chi, WARM_UP_CHI))
    return min(run(case, lattice, circuit, case.chi) for _ in range(repeats))


def blas_in_force():
    """Threads and names of the OpenBLAS libraries in this process, or what else numpy may be using."""
    try:
        with open("/proc/self/maps") as maps:
            paths = set(re.findall(r"/\S*openblas[^/\s]*\.so\S*", maps.read()))
    except OSError:
        return "BLAS unknown"
    found = []
    for path in sorted(paths):
        library = ctypes.CDLL(path)
        for prefix, suffix in (("", ""), ("", "64_"), ("scipy_", ""), ("scipy_", "64_")):
            threads = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            if threads is not None:
                found.append(f"{os.path.basename(path)} with {threads()} threads")
                break
    return ", ".join(found) or "no OpenBLAS: numpy may be slow"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=CASES, help="may be repeated (default: all cases)")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs, the fastest counts (default: 3)")
    parser.add_argument("--quimb", action="store_true", help="run quimb too")
    parser.add_argument("--csv", metavar="FILE", help="write the table to this file as well")
    options = parser.parse_args()
    if options.repeats < 1:
        parser.error(f"--repeats is {options.repeats}, but must be at least 1.")
    codes = {"numpy": run_numpy}
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    if options.quimb:
        try:
            import quimb
        except ImportError as error:
            sys.exit(f"quimb cannot be imported ({error}). Install it with: pip install quimb==1.15")
        codes["quimb"] = run_quimb
        versions += f", quimb {quimb.__version__}"
    blas = blas_in_force()
    print(f"{versions}; {'Cholesky with pivoting' if zpstrf else 'eigendecomposition (no scipy)'}")
    print(f"OPENBLAS_NUM_THREADS={os.environ.get('OPENBLAS_NUM_THREADS', '(unset)')}; {blas}")
    print(f"{'case':16}{'code':8}{'chi':>5}{'seconds':>10}  {'value':18}{'error':>8}")
    rows = []
    for name in options.case or CASES:
        case = CASES[name]
        for code, run in codes.items():
            seconds, value = measure(case, run, options.repeats)
            error = "" if case.exact is None else f"{abs(value - case.exact):.0e}"
            print(f"{name:16}{code:8}{case.chi:5}{seconds:10.3f}  {value:<18.14f}{error:>8}", flush=True)
            rows.append([name, code, case.chi, case.theta_h, f"{seconds:.4f}", f"{value:.15g}", error, blas, versions])
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow("case code chi theta_h seconds value error blas versions".split())
            writer.writerows(rows)


if __name__ == "__main__":
    main()
