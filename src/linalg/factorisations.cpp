#include "linalg/factorisations.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/errors.hpp"
#include "linalg/blas.hpp"
#include "linalg/fortran.hpp"

namespace rankine::linalg {

namespace {

/// LAPACK reports an optimal workspace size in the first element, rounded down in single precision:
/// round it up.
template <Scalar T>
int workspace_size(T reported) {
  const double size = std::real(reported);
  return blas_int(static_cast<std::int64_t>(
                      std::nextafter(static_cast<float>(size), std::numeric_limits<float>::max())) +
                  1);
}

void require_no_argument_error(const char* routine, int info) {
  if (info < 0)
    throw LibraryError(fmt::format("LAPACK {} refused its argument {}.", routine, -info));
}

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
  Buffer<T> work(size);
  call(work.data(), size);
  require_no_argument_error("gesdd", info);
  return info;
}

/// How many of the descending singular values to keep, and what is then discarded.
template <class R>
std::pair<std::int64_t, double> choose_rank(const std::vector<R>& s, const Truncation& truncation) {
  // Summed from the smallest up, so that a tail of rounding size is still seen exactly.
  double total = 0;
  for (auto it = s.rbegin(); it != s.rend(); ++it) total += double(*it) * double(*it);
  const double allowed = truncation.discarded_weight_max * total;
  const double smallest = truncation.relative_threshold * s.front();
  double discarded = 0;
  auto rank = static_cast<std::int64_t>(s.size());
  while (rank > 1) {
    const double next = discarded + double(s[rank - 1]) * double(s[rank - 1]);
    if (rank <= truncation.max_rank && next > allowed && s[rank - 1] > smallest) break;
    discarded = next;
    --rank;
  }
  return {rank, total > 0 ? discarded / total : 0};
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
  const auto [rank, discarded] = choose_rank(s, truncation);
  s.resize(rank);
  result.singular_values = std::move(s);
  result.discarded_weight = discarded;
  return result;
}

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
  Matrix<T> factor(rank, n);
  for (int j = 0; j < n; ++j) {
    T* column = &factor(0, pivots[j] - 1);
    const int filled = std::min(j + 1, rank);
    std::copy_n(&gram(0, j), filled, column);
    std::fill(column + filled, column + rank, T{});
  }
  return factor;
}

template <Scalar T>
Matrix<T> qr_factor(Matrix<T> matrix) {
  const int m = blas_int(matrix.rows()), n = blas_int(matrix.columns()), k = std::min(m, n);
  std::vector<T> tau(k);
  int info = 0, query = -1;
  T reported{};
  fortran::geqrf(&m, &n, matrix.data(), &m, tau.data(), &reported, &query, &info);
  const int size = workspace_size(reported);
  Buffer<T> work(size);
  fortran::geqrf(&m, &n, matrix.data(), &m, tau.data(), work.data(), &size, &info);
  require_no_argument_error("geqrf", info);
  Matrix<T> factor(k, n);
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t filled = std::min<std::int64_t>(j + 1, k);
    std::copy_n(&matrix(0, j), filled, &factor(0, j));
    std::fill(&factor(0, j) + filled, &factor(0, j) + k, T{});
  }
  return factor;
}

#define RANKINE_INSTANTIATE(T)                                   \
  template TruncatedSvd<T> svd<T>(Matrix<T>, const Truncation&); \
  template Matrix<T> gram_factor<T>(Matrix<T>);                  \
  template Matrix<T> qr_factor<T>(Matrix<T>);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::linalg
