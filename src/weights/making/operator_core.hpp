// A matrix-product operator of two sites that follows a changing matrix, by block power iteration.
#pragma once

#include <torch/types.h>

#include <vector>

#include "parallel/communicator.hpp"
#include "weights/rotations/gates.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::weights {

/// Which axis of a matrix m x n a rank holds whole: (m x own columns) or its transpose (n x own
/// rows). Own columns and rows come in units of the second leg of their axis, so that each rank has
/// rows of the matrix of the cut.
enum class WholeAxis { rows, columns };

/// M[(i_1 i_2), (j_1 j_2)] = sum_c P[(i_1 j_1), c] Q[c, (i_2 j_2)], the columns of P orthonormal:
/// the projection of a matrix T to the span of P, which is nearly that of its leading singular
/// vectors across the cut. Both are held by every rank, float64. What is said of T holds for its
/// own part on each rank (whole axis x own, contiguous, float32 or float64); all functions that
/// take it are collective over the team.
class OperatorCore {
 public:
  OperatorCore(const parallel::Communicator& team, std::int64_t rows, std::int64_t columns,
               std::int64_t bond_dimension, torch::ScalarType type);

  /// The indices of the axis that is not whole, of each rank.
  const RowSplit& own_rows() const { return own_rows_; }
  const RowSplit& own_columns() const { return own_columns_; }
  std::int64_t bond_dimension() const { return q_.size(0); }

  /// Rounds of P <- orthonormal basis of T Q^T, Q <- P^T T. With T fixed, or changed so that
  /// <T, M> is no smaller, the norm of M never falls.
  void follow(const torch::Tensor& own, WholeAxis whole, int rounds);
  /// The best core of T, and the spectrum of T across the cut. Where the second site is so large
  /// that its matrix would need more memory than the parts of the ranks (`most_exact_columns`), in
  /// rounds until the norm stands still, and without spectrum.
  void converge(const torch::Tensor& own, WholeAxis whole);

  /// ||M|| = <T, M> / ||M|| of the last T.
  double norm() const;
  /// The own part of M.
  torch::Tensor contract(WholeAxis whole) const { return expand(q_, whole); }
  /// The own part of P Q Q^T Q, half the gradient of tr (Q Q^T)^2 / 2 in T: the purity of what M
  /// keeps of T, a convex function.
  torch::Tensor purity_gradient(WholeAxis whole) const;
  /// Squared singular values across the cut of the last T that this converged to, descending, on
  /// every rank; empty where that was in rounds.
  const std::vector<double>& spectrum() const { return spectrum_; }

  /// 1 x m_1 x n_1 x chi and chi x m_2 x n_2 x 1.
  std::vector<torch::Tensor> cores() const;

  static constexpr std::int64_t most_exact_columns = 2048;

 private:
  /// Own rows of the matrix of the cut, (i_1 j_1) x (i_2 j_2).
  torch::Tensor across(const torch::Tensor& own, WholeAxis whole) const;
  torch::Tensor expand(const torch::Tensor& right, WholeAxis whole) const;
  torch::Tensor own_part_of_p(WholeAxis whole) const;
  torch::Tensor basis_of(const torch::Tensor& columns) const;
  void diagonalise(const torch::Tensor& cut);

  const parallel::Communicator* team_;
  CutLegs rows_, columns_;
  RowSplit own_rows_, own_columns_;
  torch::ScalarType type_;
  torch::Tensor p_;  ///< m_1 x n_1 x chi
  torch::Tensor q_;  ///< chi x (m_2 n_2)
  std::vector<double> spectrum_;
};

}  // namespace rankine::weights
