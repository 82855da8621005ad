// A weight as all its components, each scaled by a mask value: what FermiGrad differentiates.
#pragma once

#include "parallel/communicator.hpp"
#include "weights/forms/weight.hpp"
#include "weights/rows/factor_rows.hpp"

namespace rankine::compress {

/// W = left diag(mask) right, whose factors lie in row blocks. Never stored. The mask (k numbers in
/// float64) is the same on all ranks of the team, and so is the gradient by it.
class MaskedWeight final : public weights::Weight {
 public:
  MaskedWeight(const parallel::Communicator& team, weights::RowSplit split,
               weights::FactorRows factors);

  weights::Form form() const override { return weights::Form::low_rank; }
  std::int64_t kept_rank() const override { return factors_.right_split.total(); }
  std::int64_t inputs() const override { return factors_.right.size(1); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor own_rows() const override;
  std::vector<weights::Parameter> parameters() const override {
    return {{"mask", mask_, weights::Placement::copy, 0, mask_.size(0)}};
  }

  std::size_t components() const { return static_cast<std::size_t>(mask_.size(0)); }
  /// Sets the mask anew and forgets its gradient.
  void set_mask(const std::vector<double>& values);
  /// The gradient by the mask, which there is.
  std::vector<double> mask_gradient() const;

 private:
  weights::FactorRows factors_;
  torch::Tensor mask_;
};

}  // namespace rankine::compress
