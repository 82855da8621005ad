// What a noisy quantum circuit makes of a block of neighbouring activations: how many gates it
// takes, how much of the rotated amplitudes is left, and how they scatter as they are read.
// docs/algorithms/adapters.md derives it.
#pragma once

#include <cstdint>

namespace rankine::circuit {

/// Qubits whose amplitudes hold a block: the smallest k with 2^k >= block. `block` is at least 1.
int block_qubits(std::int64_t block);

/// Gates on two qubits of an orthogonal matrix of determinant 1 on 1 to 15 qubits, by quantum
/// Shannon decomposition: 0, 2, 20, 100, 444, 1868, ...
int block_gates(int qubits);

/// A block x, rotated by R on the device, comes back as contrast R x + deviation |x| z with
/// standard normal numbers z, one for each amplitude.
struct BlockReadout {
  int qubits = 0;
  int two_qubit_gates = 0;
  double contrast = 1;
  double deviation = 0;
};

/// `error_rate` in [0, 1]: depolarising noise after every gate on two qubits; `readout_error` in
/// [0, 1/2]: how often the qubit that carries the sign is read wrongly; `shots` for each block and
/// vector, 0 for infinitely many.
BlockReadout read_block(int qubits, double error_rate, double readout_error, std::int64_t shots);

}  // namespace rankine::circuit
