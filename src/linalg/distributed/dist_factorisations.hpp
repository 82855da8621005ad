// Factorisations of distributed matrices: Cholesky, QR (plain, of tall row blocks) and the
// Hermitian eigenproblem.
//
// Collective over the ranks of the grid. A nonzero `info` of one rank is the error of all.
#pragma once

#include <vector>

#include "linalg/distributed/dist_matrix.hpp"

namespace rankine::linalg {

/// A = R^H R in the upper triangle of A (p?potrf); square blocks. NumericalError when A is not
/// positive definite; the number of the leading minor is in the message.
template <Scalar T>
void cholesky(DistView<T> a);

template <Scalar T>
struct Eigen {
  std::vector<Real<T>> values;  ///< descending
  DistMatrix<T> vectors;        ///< n x n, column k belongs to values[k]
};
/// All eigenpairs of a Hermitian matrix given by its upper triangle, laid out in square blocks.
/// `a` is consumed. Small matrices are solved on rank 0 by LAPACK, others by p?syevd / p?heevd.
/// NumericalError when the solver does not converge.
template <Scalar T>
Eigen<T> hermitian_eigen(DistMatrix<T> a);

/// The `count` largest of them only (p?syevr / p?heevr): vectors is n x count.
template <Scalar T>
Eigen<T> leading_hermitian_eigen(DistMatrix<T> a, std::int64_t count);

template <Scalar T>
struct Qr {
  DistMatrix<T> q;  ///< m x k with orthonormal columns, k = min(m, n); the layout of A
  Matrix<T> r;      ///< k x n, upper trapezoidal, on every rank (from qr and tsqr)
};
/// A = Q R by Householder reflections (p?geqrf, p?orgqr). `a` is consumed.
template <Scalar T>
Qr<T> qr(DistMatrix<T> a);

/// The k x n factor R of a matrix in row blocks, k = min(m, n), on every rank; each rank reduces
/// its rows in pieces that fit the cache, then pairs of ranks join their triangles up a binary
/// tree. Works for any rank of A and any, also empty, block; n^2 numbers travel per level. Demmel,
/// Grigori, Hoemmen, Langou, SIAM J. Sci. Comput. 34 (2012) A206.
template <Scalar T>
Matrix<T> tsqr_factor(DistView<const T> a);
/// The same with Q. `a` is consumed.
template <Scalar T>
Qr<T> tsqr(DistMatrix<T> a);

}  // namespace rankine::linalg
