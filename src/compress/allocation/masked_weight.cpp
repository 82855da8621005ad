#include "compress/allocation/masked_weight.hpp"

#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"

namespace rankine::compress {

using torch::Tensor;

MaskedWeight::MaskedWeight(const parallel::Communicator& ranks, weights::RowSplit rows,
                           weights::FactorRows factors)
    : Weight(ranks, std::move(rows)),
      factors_(std::move(factors)),
      mask_(torch::ones({factors_.right_split.total()}, factors_.right.options())) {}

Tensor MaskedWeight::forward(const Tensor& x) const {
  // Each rank goes on with rows of the left factor of its own.
  const Tensor middle =
      weights::gather_columns(team(), weights::times_transposed(x, factors_.right),
                              factors_.right_split, weights::Gradient::shares);
  return weights::times_transposed(middle * mask_, factors_.left);
}

Tensor MaskedWeight::own_rows() const {
  return weights::multiply(team(),
                           {factors_.left * mask_.detach(), factors_.right, factors_.right_split});
}

void MaskedWeight::set_mask(const std::vector<double>& values) {
  mask_ =
      torch::tensor(values, torch::kFloat64).to(factors_.right.scalar_type()).requires_grad_(true);
}

std::vector<double> MaskedWeight::own_mask_gradient() const {
  if (!mask_.grad().defined()) return std::vector<double>(components(), 0.0);
  const Tensor gradient = mask_.grad().to(torch::kFloat64).contiguous();
  return {gradient.data_ptr<double>(), gradient.data_ptr<double>() + gradient.numel()};
}

}  // namespace rankine::compress
