// The methods behind the door `svd`. Included by .cpp files of the room only.
//
// Each takes a finite matrix with at least as many rows as columns, or an operator, and returns the
// kept triplets; `method` and the final layout are set by the door.
#pragma once

#include "linalg/svd/svd.hpp"

namespace rankine::linalg {

/// Gathered on rank 0, LAPACK there, scattered.
template <Scalar T>
DistSvd<T> svd_on_one_rank(DistView<const T> a, const Truncation& truncation);

/// The SVD of a matrix that all ranks hold, with all values, computed by rank 0 for all: from
/// processor to processor, rounding chooses other vectors for values that are equal. Collective.
template <Scalar T>
TruncatedSvd<T> svd_for_all(const parallel::Communicator& ranks, Matrix<T> matrix);

/// ScaLAPACK's p?gesvd: slow, the reference.
template <Scalar T>
DistSvd<T> svd_scalapack(DistView<const T> a, const Truncation& truncation);

/// Eigenvectors of A^H A, refined level by level so that small singular values are not lost.
template <Scalar T>
DistSvd<T> svd_gram(DistView<const T> a, const Truncation& truncation);

/// Randomised block Krylov: the leading truncation.max_rank triplets.
template <Scalar T>
DistSvd<T> svd_randomized(const LinearOperator<T>& a, const Truncation& truncation,
                          double tolerance);

/// SLEPc's trlanczos or cross. Compiled once for real and once for complex SLEPc; a program links
/// rankine::slepc_real or rankine::slepc_complex.
template <Scalar T>
DistSvd<T> svd_slepc(const LinearOperator<T>& a, const Truncation& truncation,
                     const SvdOptions& options);

/// Cuts leading triplets that a Krylov method found, given the norm of A where it is known, and
/// fills in the discarded weight.
template <Scalar T>
void cut_leading(DistSvd<T>& found, const Truncation& truncation, std::optional<double> norm,
                 std::int64_t smaller_dimension);

/// The block of every two-dimensional layout made here.
inline constexpr std::int64_t block_size = 64;

/// The first `n` columns as a matrix of its own.
template <Scalar T>
DistMatrix<T> leading_columns(DistMatrix<T> matrix, std::int64_t n);

}  // namespace rankine::linalg
