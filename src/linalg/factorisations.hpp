// The factorisations of small dense matrices that bond updates need, and the one door to a
// truncated SVD.
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace rankine::linalg {

/// What to keep of a singular spectrum: at most `max_rank` values, and no more of them than needed
/// to discard at most `discarded_weight_max` (sum of squares, relative to all of them). At least
/// one value is kept.
struct Truncation {
  std::int64_t max_rank = std::int64_t{1} << 40;
  double discarded_weight_max = 0;
  /// Values at or below this times the largest are dropped in any case.
  double relative_threshold = 0;
};

/// A ~ U diag(singular_values) V^H with the kept triplets.
template <Scalar T>
struct TruncatedSvd {
  Matrix<T> u;                           ///< m x min(m, n); the first `rank` columns are kept
  Matrix<T> vh;                          ///< min(m, n) x n; the first `rank` rows are kept
  std::vector<Real<T>> singular_values;  ///< the kept ones, descending
  double discarded_weight = 0;           ///< exact: discarded / total sum of squares
  std::int64_t rank() const { return std::ssize(singular_values); }
};

/// The truncated singular value decomposition of a dense matrix on one rank, by LAPACK's divide and
/// conquer (QR iteration where that does not converge). `matrix` is consumed. NumericalError:
/// `matrix` is not finite, or LAPACK does not converge.
template <Scalar T>
TruncatedSvd<T> svd(Matrix<T> matrix, const Truncation& truncation);

/// A factor R (rank x n) with R^H R = `gram`, of a positive semidefinite n x n matrix given by its
/// upper triangle, by pivoted Cholesky. Directions below n * eps of the largest pivot are dropped
/// as rounding; the zero matrix has rank 0. NumericalError when `gram` is not finite.
template <Scalar T>
Matrix<T> gram_factor(Matrix<T> gram);

/// The upper-trapezoidal factor R (min(m, n) x n) of A = Q R; Q is not formed.
template <Scalar T>
Matrix<T> qr_factor(Matrix<T> matrix);

}  // namespace rankine::linalg
