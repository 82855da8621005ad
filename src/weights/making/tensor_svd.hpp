// The door to singular value decompositions, linalg::svd, for tensors on one rank.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace rankine::weights {

/// A ~ u diag(values) v: m x rank, rank, rank x n, float64.
struct TensorSvd {
  torch::Tensor u;
  torch::Tensor values;  ///< descending
  torch::Tensor v;
};

/// The leading `max_rank` triplets of a float64 matrix with rows and columns. Throws
/// NumericalError: it is not finite.
TensorSvd leading_triplets(const torch::Tensor& a, std::int64_t max_rank);

}  // namespace rankine::weights
