#include "compress/calibration/counted_gradients.hpp"

#include <cmath>
#include <cstdint>

namespace rankine::compress {

using torch::Tensor;

namespace {

/// Rows x 1: 1 for norms within their bounds.
Tensor factors_within(const Tensor& gradients, double clip) {
  const Tensor norms = gradients.norm(2, {1}, true, torch::kFloat64);
  const Tensor is_one = norms > 1e-10 * norms.max();
  const Tensor mean = norms.masked_select(is_one).mean();
  const Tensor wanted = torch::minimum(torch::maximum(norms, mean / clip), mean * clip);
  return torch::where(is_one, wanted / norms, torch::ones_like(norms));
}

}  // namespace

Tensor counted_gradients(const Tensor& gradients, const LossGradients& how) {
  if (how.are_all_alike()) return gradients;
  const std::int64_t rows = gradients.size(0);
  const auto trimmed = static_cast<std::int64_t>(std::floor(how.trim * static_cast<double>(rows)));
  const Tensor middle = gradients.narrow(0, trimmed, rows - 2 * trimmed);
  Tensor counted = torch::zeros_like(gradients);
  counted.narrow(0, trimmed, middle.size(0))
      .copy_(how.clip > 0 ? middle * factors_within(middle, how.clip) : middle);
  return counted;
}

}  // namespace rankine::compress
