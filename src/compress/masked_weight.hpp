// A weight as all its components, each scaled by a mask value: what FermiGrad differentiates.
#pragma once

#include "parallel/communicator.hpp"
#include "weights/weight.hpp"

namespace rankine::compress {

/// W = left diag(mask) right. Never stored; its gradients by the mask are this rank's share.
class MaskedWeight final : public weights::Weight {
 public:
  /// own_left: split.count(rank) x k; right: k x inputs and mask: k, the same on all ranks.
  MaskedWeight(const parallel::Communicator& team, weights::RowSplit split, torch::Tensor own_left,
               torch::Tensor right);

  std::string form() const override { return "masked"; }
  const weights::RowSplit& split() const override { return split_; }
  std::int64_t inputs() const override { return right_.size(1); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  torch::Tensor own_rows() const override;
  std::vector<weights::Parameter> parameters() const override {
    return {{"mask", mask_, weights::Placement::copy, 0, mask_.size(0)}};
  }
  std::int64_t stored_numbers() const override { return outputs() * inputs(); }
  std::int64_t stored_bytes() const override;
  std::vector<files::TensorPlan> plan(const std::string& name, files::DataType type) const override;
  void write(files::SafetensorsWriter& writer, const std::string& name) const override;

  std::size_t components() const { return static_cast<std::size_t>(right_.size(0)); }
  /// Sets the mask anew and forgets its gradient.
  void set_mask(const std::vector<double>& values);
  /// This rank's share of the gradient by the mask.
  std::vector<double> own_mask_gradient() const;

 private:
  int rank_;
  weights::RowSplit split_;
  torch::Tensor left_;
  torch::Tensor right_;
  torch::Tensor mask_;
};

}  // namespace rankine::compress
