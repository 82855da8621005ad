#include "circuit/block_noise.hpp"

#include <cmath>

#include "circuit/noisy_circuit.hpp"
#include "circuit/synthesis.hpp"
#include "core/contracts.hpp"

namespace rankine::circuit {

namespace {

/// The factor by which one gate's noise shrinks what is no multiple of the identity, averaged over
/// all places it can have in a random circuit: 15 of 16 Pauli errors are none of the identity.
double kept_by_gate(double error_rate, double size) {
  return 1 - 15.0 / 16.0 * error_rate * size * size / (size * size - 1);
}

}  // namespace

BlockReadout read_block(int qubits, double error_rate, double readout_error, std::int64_t shots) {
  RANKINE_EXPECTS(error_rate >= 0 && error_rate <= 1, "an error rate is a probability");
  RANKINE_EXPECTS(readout_error >= 0 && readout_error <= 0.5, "more errors than hits");
  RANKINE_EXPECTS(shots >= 0, "shots are counted");
  BlockReadout readout{qubits, two_qubit_gates_of_rotation(qubits)};
  const double size = std::ldexp(1.0, qubits);
  if (readout.two_qubit_gates > 0) {
    const double kept = std::pow(kept_by_gate(error_rate, size), readout.two_qubit_gates);
    readout.contrast = kept + (1 - kept) / size;
  }
  readout.contrast *= (1 - 2 * readout_error) * std::pow(1 - readout_error, qubits);
  if (shots > 0)
    readout.deviation =
        std::sqrt((1 - readout.contrast * readout.contrast / size) / static_cast<double>(shots));
  return readout;
}

std::vector<double> noisy_row(const SquareMatrix& rotation, const Step& gates, double error_rate,
                              int row) {
  // The noise of two qubits commutes with every gate on them, so the adjoint of the noisy circuit
  // is the noisy circuit of the inverse.
  Step inverse;
  for (auto gate = gates.rbegin(); gate != gates.rend(); ++gate)
    inverse.push_back({adjoint(*gate->op), gate->sites});
  SquareMatrix outcome(rotation.size());
  outcome(row, row) = 1;
  outcome = run_noisy(inverse, error_rate, std::move(outcome));
  std::vector<double> noisy(static_cast<std::size_t>(rotation.size()));
  for (int column = 0; column < rotation.size(); ++column)
    for (int m = 0; m < rotation.size(); ++m)
      noisy[column] += (rotation(row, m) * outcome(m, column)).real();
  return noisy;
}

}  // namespace rankine::circuit
