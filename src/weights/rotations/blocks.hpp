// Small square blocks that act on groups of indices of one axis: what circuits beside a weight are
// made of.
#pragma once

#include <torch/types.h>

#include <vector>

#include "weights/rotations/block_layout.hpp"

namespace rankine::weights {

/// Blocks on the groups of the last axis of x (rows x width): y_g = B_g x_g in every row. `blocks`
/// is groups x size x size in the order (o, s), s fastest, or 1 x size x size for one block that
/// acts on all groups (a gate). Any extent but the size may be 0. Differentiable in both.
torch::Tensor apply_blocks(const torch::Tensor& x, const torch::Tensor& blocks,
                           const BlockLayout& layout);

/// The same on the first axis of x (width x columns).
torch::Tensor apply_blocks_to_rows(const torch::Tensor& x, const torch::Tensor& blocks,
                                   const BlockLayout& layout);

/// One layer of a circuit.
struct BlockLayer {
  BlockLayout layout;
  torch::Tensor blocks;
};
/// C = C_L ... C_1: layers in the order in which they act, on one axis.
using BlockCircuit = std::vector<BlockLayer>;

/// x C^T: each row of x (rows x width) through the circuit.
torch::Tensor apply_circuit(const BlockCircuit& circuit, torch::Tensor x);
/// x C: each row through the transposed circuit, which undoes one of orthogonal blocks.
torch::Tensor apply_transposed_circuit(const BlockCircuit& circuit, torch::Tensor x);
/// C x and C^T x, x of width x columns.
torch::Tensor apply_circuit_to_rows(const BlockCircuit& circuit, torch::Tensor x);
torch::Tensor apply_transposed_circuit_to_rows(const BlockCircuit& circuit, torch::Tensor x);

}  // namespace rankine::weights
