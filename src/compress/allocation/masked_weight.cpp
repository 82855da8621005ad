#include "compress/allocation/masked_weight.hpp"

#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"

namespace rankine::compress {

using torch::Tensor;

MaskedWeight::MaskedWeight(const parallel::Communicator& ranks, weights::RowSplit rows,
                           weights::FactorRows factors)
    : Weight(ranks, std::move(rows)),
      factors_(std::move(factors)),
      mask_(torch::ones({factors_.right_split.total()}, torch::kFloat64)) {}

Tensor MaskedWeight::forward(const Tensor& x) const {
  // Each rank goes on with rows of the left factor of its own.
  const Tensor middle =
      weights::gather_columns(team(), weights::times_transposed(x, factors_.right),
                              factors_.right_split, weights::Gradient::shares);
  const Tensor mask = weights::share_input(team(), mask_).to(middle.scalar_type());
  return weights::times_transposed(middle * mask, factors_.left);
}

Tensor MaskedWeight::own_rows() const {
  const Tensor mask = mask_.detach().to(factors_.left.scalar_type());
  return weights::multiply(team(), {factors_.left * mask, factors_.right, factors_.right_split});
}

void MaskedWeight::set_mask(const std::vector<double>& values) {
  mask_ = torch::tensor(values, torch::kFloat64).requires_grad_(true);
}

std::vector<double> MaskedWeight::mask_gradient() const {
  const Tensor gradient = mask_.grad().contiguous();
  return {gradient.data_ptr<double>(), gradient.data_ptr<double>() + gradient.numel()};
}

}  // namespace rankine::compress
