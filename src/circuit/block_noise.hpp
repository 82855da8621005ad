// What a noisy quantum circuit makes of a block of neighbouring activations: how much of the
// rotated amplitudes is left, and how they scatter as they are read. The amplitudes, with their
// signs, are the interference with a reference state, docs/algorithms/adapters.md.
#pragma once

#include <cstdint>
#include <vector>

#include "circuit/circuit.hpp"
#include "circuit/square_matrix.hpp"

namespace rankine::circuit {

/// A block x of 2^qubits activations, rotated by R on the device, comes back as contrast R x +
/// deviation |x| z with standard normal numbers z, one for each amplitude.
struct BlockReadout {
  int qubits = 0;
  int two_qubit_gates = 0;  ///< of the rotation
  double contrast = 1;
  double deviation = 0;
};

/// `error_rate` in [0, 1]: depolarising noise after every gate on two qubits, taken together as
/// noise of all qubits; `readout_error` in [0, 1/2]: how often a qubit is read wrongly; `shots` for
/// each block and vector, 0 for infinitely many.
BlockReadout read_block(int qubits, double error_rate, double readout_error, std::int64_t shots);

/// The exact counterpart, by density matrices: what row `row` of a rotation becomes on average over
/// shots without readout errors, when `gates` are its circuit. R is real.
std::vector<double> noisy_row(const SquareMatrix& rotation, const Step& gates, double error_rate,
                              int row);

}  // namespace rankine::circuit
