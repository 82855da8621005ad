// Blocks of a circuit as a quantum computer would apply them: with less contrast, and amplitudes
// read with an error.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "weights/rotations/blocks.hpp"

namespace rankine::weights {

/// What a group x_g becomes: contrast B_g x_g + deviation |x_g| n, n standard normal numbers, one
/// for each amplitude.
struct BlockNoise {
  double contrast = 1;
  double deviation = 0;
  std::uint64_t seed = 0;
};

/// apply_circuit with the noise in every layer, for orthogonal blocks. The numbers are those of
/// seed and `call`, the same on all ranks. Without gradients.
torch::Tensor apply_noisy_circuit(const BlockCircuit& circuit, torch::Tensor x,
                                  const BlockNoise& noise, std::uint64_t call);

}  // namespace rankine::weights
