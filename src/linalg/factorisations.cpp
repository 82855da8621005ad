#include "linalg/factorisations.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/errors.hpp"
#include "linalg/blas.hpp"
#include "linalg/fortran.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/operation_count.hpp"
#include "linalg/workspace.hpp"

namespace rankine::linalg {

template <Scalar T>
Matrix<T> gram_factor(Matrix<T> gram) {
  const int n = blas_int(gram.rows());
  RANKINE_EXPECTS(gram.rows() == gram.columns(), "a Gram matrix is square");
  Real<T> trace = 0;
  for (int i = 0; i < n; ++i) trace += std::real(gram(i, i));
  if (!std::isfinite(trace))
    throw NumericalError(
        "a Gram matrix of a bond update is not finite: the state has lost its norm. "
        "Use precision \"complex128\" or route \"qr\".");
  if (trace <= 0) return Matrix<T>(0, n);
  std::vector<int> pivots(n);
  std::vector<Real<T>> work(2 * n);
  const Real<T> tolerance = -1;  // LAPACK's own: n * eps * largest diagonal element
  int rank = 0, info = 0;
  fortran::pstrf("U", &n, gram.data(), &n, pivots.data(), &rank, &tolerance, work.data(), &info);
  require_no_argument_error("pstrf", info);
  count<T>(cholesky_flops(n, rank));
  Matrix<T> factor(rank, n);
  for (int j = 0; j < n; ++j) {
    T* column = &factor(0, pivots[j] - 1);
    const int filled = std::min(j + 1, rank);
    std::copy_n(&gram(0, j), filled, column);
    std::fill(column + filled, column + rank, T{});
  }
  return factor;
}

namespace {

/// Householder QR in place; returns the factors of the reflections.
template <Scalar T>
std::vector<T> reflect(Matrix<T>& matrix) {
  const int m = blas_int(matrix.rows()), n = blas_int(matrix.columns());
  std::vector<T> tau(static_cast<std::size_t>(std::min(m, n)));
  int info = 0, query = -1;
  T reported{};
  fortran::geqrf(&m, &n, matrix.data(), &m, tau.data(), &reported, &query, &info);
  const int size = workspace_size(reported);
  Buffer<T> work(size);
  fortran::geqrf(&m, &n, matrix.data(), &m, tau.data(), work.data(), &size, &info);
  require_no_argument_error("geqrf", info);
  count<T>(qr_flops(m, n));
  return tau;
}

/// The upper trapezoid of a matrix that has been reflected.
template <Scalar T>
Matrix<T> upper_part(const Matrix<T>& matrix) {
  const std::int64_t k = std::min(matrix.rows(), matrix.columns());
  Matrix<T> factor(k, matrix.columns());
  for (std::int64_t j = 0; j < matrix.columns(); ++j) {
    const std::int64_t filled = std::min(j + 1, k);
    std::copy_n(&matrix(0, j), filled, &factor(0, j));
    std::fill(&factor(0, j) + filled, &factor(0, j) + k, T{});
  }
  return factor;
}

}  // namespace

template <Scalar T>
Matrix<T> qr_factor(Matrix<T> matrix) {
  if (matrix.size() == 0) return Matrix<T>(0, matrix.columns());
  reflect(matrix);
  return upper_part(matrix);
}

template <Scalar T>
Matrix<T> qr_in_place(Matrix<T>& matrix) {
  if (matrix.size() == 0) return Matrix<T>(0, matrix.columns());
  const std::vector<T> tau = reflect(matrix);
  Matrix<T> r = upper_part(matrix);
  const int m = blas_int(matrix.rows()), k = std::min(m, blas_int(matrix.columns()));
  T reported{};
  fortran::form_q(m, k, k, matrix.data(), m, tau.data(), &reported, -1);
  const int size = workspace_size(reported);
  Buffer<T> work(size);
  require_no_argument_error(
      "orgqr", fortran::form_q(m, k, k, matrix.data(), m, tau.data(), work.data(), size));
  count<T>(qr_flops(m, k));
  return r;
}

template <Scalar T>
std::vector<Real<T>> hermitian_eigen(Matrix<T>& matrix) {
  RANKINE_EXPECTS(matrix.rows() == matrix.columns(), "a Hermitian matrix is square");
  const int n = blas_int(matrix.rows());
  std::vector<Real<T>> values(static_cast<std::size_t>(n));
  if (n == 0) return values;
  T reported{};
  Real<T> real_reported{};
  int int_reported = 0;
  fortran::heevd(n, matrix.data(), values.data(), &reported, -1, &real_reported, -1, &int_reported,
                 -1);
  const int size = workspace_size(reported), real_size = workspace_size(real_reported);
  Buffer<T> work(size);
  Buffer<Real<T>> real_work(is_complex<T> ? real_size : 0);
  std::vector<int> int_work(static_cast<std::size_t>(int_reported));
  const int info = fortran::heevd(n, matrix.data(), values.data(), work.data(), size,
                                  real_work.data(), real_size, int_work.data(), int_reported);
  require_no_argument_error("heevd", info);
  count<T>(eigen_flops(n));
  if (info > 0)
    throw NumericalError(fmt::format(
        "the eigenvalues of a Hermitian {} x {} matrix did not converge in LAPACK.", n, n));
  return values;
}

#define RANKINE_FACTORISATIONS(T)                \
  template Matrix<T> gram_factor<T>(Matrix<T>);  \
  template Matrix<T> qr_factor<T>(Matrix<T>);    \
  template Matrix<T> qr_in_place<T>(Matrix<T>&); \
  template std::vector<Real<T>> hermitian_eigen<T>(Matrix<T>&);
RANKINE_FOR_EACH_SCALAR(RANKINE_FACTORISATIONS)
#undef RANKINE_FACTORISATIONS

}  // namespace rankine::linalg
