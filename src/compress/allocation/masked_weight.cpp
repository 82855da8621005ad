#include "compress/allocation/masked_weight.hpp"

#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"
#include "weights/rows/row_lookup.hpp"

namespace rankine::compress {

using torch::Tensor;

MaskedWeight::MaskedWeight(const parallel::Communicator& team, weights::RowSplit split,
                           weights::FactorRows factors)
    : team_(team),
      split_(std::move(split)),
      factors_(std::move(factors)),
      mask_(torch::ones({factors_.right_split.total()}, torch::kFloat64)) {}

Tensor MaskedWeight::forward(const Tensor& x) const {
  // Each rank goes on with rows of the left factor of its own.
  const Tensor middle = weights::gather_columns(team_, weights::times_transposed(x, factors_.right),
                                                factors_.right_split, weights::Gradient::shares);
  const Tensor mask = weights::share_input(team_, mask_).to(middle.scalar_type());
  return weights::times_transposed(middle * mask, factors_.left);
}

Tensor MaskedWeight::own_rows() const {
  const Tensor mask = mask_.detach().to(factors_.left.scalar_type());
  return weights::multiply(team_, {factors_.left * mask, factors_.right, factors_.right_split});
}

Tensor MaskedWeight::look_up(const Tensor& ids) const {
  return weights::look_up_rows(own_rows(), split_.first(team_.rank()), ids);
}

std::int64_t MaskedWeight::stored_bytes() const {
  return stored_numbers() * static_cast<std::int64_t>(mask_.element_size());
}

std::vector<files::TensorPlan> MaskedWeight::plan(const std::string& name,
                                                  files::DataType type) const {
  return {{name + ".weight", type, {outputs(), inputs()}}};
}

void MaskedWeight::write(files::SafetensorsWriter& writer, const std::string& name) const {
  const Tensor values = own_rows().detach().to(torch::kFloat32).contiguous();
  writer.write_rows(name + ".weight", split_.first(team_.rank()),
                    {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
}

void MaskedWeight::set_mask(const std::vector<double>& values) {
  mask_ = torch::tensor(values, torch::kFloat64).requires_grad_(true);
}

std::vector<double> MaskedWeight::mask_gradient() const {
  const Tensor gradient = mask_.grad().contiguous();
  return {gradient.data_ptr<double>(), gradient.data_ptr<double>() + gradient.numel()};
}

}  // namespace rankine::compress
