// Circuits of gates on neighbouring legs of an axis, as disentanglers are made of.
//
// An axis of 2^n q indices, q odd, has legs of length 2, the fastest n of them, and one of length
// q, the slowest, which gates include or leave alone.
#pragma once

#include <torch/types.h>

#include <vector>

#include "weights/rotations/blocks.hpp"
#include "weights/rotations/brickwork.hpp"

namespace rankine::weights {

/// Orthogonal gates by generators and signs (weights/rotations/cayley.hpp), one after the other.
struct GateCircuit {
  std::vector<BlockLayout> layouts;
  torch::Tensor generators;  ///< gate_numbers(layouts)
  torch::Tensor signs;       ///< as many as the gates have rows, uint8: 1 for -1

  /// Differentiable in the generators.
  BlockCircuit circuit() const;
};

/// `gates` are orthogonal, float64; generators are of `type`.
GateCircuit circuit_of(std::vector<BlockLayout> layouts, const std::vector<torch::Tensor>& gates,
                       torch::ScalarType type);

}  // namespace rankine::weights
