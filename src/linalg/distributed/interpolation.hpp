// Rows or columns of a distributed matrix that span the others, and the coefficients with which.
//
// Collective over the ranks of the grid. The choice is that of QR with column pivoting (p?geqpf):
// A P = Q [R1 R2], so the other columns are the chosen ones times R1^{-1} R2. NumericalError on all
// ranks when the matrix is not finite.
#pragma once

#include <vector>

#include "linalg/distributed/dist_matrix.hpp"

namespace rankine::linalg {

/// A(:, order) ~ A(:, chosen) [1 C].
template <Scalar T>
struct ColumnInterpolation {
  std::vector<std::int64_t> order;  ///< all n columns of A, the r chosen ones first
  DistMatrix<T> coefficients;       ///< C, r x (n - r); spread in square blocks

  std::int64_t rank() const { return coefficients.rows(); }
};
/// Chooses at most `rank` columns of A (m x n). `a` is consumed and laid out in square blocks. A
/// `rank` beyond the numerical rank is lowered to it.
template <Scalar T>
ColumnInterpolation<T> interpolative_columns(DistMatrix<T> a, std::int64_t rank);

template <Scalar T>
struct InterpolativeDecomposition {
  std::vector<std::int64_t> rows;  ///< the r chosen rows of A
  Matrix<T> coefficients;          ///< m x r on every rank: A ~ coefficients * A(rows, :)
};
/// Chooses at most `rank` rows of A (m x n) likewise.
template <Scalar T>
InterpolativeDecomposition<T> interpolative_rows(DistView<const T> a, std::int64_t rank);

}  // namespace rankine::linalg
