// Circuits for matrices: their product and the number of their gates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <random>

#include "circuit/synthesis.hpp"
#include "circuit/unitary_factors.hpp"
#include "core/errors.hpp"
#include "random_unitary.hpp"

namespace rankine::circuit {
namespace {

int couplings(const Step& gates) {
  return static_cast<int>(
      std::ranges::count_if(gates, [](const Gate& g) { return g.n_sites() == 2; }));
}

void expect_circuit(const SquareMatrix& unitary, int qubits, const char* what) {
  const Step gates = synthesise(unitary);
  EXPECT_LT(distance(product_of(gates, qubits), unitary), 1e-10) << what << ", qubits " << qubits;
  EXPECT_LE(couplings(gates), two_qubit_gates(qubits)) << what;
}

TEST(Synthesis, CountsAreThoseOfTheQuantumShannonDecomposition) {
  const int counts[] = {0, 3, 20, 100, 444, 1868};
  for (int qubits = 1; qubits <= 6; ++qubits) {
    EXPECT_EQ(two_qubit_gates(qubits), counts[qubits - 1]);
    const Step unitary = synthesise(random_unitary(1 << qubits, Entries::complex, 1));
    EXPECT_EQ(couplings(unitary), two_qubit_gates(qubits));
    const Step rotation = synthesise(random_unitary(1 << qubits, Entries::real, 1));
    EXPECT_EQ(couplings(rotation), two_qubit_gates_of_rotation(qubits));
  }
}

TEST(Synthesis, GatesMultiplyToRandomMatrices) {
  for (int qubits = 1; qubits <= 6; ++qubits)
    for (unsigned seed = 0; seed < (qubits < 5 ? 20 : 1); ++seed)
      for (Entries entries : {Entries::real, Entries::complex})
        expect_circuit(random_unitary(1 << qubits, entries, seed), qubits, "random");
}

TEST(Synthesis, GatesMultiplyToMatricesNearTheIdentity) {
  for (int qubits = 1; qubits <= 5; ++qubits)
    for (int digits = 1; digits <= 17; digits += qubits < 4 ? 1 : 4)
      for (Entries entries : {Entries::real, Entries::complex})
        expect_circuit(near_identity(1 << qubits, entries, std::pow(10.0, -digits), digits), qubits,
                       "near the identity");
}

TEST(Synthesis, GatesMultiplyToDegenerateMatrices) {
  std::mt19937 generator(7);
  for (int qubits = 1; qubits <= 6; ++qubits) {
    const int n = 1 << qubits;
    SquareMatrix identity = SquareMatrix::identity(n), reversal(n), cycle(n), shuffled(n), signs(n),
                 phases(n), controlled = SquareMatrix::identity(n), fourier(n), hadamard(n);
    std::vector<int> order(n);
    for (int k = 0; k < n; ++k) order[k] = k;
    std::ranges::shuffle(order, generator);
    for (int k = 0; k < n; ++k) {
      reversal(k, n - 1 - k) = cycle(k, (k + 1) % n) = shuffled(k, order[k]) = 1;
      signs(k, k) = order[k] % 3 == 0 ? -1 : 1;
      phases(k, k) = std::polar(1.0, 0.3 * order[k]);
      for (int j = 0; j < n; ++j) {
        fourier(k, j) = std::polar(1 / std::sqrt(n), 2 * std::numbers::pi * k * j / n);
        hadamard(k, j) = (std::popcount(unsigned(k & j)) % 2 ? -1 : 1) / std::sqrt(n);
      }
    }
    controlled(n - 1, n - 1) = controlled(n - 2, n - 2) = 0;
    controlled(n - 1, n - 2) = controlled(n - 2, n - 1) = 1;
    expect_circuit(identity, qubits, "identity");
    expect_circuit(reversal, qubits, "reversal");
    expect_circuit(cycle, qubits, "cycle");
    expect_circuit(shuffled, qubits, "permutation");
    expect_circuit(signs, qubits, "signs");
    expect_circuit(phases, qubits, "phases");
    expect_circuit(controlled, qubits, "controlled x");
    expect_circuit(fourier, qubits, "Fourier transform");
    expect_circuit(hadamard, qubits, "Walsh-Hadamard transform");
  }
}

TEST(Synthesis, TakesMatricesThatAreRounded) {
  for (int qubits = 1; qubits <= 4; ++qubits) {
    SquareMatrix rounded = random_unitary(1 << qubits, Entries::real, 3);
    for (Complex& element : rounded.elements()) element = static_cast<float>(element.real());
    const Step gates = synthesise(rounded);
    EXPECT_LT(distance(product_of(gates, qubits), rounded), 1e-6);
    EXPECT_EQ(couplings(gates), two_qubit_gates_of_rotation(qubits));
  }
}

TEST(Synthesis, RefusesWhatIsNoCircuit) {
  EXPECT_THROW(synthesise(SquareMatrix::identity(3)), InputError);
  EXPECT_THROW(synthesise(SquareMatrix::identity(1)), InputError);
  SquareMatrix scaled = SquareMatrix::identity(4);
  scaled *= 1.1;
  EXPECT_THROW(synthesise(scaled), InputError);
  scaled(0, 0) = std::nan("");
  EXPECT_THROW(synthesise(scaled), InputError);
}

/// The matrix that a cosine-sine decomposition stands for.
SquareMatrix product_of(const CosineSine& factors) {
  const int n = static_cast<int>(factors.angles.size());
  SquareMatrix left(2 * n), middle(2 * n), right(2 * n);
  for (int row = 0; row < n; ++row) {
    for (int column = 0; column < n; ++column)
      for (int half = 0; half < 2; ++half) {
        left(half * n + row, half * n + column) = factors.left[half](row, column);
        right(half * n + row, half * n + column) = factors.right[half](row, column);
      }
    middle(row, row) = middle(n + row, n + row) = std::cos(factors.angles[row]);
    middle(n + row, row) = std::sin(factors.angles[row]);
    middle(row, n + row) = -std::sin(factors.angles[row]);
  }
  return left * middle * right;
}

TEST(Synthesis, CosinesAndSinesAreAccurateAtAllAngles) {
  // Angles from pi/2 down to far below the rounding of a cosine, and pairs that are equal.
  const int n = 16;
  for (Entries entries : {Entries::real, Entries::complex}) {
    CosineSine made{{random_unitary(n, entries, 1), random_unitary(n, entries, 2)},
                    {random_unitary(n, entries, 3), random_unitary(n, entries, 4)},
                    std::vector<double>(n)};
    for (int k = 0; k < n; ++k) {
      const double small = std::pow(10.0, -2 * (k / 2));
      made.angles[k] = k < n / 2 ? small : std::numbers::pi / 2 - small * 1e8;
    }
    const SquareMatrix unitary = product_of(made);
    const CosineSine found = cosine_sine(unitary);
    EXPECT_LT(distance(product_of(found), unitary), 1e-13);
    for (int half = 0; half < 2; ++half) {
      EXPECT_LT(distance_from_unitary(found.left[half]), 1e-12);
      EXPECT_LT(distance_from_unitary(found.right[half]), 1e-12);
    }
  }
}

TEST(Synthesis, EigenvectorsAreOrthogonalWhereEigenvaluesCoincide) {
  const SquareMatrix basis = random_unitary(12, Entries::real, 6);
  SquareMatrix diagonal(12);
  for (int k = 0; k < 12; ++k) diagonal(k, k) = std::polar(1.0, k < 6 ? 0.5 : 0.5 + 1e-9 * (k % 3));
  const SquareMatrix symmetric = basis * diagonal * transpose(basis);
  const Eigenbasis found = diagonalise(symmetric, Symmetry::symmetric);
  for (int k = 0; k < 12; ++k) diagonal(k, k) = found.values[k];
  EXPECT_LT(distance(found.vectors * diagonal * transpose(found.vectors), symmetric), 1e-13);
  EXPECT_LT(distance_from_unitary(found.vectors), 1e-13);
  for (const Complex& element : found.vectors.elements()) EXPECT_EQ(element.imag(), 0);
  SquareMatrix defective = SquareMatrix::identity(2);
  defective(0, 1) = 1;
  EXPECT_THROW(diagonalise(defective), NumericalError);
}

}  // namespace
}  // namespace rankine::circuit
