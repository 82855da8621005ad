#include "weights/making/ridge.hpp"

#include <algorithm>
#include <limits>

namespace rankine::weights {

double ridge_above_rounding(double wanted, std::int64_t n, torch::ScalarType type) {
  const double eps = type == torch::kFloat64 ? std::numeric_limits<double>::epsilon()
                                             : std::numeric_limits<float>::epsilon();
  return std::max(wanted, 4 * eps * static_cast<double>(n));
}

namespace {

torch::Tensor diagonal_of(const torch::Tensor& moment) {
  return moment.dim() == 1 ? moment : moment.diagonal();
}

}  // namespace

void add_ridge(const torch::Tensor& moment, double part) {
  const torch::Tensor diagonal = diagonal_of(moment);
  diagonal.add_(part * diagonal.mean().item<double>());
}

torch::Tensor damped_inverse(const torch::Tensor& matrix) {
  const double ridge = 1e-6 * matrix.diagonal().mean().item<double>() + 1e-300;
  return at::cholesky_inverse(
      at::linalg_cholesky(matrix + ridge * torch::eye(matrix.size(0), matrix.options())));
}

bool is_zero(const torch::Tensor& moment) { return diagonal_of(moment).sum().item<double>() == 0; }

}  // namespace rankine::weights
