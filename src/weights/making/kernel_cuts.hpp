// Kernels truncated along a cut (arXiv:2403.14379): the axes of K[o, i, h, w] fall into two groups,
// and the matrix between them keeps its leading singular triplets. What results is stored dense.
#pragma once

#include <torch/types.h>

#include "weights/making/kernel_cut.hpp"
#include "weights/making/tensor_svd.hpp"

namespace rankine::weights {

/// A kernel decomposed along a cut: every rank follows from one decomposition.
class DecomposedKernel {
 public:
  /// `kernel` (O x I x kh x kw) is finite and has no axis of length 0.
  DecomposedKernel(const torch::Tensor& kernel, KernelCut cut);

  std::int64_t full_rank() const { return svd_.values.size(0); }
  /// O x I x kh x kw in the type of the kernel; 1 <= rank <= full_rank().
  torch::Tensor truncated(std::int64_t rank) const;
  /// 1 - ||K'|| / ||K||; 0 of an all-zero kernel.
  double norm_loss(std::int64_t rank) const;

 private:
  KernelCut cut_;
  std::vector<std::int64_t> folded_;  ///< lengths of the axes in the order of the cut
  torch::ScalarType type_;
  TensorSvd svd_;
};

/// The same for one rank.
torch::Tensor truncate_kernel(const torch::Tensor& kernel, KernelCut cut, std::int64_t rank);

}  // namespace rankine::weights
