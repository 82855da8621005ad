#include "compress/masked_weight.hpp"

#include "weights/dense.hpp"
#include "weights/product.hpp"

namespace rankine::compress {

using torch::Tensor;

MaskedWeight::MaskedWeight(const parallel::Communicator& team, weights::RowSplit split,
                           Tensor own_left, Tensor right)
    : rank_(team.rank()),
      split_(std::move(split)),
      left_(std::move(own_left)),
      right_(std::move(right)),
      mask_(torch::ones({right_.size(0)}, right_.options())) {}

Tensor MaskedWeight::forward(const Tensor& x) const {
  return weights::times_transposed(weights::times_transposed(x, right_) * mask_, left_);
}

Tensor MaskedWeight::own_rows() const { return (left_ * mask_).matmul(right_); }

Tensor MaskedWeight::look_up(const Tensor& ids) const {
  const std::int64_t first = split_.first(rank_), count = split_.count(rank_);
  if (count == 0) return torch::zeros({ids.size(0), inputs()}, right_.options());
  const Tensor local = ids - first;
  const Tensor owned = local.ge(0).logical_and(local.lt(count)).to(right_.scalar_type());
  return own_rows().index_select(0, local.clamp(0, count - 1)) * owned.unsqueeze(1);
}

std::int64_t MaskedWeight::stored_bytes() const {
  return stored_numbers() * static_cast<std::int64_t>(right_.element_size());
}

std::vector<files::TensorPlan> MaskedWeight::plan(const std::string& name,
                                                  files::DataType type) const {
  return {{name + ".weight", type, {outputs(), inputs()}}};
}

void MaskedWeight::write(files::SafetensorsWriter& writer, const std::string& name) const {
  const Tensor values = own_rows().detach().to(torch::kFloat32).contiguous();
  writer.write_rows(name + ".weight", split_.first(rank_),
                    {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
}

void MaskedWeight::set_mask(const std::vector<double>& values) {
  mask_ = torch::tensor(values, torch::kFloat64).to(right_.scalar_type()).requires_grad_(true);
}

std::vector<double> MaskedWeight::own_mask_gradient() const {
  if (!mask_.grad().defined()) return std::vector<double>(components(), 0.0);
  const Tensor gradient = mask_.grad().to(torch::kFloat64).contiguous();
  return {gradient.data_ptr<double>(), gradient.data_ptr<double>() + gradient.numel()};
}

}  // namespace rankine::compress
