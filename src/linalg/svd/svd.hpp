// The one door to truncated singular value decompositions: say what to keep, the door chooses how,
// says what it chose, and bounds its error. docs/algorithms/factorisations.md tells the methods.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "linalg/distributed/dist_matrix.hpp"
#include "linalg/svd/linear_operator.hpp"
#include "linalg/svd/options.hpp"
#include "linalg/svd/truncation.hpp"

namespace rankine::linalg {

/// A ~ U diag(singular_values) V^H with the kept triplets, on one rank.
template <Scalar T>
struct TruncatedSvd {
  Matrix<T> u;                           ///< m x min(m, n); the first `rank` columns are kept
  Matrix<T> vh;                          ///< min(m, n) x n; the first `rank` rows are kept
  std::vector<Real<T>> singular_values;  ///< the kept ones, descending
  double discarded_weight = 0;           ///< exact: discarded / total sum of squares
  std::int64_t rank() const { return std::ssize(singular_values); }
};

/// The truncated SVD of a dense matrix on one rank, by LAPACK's divide and conquer (QR iteration
/// where that does not converge). `matrix` is consumed. NumericalError: `matrix` is not finite, or
/// LAPACK does not converge.
template <Scalar T>
TruncatedSvd<T> svd(Matrix<T> matrix, const Truncation& truncation);

/// A ~ U diag(singular_values) V^H with the kept triplets, spread like the matrix it came from.
template <Scalar T>
struct DistSvd {
  DistMatrix<T> u;                            ///< m x rank, orthonormal columns
  DistMatrix<T> v;                            ///< n x rank, orthonormal columns
  std::vector<Real<T>> singular_values = {};  ///< descending, on every rank
  /// Discarded / total sum of squares: exact up to `discarded_weight_error`, or, where the norm of
  /// the operator is not known, an upper bound (then the error equals it).
  double discarded_weight = 0;
  double discarded_weight_error = 0;
  SvdMethod method = SvdMethod::automatic;  ///< the one used
  /// ||A V - U S||_F / ||A||_F as the method measured it, beside rounding; for Krylov methods the
  /// larger of this and the same for A^H, which bounds the error of every singular value.
  double residual = 0;
  std::int64_t rank() const { return std::ssize(singular_values); }
};

/// The truncated SVD of a distributed matrix. Collective over the ranks of its grid. U and V lie on
/// that grid in the layout of the matrix (Distribution::reshaped).
/// NumericalError: the matrix is not finite (before any work), or the method did not converge.
/// InputError: a SLEPc option that nothing used. ResourceError: memory or 32-bit limits.
template <Scalar T>
DistSvd<T> svd(DistView<const T> matrix, const Truncation& truncation,
               const SvdOptions& options = {});

/// The leading `truncation.max_rank` triplets of an operator that is never formed: methods
/// randomized (automatic), trlanczos and cross.
template <Scalar T>
DistSvd<T> svd(const LinearOperator<T>& matrix, const Truncation& truncation,
               const SvdOptions& options = {});

}  // namespace rankine::linalg
