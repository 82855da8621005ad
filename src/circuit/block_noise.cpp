#include "circuit/block_noise.hpp"

#include <algorithm>
#include <cmath>

#include "core/contracts.hpp"

namespace rankine::circuit {

int block_qubits(std::int64_t block) {
  RANKINE_EXPECTS(block >= 1, "a block holds activations");
  int qubits = 0;
  while ((std::int64_t{1} << qubits) < block) ++qubits;
  return qubits;
}

int block_gates(int qubits) {
  RANKINE_EXPECTS(qubits >= 0 && qubits <= 15, "the count fits an int");
  if (qubits <= 2) return std::max(0, 2 * (qubits - 1));
  const std::int64_t size = std::int64_t{1} << qubits;
  return static_cast<int>((23 * size * size - 72 * size + 64) / 48);
}

BlockReadout read_block(int qubits, double error_rate, double readout_error, std::int64_t shots) {
  RANKINE_EXPECTS(error_rate >= 0 && error_rate <= 1, "an error rate is a probability");
  RANKINE_EXPECTS(readout_error >= 0 && readout_error <= 0.5, "more errors than hits");
  RANKINE_EXPECTS(shots >= 0, "shots are counted");
  BlockReadout readout{qubits, block_gates(qubits)};
  const double size = std::ldexp(1.0, qubits);
  readout.contrast = (1 - 2 * readout_error) * std::pow(1 - error_rate, readout.two_qubit_gates);
  if (shots > 0)
    readout.deviation =
        std::sqrt((1 - readout.contrast * readout.contrast / size) / static_cast<double>(shots));
  return readout;
}

}  // namespace rankine::circuit
