// A frozen weight with a product of two thin factors beside it: LoRA.
#pragma once

#include <memory>

#include "weights/forms/weight.hpp"

namespace rankine::weights {

/// W' = W + B A, W in any form; a scale is a part of B. B ("update.left", outputs x r) lies in the
/// row blocks of W; A ("update.right", r x inputs) is the same on all ranks, each of which has all
/// of its gradient.
class Updated final : public Weight {
 public:
  Updated(std::shared_ptr<Weight> base, torch::Tensor own_left, torch::Tensor right);

  Form form() const override { return Form::updated; }
  /// Of the update.
  std::int64_t kept_rank() const override { return right_.size(0); }
  std::int64_t inputs() const override { return base_->inputs(); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  /// The merged matrix.
  torch::Tensor own_rows() const override;
  std::vector<Parameter> parameters() const override;

  std::shared_ptr<Weight> base() const override { return base_; }
  const torch::Tensor& own_left() const { return left_; }
  const torch::Tensor& right() const { return right_; }

 private:
  std::shared_ptr<Weight> base_;
  torch::Tensor left_;
  torch::Tensor right_;
};

std::unique_ptr<Weight> read_updated(std::shared_ptr<Weight> base, const DenseSource& source,
                                     const StoredTensors& tensors);

}  // namespace rankine::weights
