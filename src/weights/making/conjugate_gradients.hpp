// Conjugate gradients on an error that is quadratic in a tensor, without its normal matrix.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace rankine::weights {

/// ||target - A x||^2 with its normal operator N = A^T A.
class QuadraticError {
 public:
  virtual ~QuadraticError() = default;
  /// N times a direction.
  virtual torch::Tensor image(const torch::Tensor& direction) = 0;
  /// An approximate inverse of N.
  virtual torch::Tensor precondition(const torch::Tensor& residual) const = 0;
  /// x has moved by `length` times the last direction.
  virtual void moved(double /*length*/) {}
};

struct DescentLimits {
  int steps = 24;
  /// A step that lowers the error by less than this part of it is the last one.
  double smallest_gain = 2e-3;
  /// Numbers that directions which were taken may occupy.
  std::int64_t room = 0;
};

/// Lowers `squared_error` from x, where `residual` is A^T (target - A x), and returns the new x.
/// Every step lowers it, wherever they end. All tensors are float64.
torch::Tensor lower_error(QuadraticError& error, torch::Tensor x, torch::Tensor residual,
                          const DescentLimits& limits, double& squared_error);

}  // namespace rankine::weights
