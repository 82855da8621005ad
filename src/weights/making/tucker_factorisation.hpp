// A kernel in Tucker form in the plain norm, and what is done to its factors alone.
#pragma once

#include <torch/types.h>

#include "weights/forms/tucker.hpp"

namespace rankine::weights {

/// The higher-order SVD: factors are the leading singular vectors of the kernel's unfoldings,
/// orthonormal, each for itself (De Lathauwer et al., SIAM J. Matrix Anal. Appl. 21 (2000) 1253).
/// `kernel` is O x I x kh x kw, finite; the factors are float64. An axis whose rank is its length
/// has no factor. No rank is larger than its axis.
TuckerFactors hosvd(const torch::Tensor& kernel, const TuckerRanks& ranks);

/// From there each factor anew for what the others leave, in turn: every one lowers the error,
/// until a sweep gains next to nothing or `sweeps` are done.
TuckerFactors hooi(const torch::Tensor& kernel, const TuckerRanks& ranks, int sweeps = 20);

/// ||K - K'||^2.
double squared_distance(const torch::Tensor& kernel, const TuckerFactors& factors);

/// Eigenvectors of the largest eigenvalues of a symmetric matrix, n x `count`, the largest first.
torch::Tensor leading_eigenvectors(const torch::Tensor& matrix, std::int64_t count);

/// The kernel with `axis` first, as a matrix.
torch::Tensor unfolded(const torch::Tensor& kernel, std::int64_t axis);

}  // namespace rankine::weights
