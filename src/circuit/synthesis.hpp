// Circuits of one- and two-qubit gates for given matrices: the quantum Shannon decomposition of
// Shende, Bullock and Markov (IEEE Transactions on CAD 25, 2006) with both of its savings.
#pragma once

#include "circuit/circuit.hpp"
#include "circuit/square_matrix.hpp"

namespace rankine::circuit {

/// Gates, in the order they act, whose product is `unitary`, of 2^k rows, k >= 1, the phase
/// included; site 0 is the fastest bit of its index. Two-qubit gates are cx and cz. For a matrix
/// that is rounded (to float32, say) the product is the unitary one next to it.
/// InputError when the matrix is not unitary to 1e-6 or has no 2^k rows.
Step synthesise(const SquareMatrix& unitary);

/// Two-qubit gates of synthesise for a matrix on `qubits` (1 to 15) qubits:
/// (23 / 48) 4^k - (3 / 2) 2^k + 4 / 3, that is 0, 3, 20, 100, 444, 1868, ...
int two_qubit_gates(int qubits);
/// For a real orthogonal matrix of determinant 1 on two qubits it is 2; on others the same.
int two_qubit_gates_of_rotation(int qubits);

/// The product of gates as a matrix on `qubits` sites.
SquareMatrix product_of(const Step& gates, int qubits);

}  // namespace rankine::circuit
