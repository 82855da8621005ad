// A product of two thin factors with its gauge fixed by columns: weights/forms/pivoted.hpp for the
// transposed matrix.
//
// W = G [I D] P with G = W[:, q] (outputs x r), the r columns that span the others, and D (r x
// (inputs - r)): as many numbers as with pivot rows. Which of the two is better conditioned differs
// from matrix to matrix.
#pragma once

#include <memory>
#include <vector>

#include "weights/forms/weight.hpp"
#include "weights/rows/factor_rows.hpp"

namespace rankine::weights {

/// G lies in the row blocks of W; the r rows of D are shared evenly. A forward pass gathers the r
/// activations between them.
class ColumnPivoted final : public Weight {
 public:
  /// `pivots`: the r chosen columns of W, ascending, on every rank. `own_columns`: this rank's rows
  /// of G; `own_coefficients`: its rows of D, whose columns are the others, ascending.
  ColumnPivoted(const parallel::Communicator& team, RowSplit split,
                std::vector<std::int64_t> pivots, torch::Tensor own_columns,
                torch::Tensor own_coefficients);

  Form form() const override { return Form::pivoted; }
  std::int64_t kept_rank() const override { return middle_split_.total(); }
  std::int64_t inputs() const override { return kept_rank() + coefficients_.size(1); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  torch::Tensor own_rows() const override;
  std::vector<Parameter> parameters() const override;
  std::vector<Parameter> indices() const override;

  /// G and [I D] P.
  FactorRows factors() const;

 private:
  torch::Tensor own_right() const;
  torch::Tensor whole_right_transposed() const;

  std::vector<std::int64_t> pivots_;
  RowSplit middle_split_;     ///< of the r activations
  torch::Tensor own_pivots_;  ///< the chosen columns of this rank's share
  torch::Tensor others_;      ///< the columns not chosen
  torch::Tensor order_;       ///< where each column stands in [pivots, others]
  torch::Tensor columns_;
  torch::Tensor coefficients_;
};

std::unique_ptr<Weight> read_column_pivoted(const parallel::Communicator& team,
                                            const DenseSource& source,
                                            const StoredTensors& tensors);

}  // namespace rankine::weights
