// The one matrix product of the layers, x W^T, with its gradients, and products of plain numbers.
#pragma once

#include <torch/types.h>

namespace rankine::weights {

/// x (tokens x inputs) times the transpose of w (outputs x inputs): tokens x outputs. Both are
/// float32 or both float64; any extent may be 0. Differentiable in both.
///
/// The threads of OpenMP share the larger side of the result, each with a single-threaded BLAS
/// call: on few cores that is faster than a threaded BLAS beside OpenMP loops, whose idle threads
/// spin.
torch::Tensor times_transposed(const torch::Tensor& x, const torch::Tensor& w);

/// x y and x^T y, shared by the threads in the same way; not differentiable, nothing is transposed
/// in memory.
torch::Tensor times(const torch::Tensor& x, const torch::Tensor& y);
torch::Tensor transposed_times(const torch::Tensor& x, const torch::Tensor& y);

}  // namespace rankine::weights
