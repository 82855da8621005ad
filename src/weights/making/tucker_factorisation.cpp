#include "weights/making/tucker_factorisation.hpp"

#include <array>

#include "core/contracts.hpp"
#include "weights/rows/axis_product.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// A sweep that keeps less than this part of the kernel's square in addition is the last one.
constexpr double smallest_share = 1e-9;

/// One for each axis, undefined where it is the identity.
using AxisFactors = std::array<Tensor, 4>;

TuckerFactors with_core(const Tensor& core, const AxisFactors& factors) {
  return {core.contiguous(), factors[0], factors[1], factors[2], factors[3]};
}

/// The kernel in the bases of all factors but that of `axis`; of all for -1.
Tensor projected(Tensor kernel, const AxisFactors& factors, std::int64_t axis) {
  for (std::int64_t other = 0; other < 4; ++other)
    if (const Tensor& factor = factors[static_cast<std::size_t>(other)];
        other != axis && factor.defined())
      kernel = along_axis(kernel, other, factor.t());
  return kernel;
}

Tensor leading_basis(const Tensor& kernel, std::int64_t axis, std::int64_t rank) {
  const Tensor rows = unfolded(kernel, axis);
  return leading_eigenvectors(times_transposed(rows, rows), rank);
}

std::array<std::int64_t, 4> checked([[maybe_unused]] const Tensor& kernel,
                                    const TuckerRanks& ranks) {
  RANKINE_EXPECTS(kernel.dim() == 4, "a kernel has four axes");
  const std::array all{ranks.output, ranks.input, ranks.height, ranks.width};
  for (std::int64_t axis = 0; axis < 4; ++axis)
    RANKINE_EXPECTS(all[static_cast<std::size_t>(axis)] >= 1 &&
                        all[static_cast<std::size_t>(axis)] <= kernel.size(axis),
                    "no rank is larger than its axis");
  return all;
}

/// The HOSVD's factors where axes are cut.
AxisFactors first_factors(const Tensor& kernel, const std::array<std::int64_t, 4>& ranks) {
  AxisFactors factors;
  for (std::size_t axis = 0; axis < 4; ++axis)
    if (const auto a = static_cast<std::int64_t>(axis); ranks[axis] < kernel.size(a))
      factors[axis] = leading_basis(kernel, a, ranks[axis]);
  return factors;
}

}  // namespace

Tensor unfolded(const Tensor& kernel, std::int64_t axis) {
  return kernel.movedim(axis, 0).flatten(1).contiguous();
}

Tensor leading_eigenvectors(const Tensor& matrix, std::int64_t count) {
  const Tensor vectors = std::get<1>(at::linalg_eigh(matrix));
  return vectors.flip(1).narrow(1, 0, count).contiguous();
}

TuckerFactors hosvd(const Tensor& kernel, const TuckerRanks& ranks) {
  const Tensor exact = kernel.detach().to(torch::kFloat64);
  const AxisFactors factors = first_factors(exact, checked(exact, ranks));
  return with_core(projected(exact, factors, -1), factors);
}

TuckerFactors hooi(const Tensor& kernel, const TuckerRanks& ranks, int sweeps) {
  const torch::NoGradGuard no_gradients;
  const Tensor exact = kernel.detach().to(torch::kFloat64);
  const auto wanted = checked(exact, ranks);
  AxisFactors factors = first_factors(exact, wanted);
  const double whole = exact.square().sum().item<double>();
  double kept = 0;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    const double before = kept;
    for (std::size_t axis = 0; axis < 4; ++axis) {
      if (!factors[axis].defined()) continue;
      const auto a = static_cast<std::int64_t>(axis);
      const Tensor rest = projected(exact, factors, a);
      factors[axis] = leading_basis(rest, a, wanted[axis]);
      kept = along_axis(rest, a, factors[axis].t()).square().sum().item<double>();
    }
    if (!(kept - before > smallest_share * whole)) break;
  }
  return with_core(projected(exact, factors, -1), factors);
}

double squared_distance(const Tensor& kernel, const TuckerFactors& factors) {
  return (kernel.to(torch::kFloat64).flatten(1) - contract(factors)).square().sum().item<double>();
}

}  // namespace rankine::weights
