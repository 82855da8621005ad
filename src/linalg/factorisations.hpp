// Factorisations of dense matrices on one rank: pivoted Cholesky, QR, the Hermitian eigenproblem.
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace rankine::linalg {

/// A factor R (rank x n) with R^H R = `gram`, of a positive semidefinite n x n matrix given by its
/// upper triangle, by pivoted Cholesky. Directions below n * eps of the largest pivot are dropped
/// as rounding; the zero matrix has rank 0. NumericalError when `gram` is not finite.
template <Scalar T>
Matrix<T> gram_factor(Matrix<T> gram);

/// Ascending eigenvalues of a Hermitian matrix given by its upper triangle; the matrix is replaced
/// by the eigenvectors. NumericalError when LAPACK does not converge.
template <Scalar T>
std::vector<Real<T>> hermitian_eigen(Matrix<T>& matrix);

/// A = Q R with k = min(m, n): A is replaced by Q (m x k in its first k columns), R (k x n)
/// returned.
template <Scalar T>
Matrix<T> qr_in_place(Matrix<T>& matrix);

/// The upper-trapezoidal factor R (min(m, n) x n) of A = Q R; Q is not formed.
template <Scalar T>
Matrix<T> qr_factor(Matrix<T> matrix);

}  // namespace rankine::linalg
