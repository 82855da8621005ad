#include "linalg/distributed/interpolation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/blas.hpp"
#include "linalg/distributed/collective_call.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/operand.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/fortran.hpp"
#include "linalg/instantiate.hpp"

namespace rankine::linalg {

namespace {

/// Column pivots (global, from 0) that p?geqpf left on the ranks that own the columns.
std::vector<std::int64_t> all_pivots(const ProcessGrid& grid, const Axis& columns,
                                     std::span<const int> mine) {
  std::vector<std::int64_t> pivots;
  parallel::agree_on_failure(grid.ranks(), [&] {
    pivots.assign(static_cast<std::size_t>(columns.size()), 0);
    if (grid.row() != 0) return;
    for (std::int64_t l = 0; l < columns.local_size(grid.column()); ++l)
      pivots[static_cast<std::size_t>(columns.global(grid.column(), l))] =
          mine[static_cast<std::size_t>(l)] - 1;
  });
  grid.ranks().sum(std::span(pivots));
  return pivots;
}

/// A becomes its factor R; returns the order of the columns.
template <Scalar T>
std::vector<std::int64_t> pivoted_qr(DistMatrix<T>& a) {
  const ProcessGrid& grid = a.grid();
  const int m = scalapack_int(a.rows(), "rows", grid),
            n = scalapack_int(a.columns(), "columns", grid);
  const auto in_out = operand(a.view());
  std::vector<int> pivots;
  Buffer<T> tau;
  parallel::agree_on_failure(grid.ranks(), [&] {
    pivots.resize(static_cast<std::size_t>(a.local().columns() + 1));
    tau = Buffer<T>(std::ssize(pivots));
  });
  call_with_workspace<T>(grid, "p?geqpf", 0, [&](const Workspace<T>& space) {
    return fortran::pgeqpf(m, n, in_out, pivots.data(), tau.data(), space.work, space.size,
                           space.real_work, space.real_size);
  });
  return all_pivots(grid, a.distribution().columns(), pivots);
}

/// How many of the leading diagonal elements of R are above rounding.
template <Scalar T>
std::int64_t numerical_rank(DistView<const T> r, std::int64_t rank) {
  const std::vector<T> pivots = diagonal(r);
  const std::int64_t most = std::min(rank, std::ssize(pivots));
  const double smallest = most > 0 ? std::abs(pivots[0]) * std::numeric_limits<Real<T>>::epsilon() *
                                         static_cast<double>(std::max(r.rows, r.columns))
                                   : 0;
  std::int64_t count = 0;
  while (count < most && std::abs(pivots[static_cast<std::size_t>(count)]) > smallest) ++count;
  return count;
}

}  // namespace

template <Scalar T>
ColumnInterpolation<T> interpolative_columns(DistMatrix<T> a, std::int64_t rank) {
  require_finite(std::as_const(a).view(), "a matrix to choose columns from");
  ColumnInterpolation<T> result{pivoted_qr(a), {}};
  const DistView<T> r = a.view();
  const std::int64_t kept = numerical_rank<T>(r, rank), others = a.columns() - kept;
  if (kept > 0 && others > 0)
    solve_left_upper<T>(r.part(0, 0, kept, kept), r.part(0, kept, kept, others));
  result.coefficients = DistMatrix<T>(a.grid(), a.distribution().reshaped(kept, others));
  if (kept > 0 && others > 0)
    copy<T>(Op::none, r.part(0, kept, kept, others), result.coefficients.view());
  return result;
}

template <Scalar T>
InterpolativeDecomposition<T> interpolative_rows(DistView<const T> a, std::int64_t rank) {
  const ProcessGrid& grid = *a.grid;
  constexpr std::int64_t block = 32;
  DistMatrix<T> adjoint(
      grid, Distribution::block_cyclic(a.columns, a.rows, block, grid.rows(), grid.columns()));
  copy<T>(Op::adjoint, a, adjoint.view());
  const ColumnInterpolation<T> found = interpolative_columns(std::move(adjoint), rank);
  const std::int64_t kept = found.rank();
  Matrix<T> others(kept, a.rows - kept);
  if (others.size() > 0) others = all_gather(found.coefficients.view());
  InterpolativeDecomposition<T> result{{found.order.begin(), found.order.begin() + kept},
                                       Matrix<T>(a.rows, kept)};
  for (std::int64_t j = 0; j < a.rows; ++j)
    for (std::int64_t i = 0; i < kept; ++i)
      result.coefficients(found.order[static_cast<std::size_t>(j)], i) =
          j < kept ? T(i == j ? 1 : 0) : conjugate(others(i, j - kept));
  return result;
}

#define RANKINE_INTERPOLATION(T)                                                         \
  template ColumnInterpolation<T> interpolative_columns<T>(DistMatrix<T>, std::int64_t); \
  template InterpolativeDecomposition<T> interpolative_rows<T>(DistView<const T>, std::int64_t);
RANKINE_FOR_EACH_SCALAR(RANKINE_INTERPOLATION)
#undef RANKINE_INTERPOLATION

}  // namespace rankine::linalg
