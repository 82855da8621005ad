// Unitary matrices on two qubits as circuits of cx and one-qubit gates, by the canonical
// decomposition U = (a x b) exp(i (x XX + y YY + z ZZ)) (c x d).
#pragma once

#include <array>

#include "circuit/circuit.hpp"
#include "circuit/square_matrix.hpp"

namespace rankine::circuit {

/// U = left exp(i (x XX + y YY + z ZZ)) right for U of determinant 1; left and right are products
/// of one-qubit gates.
struct CanonicalForm {
  SquareMatrix left;
  SquareMatrix right;
  std::array<double, 3> coordinates;  ///< x, y, z
  /// sin 2x sin 2y sin 2z with the sign that makes it continuous in U: 0 where two cx are enough.
  double obstruction;
};
CanonicalForm canonical_form(const SquareMatrix& unitary);

/// Circuits for the 4 x 4 matrix of sites {first, second}, the first being the slow one in its
/// index (as in an Operator). Exact, the phase included.
using SitePair = std::array<int, 2>;
/// 3 cx, or 2 where that is enough: for every real orthogonal matrix of determinant 1.
Step two_qubit_circuit(const SquareMatrix& unitary, SitePair sites);
/// 2 cx and a diagonal matrix that is left to do: unitary = diagonal * gates.
struct UpToDiagonal {
  Step gates;
  std::array<Complex, 4> diagonal;
};
UpToDiagonal circuit_up_to_diagonal(const SquareMatrix& unitary, SitePair sites);

}  // namespace rankine::circuit
