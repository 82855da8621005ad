// The weighted singular value decomposition of one matrix that is whole on a rank.
#pragma once

#include <torch/types.h>

#include <vector>

namespace rankine::compress {

/// W (m x n) ~ left[:, :r] right[:r, :] for every r.
struct WeightedComponents {
  torch::Tensor left;                   ///< m x k, R^{-T} U
  torch::Tensor right;                  ///< k x n, U^T R^T W
  std::vector<double> singular_values;  ///< k, descending
};

/// The norm of an error E of one matrix, ||R^T E L||_F with L L^T = G.
struct MatrixNorm {
  torch::Tensor inputs;   ///< G: n x n; its diagonal: n; or undefined for 1. float64
  torch::Tensor outputs;  ///< R: m x m, lower triangular; or undefined for 1. float64
};

/// With R^T W L = U S V^T. float64: a singular value decomposition. float32: the eigenvectors of
/// A A^T = (R^T W) G (R^T W)^T in float64, which need no factor of G; a W with more rows than
/// columns is first reduced by a QR decomposition. Singular values below about 1e-8 of the largest
/// are rounding then, as they are below 1e-7 in a decomposition in float32. Results are of `type`.
/// Throws NumericalError.
WeightedComponents weighted_svd(const torch::Tensor& w, const MatrixNorm& norm,
                                torch::ScalarType type);

/// L (n x rank) with L L^T = `moment` (n x n, positive semidefinite, float64), by pivoted Cholesky.
torch::Tensor factor_of_moment(const torch::Tensor& moment);

}  // namespace rankine::compress
