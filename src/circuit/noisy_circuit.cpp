#include "circuit/noisy_circuit.hpp"

#include <bit>

#include "circuit/amplitudes.hpp"

namespace rankine::circuit {

namespace {

/// rho -> (1 - p) rho + p I/4 x tr rho on two qubits.
void depolarise(SquareMatrix& matrix, const std::array<int, 2>& sites, double error_rate) {
  const int a = 1 << sites[0], b = 1 << sites[1], offset[] = {0, a, b, a + b};
  for (int row = 0; row < matrix.size(); ++row) {
    if (row & (a | b)) continue;
    for (int column = 0; column < matrix.size(); ++column) {
      if (column & (a | b)) continue;
      Complex trace = 0;
      for (int k : offset) trace += matrix(row + k, column + k);
      for (int k : offset)
        for (int l : offset) matrix(row + k, column + l) *= 1 - error_rate;
      for (int k : offset) matrix(row + k, column + k) += error_rate / 4 * trace;
    }
  }
}

}  // namespace

SquareMatrix run_noisy(const Step& gates, double error_rate, SquareMatrix matrix) {
  const int qubits = std::countr_zero(static_cast<unsigned>(matrix.size()));
  for (const Gate& gate : gates) {
    apply_gate(gate, matrix.elements(), qubits);
    apply_conjugate_gate(gate, matrix.elements());
    if (gate.n_sites() == 2 && error_rate > 0) depolarise(matrix, gate.sites, error_rate);
  }
  return matrix;
}

std::vector<Complex> run_trajectory(const Step& gates, double error_rate,
                                    std::vector<Complex> amplitudes, RandomStream& random) {
  static const OperatorPointer paulis[] = {fixed_gate("i"), fixed_gate("x"), fixed_gate("y"),
                                           fixed_gate("z")};
  for (const Gate& gate : gates) {
    apply_gate(gate, amplitudes);
    if (gate.n_sites() == 1 || random.uniform() >= error_rate) continue;
    for (int site : gate.sites) apply_gate({paulis[random.below(4)], {site, -1}}, amplitudes);
  }
  return amplitudes;
}

}  // namespace rankine::circuit
