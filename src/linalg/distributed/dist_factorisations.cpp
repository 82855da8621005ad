#include "linalg/distributed/dist_factorisations.hpp"

#include <numeric>

#include "linalg/blas.hpp"
#include "linalg/distributed/collective_call.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/operand.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/factorisations.hpp"
#include "linalg/fortran.hpp"
#include "linalg/instantiate.hpp"

namespace rankine::linalg {

namespace {

/// Up to this size one rank is as fast as several (measured: 35 ms both at 576 on one and two).
constexpr std::int64_t largest_on_one_rank = 512;

void require_convergence(const ProcessGrid& grid, const char* routine, std::int64_t n, int info) {
  if (info > 0)
    throw known_to_all(
        grid.ranks().size(),
        NumericalError(fmt::format("{} did not converge for a matrix of {} rows (info {}).",
                                   routine, n, info)));
}

/// What the eigensolvers write into, allocated on all ranks or none.
template <Scalar T>
Eigen<T> room_for_pairs(const DistMatrix<T>& a) {
  Eigen<T> pairs;
  parallel::agree_on_failure(a.grid().ranks(), [&] {
    pairs.values = std::vector<Real<T>>(static_cast<std::size_t>(a.rows()));
  });
  pairs.vectors = DistMatrix<T>(a.grid(), a.distribution());
  return pairs;
}

/// The solvers sort upwards; the negative matrix gives the order wanted.
template <Scalar T>
void change_sign(DistMatrix<T>& a) {
  a.view().for_each_local([](std::int64_t, std::int64_t, T& value) { value = -value; });
}

/// Values that one rank may have rounded otherwise, the same on all ranks.
template <Scalar T>
void finish_values(const ProcessGrid& grid, std::vector<Real<T>>& values) {
  grid.ranks().broadcast(std::span(values), 0);
  for (auto& value : values) value = -value;
}

}  // namespace

template <Scalar T>
void cholesky(DistView<T> a) {
  RANKINE_EXPECTS(a.rows == a.columns, "a Hermitian matrix is square");
  const auto in_out = operand(a);
  int info = 0;
  if (a.grid->is_inside() && a.rows > 0)
    info = fortran::ppotrf("U", static_cast<int>(a.rows), in_out);
  const int minor = agreed_info(*a.grid, "p?potrf", info);
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
  Eigen<T> result{{}, std::move(a)};
  parallel::agree_on_failure(grid.ranks(), [&] {
    result.values.resize(static_cast<std::size_t>(n));
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
  change_sign(a);
  Eigen<T> result = room_for_pairs(a);
  const auto in = operand(a.view()), out = operand(result.vectors.view());
  // The query of p?syevd leaves out what its tridiagonal reduction needs on small grids.
  const std::int64_t spare = 2 * std::int64_t{n} + 1024;
  const int info = call_with_workspace<T>(grid, "p?syevd", spare, [&](const Workspace<T>& space) {
    return fortran::pheevd(n, in, result.values.data(), out, space.work, space.size,
                           space.real_work, space.real_size, space.int_work, space.int_size);
  });
  require_convergence(grid, "p?syevd", n, info);
  finish_values<T>(grid, result.values);
  return result;
}

namespace {

/// The first `count` eigenpairs as matrices of their own.
template <Scalar T>
Eigen<T> first_pairs(Eigen<T> all, std::int64_t count) {
  all.values.resize(static_cast<std::size_t>(count));
  const std::int64_t n = all.vectors.rows();
  Eigen<T> result{std::move(all.values),
                  DistMatrix<T>(all.vectors.grid(), all.vectors.distribution().reshaped(n, count))};
  copy<T>(Op::none, std::as_const(all.vectors).view().leading_columns(count),
          result.vectors.view());
  return result;
}

}  // namespace

template <Scalar T>
Eigen<T> leading_hermitian_eigen(DistMatrix<T> a, std::int64_t count) {
  RANKINE_EXPECTS(a.rows() == a.columns() && count >= 1, "a Hermitian matrix is square");
  const ProcessGrid& grid = a.grid();
  count = std::min(count, a.rows());
  if (a.rows() <= largest_on_one_rank || grid.rows() * grid.columns() == 1)
    return first_pairs(eigen_on_one_rank(std::move(a)), count);
  const int n = scalapack_int(a.rows(), "rows", grid), wanted = static_cast<int>(count);
  change_sign(a);
  Eigen<T> all = room_for_pairs(a);
  const auto in = operand(a.view()), out = operand(all.vectors.view());
  const int info = call_with_workspace<T>(grid, "p?syevr", n, [&](const Workspace<T>& space) {
    int found = 0;
    const int result =
        fortran::pheevr(n, wanted, in, &found, all.values.data(), out, space.work, space.size,
                        space.real_work, space.real_size, space.int_work, space.int_size);
    return result == 0 && space.size != -1 && found != wanted ? 1 : result;
  });
  require_convergence(grid, "p?syevr", n, info);
  finish_values<T>(grid, all.values);
  return first_pairs(std::move(all), count);
}

template <Scalar T>
Qr<T> qr(DistMatrix<T> a) {
  const ProcessGrid& grid = a.grid();
  const int m = scalapack_int(a.rows(), "rows", grid),
            n = scalapack_int(a.columns(), "columns", grid), k = std::min(m, n);
  if (k == 0) return {DistMatrix<T>(grid, a.distribution().reshaped(m, 0)), Matrix<T>(0, n)};
  const auto in_out = operand(a.view());
  auto tau =
      parallel::agree_on_failure(grid.ranks(), [&] { return Buffer<T>(a.local().columns() + 1); });
  call_with_workspace<T>(grid, "p?geqrf", 0, [&](const Workspace<T>& space) {
    return fortran::pgeqrf(m, n, in_out, tau.data(), space.work, space.size);
  });
  Matrix<T> r = all_gather(std::as_const(a).view().part(0, 0, k, n));
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = j + 1; i < k; ++i) r(i, j) = T{};
  call_with_workspace<T>(grid, "p?orgqr", 0, [&](const Workspace<T>& space) {
    return fortran::pgqr(m, k, k, in_out, tau.data(), space.work, space.size);
  });
  if (k == n) return {std::move(a), std::move(r)};
  DistMatrix<T> q(grid, a.distribution().reshaped(m, k));
  copy<T>(Op::none, std::as_const(a).view().leading_columns(k), q.view());
  return {std::move(q), std::move(r)};
}

#define RANKINE_DIST_FACTORISATIONS(T)                                       \
  template void cholesky<T>(DistView<T>);                                    \
  template Eigen<T> hermitian_eigen<T>(DistMatrix<T>);                       \
  template Eigen<T> leading_hermitian_eigen<T>(DistMatrix<T>, std::int64_t); \
  template Qr<T> qr<T>(DistMatrix<T>);
RANKINE_FOR_EACH_SCALAR(RANKINE_DIST_FACTORISATIONS)
#undef RANKINE_DIST_FACTORISATIONS

}  // namespace rankine::linalg
