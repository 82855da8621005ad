#include "linalg/dist_factorisations.hpp"

#include <numeric>

#include "linalg/blas.hpp"
#include "linalg/dist_blas.hpp"
#include "linalg/factorisations.hpp"
#include "linalg/fortran.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/operand.hpp"
#include "linalg/redistribute.hpp"
#include "linalg/workspace.hpp"

namespace rankine::linalg {

namespace {

/// Up to this size one rank is as fast as several (measured: 35 ms both at 576 on one and two).
constexpr std::int64_t largest_on_one_rank = 512;

void require_convergence(const ProcessGrid& grid, const char* routine, std::int64_t n, int info) {
  // The solvers may report on one rank only.
  const int worst = grid.ranks().max(info), refused = grid.ranks().min(info);
  if (refused < 0)
    throw known_to_all(grid.ranks().size(),
                       LibraryError(fmt::format("{} refused its argument {}.", routine, -refused)));
  if (worst > 0)
    throw known_to_all(
        grid.ranks().size(),
        NumericalError(fmt::format("{} did not converge for a matrix of {} rows (info {}).",
                                   routine, n, worst)));
}

}  // namespace

template <Scalar T>
void cholesky(DistView<T> a) {
  RANKINE_EXPECTS(a.rows == a.columns, "a Hermitian matrix is square");
  const auto in_out = operand(a);
  int info = 0;
  if (a.grid->is_inside() && a.rows > 0)
    info = fortran::ppotrf("U", static_cast<int>(a.rows), in_out);
  const int minor = a.grid->ranks().max(info);
  if (minor > 0)
    throw known_to_all(
        a.grid->ranks().size(),
        NumericalError(fmt::format(
            "a {} x {} matrix is not positive definite (its leading minor {} is not). Its rows are "
            "linearly dependent: use QR in place of Cholesky, or add to the diagonal.",
            a.rows, a.rows, minor)));
}

namespace {

template <Scalar T>
Eigen<T> eigen_on_one_rank(DistMatrix<T> a) {
  const ProcessGrid& grid = a.grid();
  const std::int64_t n = a.rows();
  Matrix<T> whole = gather(std::as_const(a).view(), 0);
  Eigen<T> result{std::vector<Real<T>>(static_cast<std::size_t>(n)), std::move(a)};
  parallel::agree_on_failure(grid.ranks(), [&] {
    if (grid.ranks().rank() != 0) return;
    result.values = hermitian_eigen(whole);
    std::ranges::reverse(result.values);
    for (std::int64_t j = 0; j < n / 2; ++j)
      std::swap_ranges(&whole(0, j), &whole(0, j) + n, &whole(0, n - 1 - j));
  });
  grid.ranks().broadcast(std::span(result.values), 0);
  scatter<T>(std::as_const(whole).view(), 0, result.vectors.view());
  return result;
}

}  // namespace

template <Scalar T>
Eigen<T> hermitian_eigen(DistMatrix<T> a) {
  RANKINE_EXPECTS(a.rows() == a.columns(), "a Hermitian matrix is square");
  const ProcessGrid& grid = a.grid();
  if (a.rows() <= largest_on_one_rank || grid.rows() * grid.columns() == 1)
    return eigen_on_one_rank(std::move(a));
  const int n = scalapack_int(a.rows(), "rows", grid);
  // The solver sorts upwards; the negative matrix gives the order wanted.
  a.view().for_each_local([](std::int64_t, std::int64_t, T& value) { value = -value; });
  Eigen<T> result{std::vector<Real<T>>(static_cast<std::size_t>(n)),
                  DistMatrix<T>(grid, a.distribution())};
  const auto in = operand(a.view()), out = operand(result.vectors.view());
  int info = 0;
  if (grid.is_inside()) {
    T size{};
    Real<T> real_size{};
    int int_size = 0;
    fortran::pheevd(n, in, result.values.data(), out, &size, -1, &real_size, -1, &int_size, -1);
    // The query of p?syevd leaves out what its tridiagonal reduction needs on small grids.
    const std::int64_t spare = 2 * std::int64_t{n} + 1024;
    Buffer<T> work(workspace_size(size) + spare);
    Buffer<Real<T>> real_work(is_complex<T> ? workspace_size(real_size) + spare : 0);
    std::vector<int> int_work(static_cast<std::size_t>(int_size) + 64);
    info = fortran::pheevd(n, in, result.values.data(), out, work.data(), blas_int(work.size()),
                           real_work.data(), blas_int(real_work.size()), int_work.data(),
                           blas_int(std::ssize(int_work)));
  }
  require_convergence(grid, "p?syevd", n, info);
  grid.ranks().broadcast(std::span(result.values), 0);
  for (auto& value : result.values) value = -value;
  return result;
}

template <Scalar T>
Qr<T> qr(DistMatrix<T> a) {
  const ProcessGrid& grid = a.grid();
  const int m = scalapack_int(a.rows(), "rows", grid),
            n = scalapack_int(a.columns(), "columns", grid), k = std::min(m, n);
  const auto in_out = operand(a.view());
  int info = 0;
  Matrix<T> r;
  std::vector<T> tau(static_cast<std::size_t>(a.local().columns() + 1));
  if (grid.is_inside() && k > 0) {
    T size{};
    fortran::pgeqrf(m, n, in_out, tau.data(), &size, -1);
    Buffer<T> work(workspace_size(size));
    info = fortran::pgeqrf(m, n, in_out, tau.data(), work.data(), blas_int(work.size()));
  }
  require_convergence(grid, "p?geqrf", m, info);
  r = all_gather(std::as_const(a).view().part(0, 0, k, n));
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = j + 1; i < k; ++i) r(i, j) = T{};
  if (grid.is_inside() && k > 0) {
    T size{};
    fortran::pgqr(m, k, k, in_out, tau.data(), &size, -1);
    Buffer<T> work(workspace_size(size));
    info = fortran::pgqr(m, k, k, in_out, tau.data(), work.data(), blas_int(work.size()));
  }
  require_convergence(grid, "p?orgqr", m, info);
  if (k == n) return {std::move(a), std::move(r)};
  DistMatrix<T> q(grid, a.distribution().reshaped(m, k));
  copy<T>(Op::none, std::as_const(a).view().leading_columns(k), q.view());
  return {std::move(q), std::move(r)};
}

namespace {

/// Column pivots (global, from 0) that p?geqpf left on the ranks that own the columns.
std::vector<std::int64_t> all_pivots(const ProcessGrid& grid, const Axis& columns,
                                     std::span<const int> mine) {
  std::vector<std::int64_t> pivots(static_cast<std::size_t>(columns.size()), 0);
  if (grid.row() == 0)
    for (std::int64_t l = 0; l < columns.local_size(grid.column()); ++l)
      pivots[static_cast<std::size_t>(columns.global(grid.column(), l))] =
          mine[static_cast<std::size_t>(l)] - 1;
  grid.ranks().sum(std::span(pivots));
  return pivots;
}

}  // namespace

template <Scalar T>
InterpolativeDecomposition<T> interpolative_rows(DistView<const T> a, std::int64_t rank) {
  require_finite(a, "a matrix to choose rows from");
  const ProcessGrid& grid = *a.grid;
  constexpr std::int64_t block = 32;
  DistMatrix<T> work_matrix(
      grid, Distribution::block_cyclic(a.columns, a.rows, block, grid.rows(), grid.columns()));
  copy<T>(Op::adjoint, a, work_matrix.view());
  const int m = scalapack_int(a.columns, "columns", grid), n = scalapack_int(a.rows, "rows", grid);
  const auto in_out = operand(work_matrix.view());
  std::vector<int> pivots(static_cast<std::size_t>(work_matrix.local().columns() + 1));
  std::vector<T> tau(pivots.size());
  int info = 0;
  if (grid.is_inside()) {
    T size{};
    Real<T> real_size{};
    fortran::pgeqpf(m, n, in_out, pivots.data(), tau.data(), &size, -1, &real_size, -1);
    Buffer<T> work(workspace_size(size));
    Buffer<Real<T>> real_work(is_complex<T> ? workspace_size(real_size) : 0);
    info = fortran::pgeqpf(m, n, in_out, pivots.data(), tau.data(), work.data(),
                           blas_int(work.size()), real_work.data(), blas_int(real_work.size()));
  }
  require_convergence(grid, "p?geqpf", m, info);
  const auto order = all_pivots(grid, work_matrix.distribution().columns(), pivots);

  const std::int64_t k = std::min<std::int64_t>({rank, m, n});
  Matrix<T> r = all_gather(std::as_const(work_matrix).view().part(0, 0, k, n));
  std::int64_t numerical = 0;
  const double smallest = k > 0 ? std::abs(r(0, 0)) * std::numeric_limits<Real<T>>::epsilon() *
                                      static_cast<double>(std::max(m, n))
                                : 0;
  while (numerical < k && std::abs(r(numerical, numerical)) > smallest) ++numerical;

  // A^H P = Q [R1 R2], so A(row) = (R1^{-1} R2)^H A(pivot rows) for the rows not chosen.
  if (n > numerical && numerical > 0)
    fortran::trsm("L", "U", blas_int(numerical), blas_int(n - numerical), r.data(), blas_int(k),
                  &r(0, numerical), blas_int(k));
  InterpolativeDecomposition<T> result{{order.begin(), order.begin() + numerical},
                                       Matrix<T>(n, numerical)};
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = 0; i < numerical; ++i)
      result.coefficients(order[static_cast<std::size_t>(j)], i) =
          j < numerical ? T(i == j ? 1 : 0) : conjugate(r(i, j));
  return result;
}

#define RANKINE_DIST_FACTORISATIONS(T)                 \
  template void cholesky<T>(DistView<T>);              \
  template Eigen<T> hermitian_eigen<T>(DistMatrix<T>); \
  template Qr<T> qr<T>(DistMatrix<T>);                 \
  template InterpolativeDecomposition<T> interpolative_rows<T>(DistView<const T>, std::int64_t);
RANKINE_FOR_EACH_SCALAR(RANKINE_DIST_FACTORISATIONS)
#undef RANKINE_DIST_FACTORISATIONS

}  // namespace rankine::linalg
