// A kernel in Tucker form in the norm of second moments: alternating least squares, and the errors
// that ranks would have.
//
// With Sigma = S S^T the second moment of the patches and C = R R^T that of the output gradients,
// the error of W' (outputs x (inputs kh kw)) is ||R^T (W - W') S||_F. While the factors of the
// inputs are held, the factor of the outputs and the core follow in closed form (reduced-rank
// regression); while those are held, a factor of the inputs is a linear problem, which conjugate
// gradients with products by Sigma lower without ever forming its matrix.
#pragma once

#include <torch/types.h>

#include <vector>

#include "weights/forms/tucker.hpp"
#include "weights/making/moment_norm.hpp"

namespace rankine::weights {

struct TuckerFit {
  TuckerFactors factors;  ///< orthonormal, float64; none where a rank is the length of its axis
  /// Squared errors in the norm after the start and after each sweep; none is above the one
  /// before it, but for rounding.
  std::vector<double> errors;

  double error() const { return errors.back(); }
};

/// What all fits of a kernel share.
struct WeightedMatrix {
  KernelShape shape;
  torch::Tensor matrix;     ///< W, float64
  MomentNorm norm;          ///< positive definite, float64
  torch::Tensor patches;    ///< Sigma as conjugate gradients multiply by it
  torch::Tensor root;       ///< R, lower triangular; undefined for the identity
  torch::Tensor weighed;    ///< W Sigma
  double squared_norm = 0;  ///< of W in the norm
};

/// A kernel and its norm. On one rank.
class WeightedKernel {
 public:
  /// `kernel` (O x I x kh x kw) is finite. Moments are positive definite (ridge.hpp) and sums of
  /// products of the type `products`: conjugate gradients are no more exact than these.
  WeightedKernel(const torch::Tensor& kernel, const MomentNorm& norm,
                 torch::ScalarType products = torch::kFloat64);

  const KernelShape& shape() const { return kernel_.shape; }
  /// The squared error of leaving the kernel out.
  double squared_norm() const { return kernel_.squared_norm; }
  /// That of another kernel of this shape, given as its matrix.
  double squared_error(const torch::Tensor& matrix) const;

  /// No rank is below 1 or above the length of its axis. `sweeps` at most: fewer once one of them
  /// gains next to nothing.
  TuckerFit fit(const TuckerRanks& ranks, int sweeps = 8) const;

  /// Squared errors (float64), a row for each of `input_ranks`, which rise, and a column for each
  /// output rank from 0 to O; height and width are whole. The bases of the inputs are nested, which
  /// a fit for the very ranks improves: these are upper bounds.
  torch::Tensor errors(const std::vector<std::int64_t>& input_ranks) const;

 private:
  WeightedMatrix kernel_;
};

}  // namespace rankine::weights
