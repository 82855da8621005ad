#include "weights/making/ridge.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/errors.hpp"

namespace rankine::weights {

using torch::Tensor;

double ridge_above_rounding(double wanted, std::int64_t n, torch::ScalarType type) {
  const double eps = type == torch::kFloat64 ? std::numeric_limits<double>::epsilon()
                                             : std::numeric_limits<float>::epsilon();
  return std::max(wanted, 4 * eps * static_cast<double>(n));
}

namespace {

Tensor diagonal_of(const Tensor& moment) { return moment.dim() == 1 ? moment : moment.diagonal(); }

}  // namespace

Tensor add_ridge(const Tensor& moment, double part) {
  const Tensor diagonal = diagonal_of(moment);
  const double mean = diagonal.mean().item<double>();
  diagonal.add_(part * mean);
  if (moment.dim() == 1) return {};
  for (double there = part; there <= std::max(part, 1.0); there *= 10) {
    auto [factor, failed_minor] = at::linalg_cholesky_ex(moment);
    // Not every LAPACK says that it failed on a NaN, but none leaves a finite diagonal.
    if (failed_minor.item<int>() == 0 && std::isfinite(factor.diagonal().sum().item<double>()))
      return factor;
    diagonal.add_(9 * there * mean);
  }
  throw NumericalError(
      "a second moment of inputs or gradients is not that of finite numbers. Check the model and "
      "the calibration data.");
}

Tensor made_positive(const Tensor& moment, double wanted, torch::ScalarType type) {
  if (is_zero(moment)) return {};
  add_ridge(moment, ridge_above_rounding(wanted, moment.size(0), type));
  return moment;
}

Tensor damped_inverse(const Tensor& matrix) {
  const double ridge = 1e-6 * matrix.diagonal().mean().item<double>() + 1e-300;
  return at::cholesky_inverse(
      at::linalg_cholesky(matrix + ridge * torch::eye(matrix.size(0), matrix.options())));
}

bool is_zero(const Tensor& moment) { return diagonal_of(moment).sum().item<double>() == 0; }

}  // namespace rankine::weights
