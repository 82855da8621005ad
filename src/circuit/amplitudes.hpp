// Amplitudes of qubits in one vector: gates on some of the bits of its index.
#pragma once

#include <span>

#include "circuit/gate.hpp"

namespace rankine::circuit {

/// The gate, of qubits, on amplitudes whose index has site s as its bit `first_bit` + s.
void apply_gate(const Gate& gate, std::span<Complex> amplitudes, int first_bit = 0);
/// The same with the complex conjugate of the gate.
void apply_conjugate_gate(const Gate& gate, std::span<Complex> amplitudes, int first_bit = 0);

}  // namespace rankine::circuit
