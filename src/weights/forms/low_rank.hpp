// A weight as a product of two thin factors, W = L R.
#pragma once

#include <memory>

#include "weights/forms/weight.hpp"
#include "weights/rows/factor_rows.hpp"

namespace rankine::weights {

/// L (outputs x r) lies in the row blocks of W; R (r x inputs) in even row blocks. A forward pass
/// gathers the r activations between them.
class LowRank final : public Weight {
 public:
  /// Takes over own rows of both; `right_split` has one share per rank.
  LowRank(const parallel::Communicator& team, RowSplit split, torch::Tensor own_left,
          RowSplit right_split, torch::Tensor own_right);

  Form form() const override { return Form::low_rank; }
  std::int64_t kept_rank() const override { return right_split_.total(); }
  std::int64_t inputs() const override { return right_.size(1); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  torch::Tensor convolve(const torch::Tensor& images, const ConvolutionGeometry& geometry,
                         const torch::Tensor& own_bias) const override;
  torch::Tensor own_rows() const override;
  std::vector<Parameter> parameters() const override;

  /// L and R, which share their memory with the weight.
  FactorRows factors() const { return {left_, right_, right_split_}; }

 private:
  torch::Tensor whole_right_transposed() const;

  RowSplit right_split_;
  torch::Tensor left_;
  torch::Tensor right_;
};

/// Of own rows of both factors: own_left split.count(rank) x r, own_right the rows of this rank in
/// RowSplit::even(r, ranks) of the r x inputs factor; stored as `type` (float32 or float64).
std::unique_ptr<Weight> make_low_rank(const parallel::Communicator& team, const RowSplit& split,
                                      const torch::Tensor& own_left, const torch::Tensor& own_right,
                                      torch::ScalarType type);

std::unique_ptr<Weight> read_low_rank(const parallel::Communicator& team, const DenseSource& source,
                                      const StoredTensors& tensors);

}  // namespace rankine::weights
