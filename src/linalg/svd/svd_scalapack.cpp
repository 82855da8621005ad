// Distributed SVDs that hand the whole matrix to a library: LAPACK on rank 0, and ScaLAPACK.
#include "linalg/distributed/collective_call.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/operand.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/svd/svd_methods.hpp"

namespace rankine::linalg {

namespace {

/// What both libraries promise: a backward error of a modest multiple of this.
template <Scalar T>
double backward_error(std::int64_t m, std::int64_t n) {
  return std::numeric_limits<Real<T>>::epsilon() * std::sqrt(static_cast<double>(std::max(m, n)));
}

}  // namespace

template <Scalar T>
DistSvd<T> svd_on_one_rank(DistView<const T> a, const Truncation& truncation) {
  const ProcessGrid& grid = *a.grid;
  const parallel::Communicator& ranks = grid.ranks();
  Matrix<T> whole = gather(a, 0);
  struct {
    std::int64_t rank = 0;
    double discarded_weight = 0;
  } facts;
  Matrix<T> u, v;
  std::vector<Real<T>> s;
  parallel::agree_on_failure(ranks, [&] {
    if (ranks.rank() != 0) return;
    auto found = svd(std::move(whole), truncation);
    facts = {found.rank(), found.discarded_weight};
    u = std::move(found.u);
    v = Matrix<T>(a.columns, facts.rank);
    for (std::int64_t k = 0; k < facts.rank; ++k)
      for (std::int64_t j = 0; j < a.columns; ++j) v(j, k) = conjugate(found.vh(k, j));
    s = std::move(found.singular_values);
  });
  ranks.broadcast(std::span(&facts, 1), 0);
  parallel::agree_on_failure(ranks, [&] { s.resize(static_cast<std::size_t>(facts.rank)); });
  ranks.broadcast(std::span(s), 0);
  DistSvd<T> result{DistMatrix<T>(grid, a.distribution.reshaped(a.rows, facts.rank)),
                    DistMatrix<T>(grid, a.distribution.reshaped(a.columns, facts.rank)),
                    std::move(s), facts.discarded_weight};
  scatter<T>(std::as_const(u).view(), 0,
             result.u.view());  // of U only the first `rank` columns are wanted
  scatter<T>(std::as_const(v).view(), 0, result.v.view());
  result.residual = backward_error<T>(a.rows, a.columns);
  return result;
}

template <Scalar T>
TruncatedSvd<T> svd_for_all(const parallel::Communicator& ranks, Matrix<T> matrix) {
  auto found = parallel::agree_on_failure(ranks, [&] {
    if (ranks.rank() == 0) return svd(std::move(matrix), {});
    const std::int64_t k = std::min(matrix.rows(), matrix.columns());
    return TruncatedSvd<T>{Matrix<T>(matrix.rows(), k), Matrix<T>(k, matrix.columns()),
                           std::vector<Real<T>>(static_cast<std::size_t>(k))};
  });
  ranks.broadcast(found.u.span(), 0);
  ranks.broadcast(found.vh.span(), 0);
  ranks.broadcast(std::span(found.singular_values), 0);
  return found;
}

template <Scalar T>
DistSvd<T> svd_scalapack(DistView<const T> a, const Truncation& truncation) {
  const ProcessGrid& grid = *a.grid;
  const int m = scalapack_int(a.rows, "rows", grid), n = scalapack_int(a.columns, "columns", grid);
  const auto layout = [&](std::int64_t rows, std::int64_t columns) {
    return Distribution::block_cyclic(rows, columns, std::min<std::int64_t>(block_size, n),
                                      grid.rows(), grid.columns());
  };
  DistMatrix<T> work_matrix(grid, layout(m, n)), u(grid, layout(m, n)), vh(grid, layout(n, n));
  copy<T>(Op::none, a, work_matrix.view());
  auto s = parallel::agree_on_failure(
      grid.ranks(), [&] { return std::vector<Real<T>>(static_cast<std::size_t>(n)); });
  const auto in = operand(work_matrix.view()), left = operand(u.view()), right = operand(vh.view());
  // Real work space is not part of what the query says.
  const std::int64_t spare = 8 * (std::int64_t{n} + m) + 64;
  const int info = call_with_workspace<T>(grid, "p?gesvd", spare, [&](const Workspace<T>& space) {
    return fortran::pgesvd(m, n, in, s.data(), left, right, space.work, space.size,
                           space.real_work);
  });
  // info = min(m, n) + 1 says that ranks computed differing values: differently rounded, not wrong.
  if (info != 0 && info != n + 1)
    throw known_to_all(grid.ranks().size(),
                       NumericalError(fmt::format("p?gesvd did not converge for a {} x {} matrix "
                                                  "(info {}).",
                                                  m, n, info)));
  grid.ranks().broadcast(std::span(s), 0);
  const Cut cut = choose_cut(std::span<const Real<T>>(s), truncation);
  s.resize(static_cast<std::size_t>(cut.rank));
  DistSvd<T> result{leading_columns(std::move(u), cut.rank),
                    DistMatrix<T>(grid, layout(n, cut.rank)), std::move(s), cut.discarded_weight};
  copy<T>(Op::adjoint, std::as_const(vh).view().part(0, 0, cut.rank, n), result.v.view());
  result.residual = backward_error<T>(m, n);
  return result;
}

#define RANKINE_SVD_DENSE(T)                                                         \
  template DistSvd<T> svd_on_one_rank<T>(DistView<const T>, const Truncation&);      \
  template TruncatedSvd<T> svd_for_all<T>(const parallel::Communicator&, Matrix<T>); \
  template DistSvd<T> svd_scalapack<T>(DistView<const T>, const Truncation&);
RANKINE_FOR_EACH_SCALAR(RANKINE_SVD_DENSE)
#undef RANKINE_SVD_DENSE

}  // namespace rankine::linalg
