// A product of two thin factors with its gauge fixed (PivGa, arXiv:2512.03062).
//
// W = L R of rank r has r rows that span the others: W = P [I; C] B with B = W[p, :] (r x inputs)
// and C = L_rest L_p^{-1} ((outputs - r) x r). That is r (outputs + inputs) - r^2 numbers, r^2 less
// than L and R, and never more than the dense matrix; nothing is lost but rounding. The pivot rows
// p come from a rank-revealing QR of L^T, which keeps |C| near 1 (weights/making/gauge_fixing.hpp).
#pragma once

#include <memory>
#include <vector>

#include "weights/forms/weight.hpp"
#include "weights/rows/factor_rows.hpp"

namespace rankine::weights {

/// Each rank keeps the rows of B and of C that are rows of W it owns.
class Pivoted final : public Weight {
 public:
  /// `pivots`: the r chosen rows of W, ascending, on every rank. `own_basis`: B in the pivots among
  /// this rank's rows; `own_coefficients`: C in its other rows.
  Pivoted(const parallel::Communicator& team, RowSplit split, std::vector<std::int64_t> pivots,
          torch::Tensor own_basis, torch::Tensor own_coefficients);

  Form form() const override { return Form::pivoted; }
  std::int64_t kept_rank() const override { return basis_split_.total(); }
  std::int64_t inputs() const override { return basis_.size(1); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  torch::Tensor own_rows() const override;
  std::vector<Parameter> parameters() const override;
  std::vector<Parameter> indices() const override;

  /// [I; C] in the order of W's rows, and B.
  FactorRows factors() const;

 private:
  torch::Tensor coefficient_rows() const;

  std::vector<std::int64_t> pivots_;
  RowSplit basis_split_;
  RowSplit rest_split_;
  torch::Tensor order_;  ///< where each own row stands in [own pivots, own others]
  torch::Tensor basis_;
  torch::Tensor coefficients_;
};

/// Which of the rows [0, rows) the ranks own are pivots, counted per rank.
RowSplit split_of_pivots(const RowSplit& rows, const std::vector<std::int64_t>& pivots);

std::unique_ptr<Weight> read_pivoted(const parallel::Communicator& team, const DenseSource& source,
                                     const StoredTensors& tensors);

/// The tensor "pivots" of a weight in files: `kept_rank` ascending numbers of rows or columns below
/// `end`.
std::vector<std::int64_t> read_pivots(const StoredTensors& tensors, std::int64_t kept_rank,
                                      std::int64_t end);

}  // namespace rankine::weights
