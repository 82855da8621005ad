// Circuits of qubits whose gates on two qubits are followed by depolarising noise:
// rho -> (1 - p) rho + p (I/4 on both qubits) x (trace of rho over them).
#pragma once

#include <vector>

#include "circuit/circuit.hpp"
#include "circuit/square_matrix.hpp"
#include "core/random_stream.hpp"

namespace rankine::circuit {

/// What the gates and their noise make of a matrix on the qubits: of a density matrix, or of any
/// other, as the map is linear. Site s is bit s of its index.
SquareMatrix run_noisy(const Step& gates, double error_rate, SquareMatrix matrix);

/// One trajectory of a pure state through the same noise: with probability p a random one of the 16
/// products of Pauli matrices (the identity among them) acts after a gate on two qubits. The mean
/// of |psi><psi| over trajectories is what run_noisy gives.
std::vector<Complex> run_trajectory(const Step& gates, double error_rate,
                                    std::vector<Complex> amplitudes, RandomStream& random);

}  // namespace rankine::circuit
