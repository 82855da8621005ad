// Depolarising noise: the density matrix against its definition and against trajectories.
#include <gtest/gtest.h>

#include <cmath>

#include "circuit/noisy_circuit.hpp"
#include "circuit/synthesis.hpp"
#include "random_unitary.hpp"

namespace rankine::circuit {
namespace {

/// |psi><psi|.
SquareMatrix projector(const std::vector<Complex>& psi) {
  const int n = static_cast<int>(psi.size());
  SquareMatrix matrix(n);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column)
      matrix(row, column) = psi[row] * std::conj(psi[column]);
  return matrix;
}

std::vector<Complex> random_state(int qubits, unsigned seed) {
  const SquareMatrix unitary = random_unitary(1 << qubits, Entries::complex, seed);
  return {unitary.elements().begin(), unitary.elements().begin() + unitary.size()};
}

TEST(NoisyCircuit, WithoutNoiseIsTheProductOfItsGates) {
  const SquareMatrix unitary = random_unitary(8, Entries::complex, 3);
  const SquareMatrix rho = projector(random_state(3, 4));
  EXPECT_LT(distance(run_noisy(synthesise(unitary), 0, rho), unitary * rho * adjoint(unitary)),
            1e-12);
}

TEST(NoisyCircuit, NoiseReplacesTheTwoQubitsOfAGateByTheirMixture) {
  // |1 psi 0>: after a swap of sites 0 and 2 with full noise, psi on site 1 is all that is left.
  const double error_rate = 0.3;
  const std::vector<Complex> psi = random_state(1, 5);
  std::vector<Complex> product(8), swapped(8);
  for (int k = 0; k < 2; ++k) product[4 + 2 * k] = psi[k], swapped[1 + 2 * k] = psi[k];
  SquareMatrix expected = projector(swapped);
  expected *= 1 - error_rate;
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 8; ++column)
      if ((row & 5) == (column & 5))
        expected(row, column) += error_rate / 4 * psi[row / 2 % 2] * std::conj(psi[column / 2 % 2]);
  const Step swap{{fixed_gate("swap"), {2, 0}}};
  EXPECT_LT(distance(run_noisy(swap, error_rate, projector(product)), expected), 1e-14);
}

TEST(NoisyCircuit, OneQubitGatesAreFreeOfNoise) {
  const std::vector<Complex> psi = random_state(2, 6);
  const Step gates{{fixed_gate("h"), {1, -1}}, {rx(0.3), {0, -1}}};
  EXPECT_LT(distance(run_noisy(gates, 1, projector(psi)), run_noisy(gates, 0, projector(psi))),
            1e-15);
}

TEST(NoisyCircuit, IsTheMeanOfTrajectoriesWithinThreeStandardErrors) {
  const int qubits = 3, n = 8, trajectories = 4000;
  const double error_rate = 0.03;
  const Step gates = synthesise(random_unitary(n, Entries::real, 8));
  const std::vector<Complex> start = random_state(qubits, 9);
  const SquareMatrix exact = run_noisy(gates, error_rate, projector(start));
  std::vector<double> sum(n), square(n);
  RandomStream random{20};
  for (int t = 0; t < trajectories; ++t) {
    const std::vector<Complex> psi = run_trajectory(gates, error_rate, start, random);
    for (int k = 0; k < n; ++k) {
      sum[k] += std::norm(psi[k]) / trajectories;
      square[k] += std::norm(psi[k]) * std::norm(psi[k]) / trajectories;
    }
  }
  for (int k = 0; k < n; ++k) {
    const double error = std::sqrt((square[k] - sum[k] * sum[k]) / trajectories);
    EXPECT_NEAR(sum[k], exact(k, k).real(), 3 * error);
    EXPECT_LT(error, 0.01);  // so that the comparison says something
  }
}

}  // namespace
}  // namespace rankine::circuit
