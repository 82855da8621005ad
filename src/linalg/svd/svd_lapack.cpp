// The SVD of a matrix on one rank, by LAPACK.
#include <fmt/format.h>

#include <cmath>

#include "core/errors.hpp"
#include "linalg/blas.hpp"
#include "linalg/fortran.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/operation_count.hpp"
#include "linalg/svd/svd.hpp"
#include "linalg/workspace.hpp"

namespace rankine::linalg {

namespace {

template <Scalar T>
bool is_finite(const Matrix<T>& matrix) {
  // A sum of magnitudes is finite exactly when every term is (up to overflow, which is an error all
  // the same).
  Real<T> sum = 0;
  for (const T& value : matrix.span())
    sum += std::abs(std::real(value)) + std::abs(std::imag(value));
  return std::isfinite(sum);
}

enum class Algorithm { divide_and_conquer, qr_iteration };

/// One LAPACK SVD with economy-size vectors; returns info. `a` is overwritten.
template <Scalar T>
int lapack_svd(Algorithm algorithm, Matrix<T>& a, std::vector<Real<T>>& s, Matrix<T>& u,
               Matrix<T>& vh) {
  const int m = blas_int(a.rows()), n = blas_int(a.columns()), k = std::min(m, n);
  const std::int64_t k64 = k, longer = std::max(m, n);
  std::vector<Real<T>> real_work(
      is_complex<T> ? std::max(k64 * (5 * k64 + 7), k64 * (2 * longer + 2 * k64 + 1)) : 0);
  std::vector<int> int_work(8 * k64);
  int info = 0;
  const auto call = [&](T* work, int size) {
    if (algorithm == Algorithm::divide_and_conquer)
      fortran::gesdd("S", &m, &n, a.data(), &m, s.data(), u.data(), &m, vh.data(), &k, work, &size,
                     real_work.data(), int_work.data(), &info);
    else
      fortran::gesvd("S", &m, &n, a.data(), &m, s.data(), u.data(), &m, vh.data(), &k, work, &size,
                     real_work.data(), &info);
  };
  T reported{};
  call(&reported, -1);
  require_no_argument_error("gesdd", info);
  const int size = workspace_size(reported);
  Buffer<T> work(size + overread<T>(longer));
  count<T>(svd_flops(m, n));
  call(work.data(), size);
  require_no_argument_error("gesdd", info);
  return info;
}

}  // namespace

template <Scalar T>
TruncatedSvd<T> svd(Matrix<T> matrix, const Truncation& truncation) {
  if (!is_finite(matrix))
    throw NumericalError(fmt::format(
        "a {} x {} matrix to be truncated holds NaN or infinity. The input of this step is not "
        "finite; look for overflowing weights or angles.",
        matrix.rows(), matrix.columns()));
  const std::int64_t k = std::min(matrix.rows(), matrix.columns());
  RANKINE_EXPECTS(k > 0, "an SVD needs at least one row and column");
  TruncatedSvd<T> result{Matrix<T>(matrix.rows(), k), Matrix<T>(k, matrix.columns()), {}, 0};
  std::vector<Real<T>> s(k);
  Matrix<T> spare(matrix.rows(), matrix.columns());
  std::copy_n(matrix.data(), matrix.size(), spare.data());
  int info = lapack_svd(Algorithm::divide_and_conquer, matrix, s, result.u, result.vh);
  if (info != 0) info = lapack_svd(Algorithm::qr_iteration, spare, s, result.u, result.vh);
  if (info != 0)
    throw NumericalError(fmt::format("the SVD of a {} x {} matrix did not converge in LAPACK.",
                                     spare.rows(), spare.columns()));
  const Cut cut = choose_cut(std::span<const Real<T>>(s), truncation);
  s.resize(static_cast<std::size_t>(cut.rank));
  result.singular_values = std::move(s);
  result.discarded_weight = cut.discarded_weight;
  return result;
}

#define RANKINE_SVD_LAPACK(T) template TruncatedSvd<T> svd<T>(Matrix<T>, const Truncation&);
RANKINE_FOR_EACH_SCALAR(RANKINE_SVD_LAPACK)
#undef RANKINE_SVD_LAPACK

}  // namespace rankine::linalg
