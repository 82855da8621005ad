#include "weights/making/orthonormal_factors.hpp"

#include <cmath>

#include "core/contracts.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// Lower L of a symmetric positive matrix G = L L^T; nothing where G is singular to working
/// precision.
Tensor lower_factor(const Tensor& gram) {
  const std::int64_t n = gram.size(0);
  Tensor lower = torch::zeros_like(gram);
  auto g = gram.accessor<double, 2>();
  auto l = lower.accessor<double, 2>();
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = j; i < n; ++i) {
      double rest = g[i][j];
      for (std::int64_t k = 0; k < j; ++k) rest -= l[i][k] * l[j][k];
      if (i > j)
        l[i][j] = rest / l[j][j];
      else if (!(rest > 1e-12 * g[j][j]))
        return {};
      else
        l[j][j] = std::sqrt(rest);
    }
  return lower;
}

/// The factor of `axis` of the core.
void orthonormalise(const Tensor& factor, const Tensor& core, std::int64_t axis) {
  if (!factor.defined()) return;
  const Tensor columns = factor.to(torch::kFloat64);
  const Tensor lower = lower_factor(columns.t().matmul(columns).contiguous());
  if (!lower.defined()) return;
  // Q = F L^{-T}, R = L^T.
  const Tensor q = at::linalg_solve_triangular(lower, columns.t(), false).t();
  Tensor(factor).copy_(q);
  Tensor(core).copy_(
      torch::tensordot(lower.t(), core.to(torch::kFloat64), {1}, {axis}).movedim(0, axis));
}

}  // namespace

void orthonormalise(const Tucker& kernel) {
  const torch::NoGradGuard no_gradients;
  const TuckerFactors& factors = kernel.factors();
  RANKINE_EXPECTS(!factors.output.defined() || factors.output.size(0) == kernel.outputs(),
                  "one rank owns all rows");
  orthonormalise(factors.output, factors.core, 0);
  orthonormalise(factors.input, factors.core, 1);
  orthonormalise(factors.height, factors.core, 2);
  orthonormalise(factors.width, factors.core, 3);
}

}  // namespace rankine::weights
