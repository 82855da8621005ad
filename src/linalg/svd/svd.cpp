#include "linalg/svd/svd.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <set>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/svd/cost_model.hpp"
#include "linalg/svd/slepc_session.hpp"
#include "linalg/svd/svd_methods.hpp"

namespace rankine::linalg {

template <Scalar T>
DistMatrix<T> leading_columns(DistMatrix<T> matrix, std::int64_t n) {
  if (matrix.columns() == n) return matrix;
  DistMatrix<T> out(matrix.grid(), matrix.distribution().reshaped(matrix.rows(), n));
  copy<T>(Op::none, std::as_const(matrix).view().leading_columns(n), out.view());
  return out;
}

template <Scalar T>
void cut_leading(DistSvd<T>& found, const Truncation& truncation, std::optional<double> norm,
                 std::int64_t smaller_dimension) {
  double seen = 0;
  for (const Real<T> s : found.singular_values) seen += std::pow(double(s), 2);
  const double smallest = found.singular_values.empty() ? 0 : found.singular_values.back();
  const double unseen_bound =
      static_cast<double>(smaller_dimension - found.rank()) * smallest * smallest;
  const double eps = std::numeric_limits<Real<T>>::epsilon();
  const double unseen = norm ? std::max(0.0, *norm * *norm - seen) : unseen_bound;
  const Cut cut = choose_cut(std::span<const Real<T>>(found.singular_values), truncation, unseen);
  if (norm && *norm > 0) found.residual /= *norm;
  if (!norm && seen > 0) found.residual /= std::sqrt(seen);
  found.discarded_weight = cut.discarded_weight;
  found.discarded_weight_error =
      norm ? eps * static_cast<double>(smaller_dimension) + found.residual * found.residual
           : cut.discarded_weight;
  if (cut.rank == found.rank()) return;
  found.singular_values.resize(static_cast<std::size_t>(cut.rank));
  found.u = leading_columns(std::move(found.u), cut.rank);
  found.v = leading_columns(std::move(found.v), cut.rank);
}

namespace {

/// A run factorises hundreds of matrices of one shape: each choice is told once.
void log_once(const std::string& line) {
  static std::set<std::string> told;
  if (told.insert(line).second) log().info("{}", line);
}

bool is_krylov(SvdMethod method) {
  return method == SvdMethod::randomized || method == SvdMethod::trlanczos ||
         method == SvdMethod::cross;
}

/// A Krylov method on a matrix or operator whose vectors lie in row blocks.
template <Scalar T>
DistSvd<T> leading_triplets(const LinearOperator<T>& a, const Truncation& truncation,
                            const SvdOptions& options) {
  if (a.rows() < a.columns()) {
    DistSvd<T> found = leading_triplets(AdjointOperator<T>(a), truncation, options);
    std::swap(found.u, found.v);
    return found;
  }
  const std::int64_t smaller = a.columns();
  const Truncation limited{.max_rank = std::min(truncation.max_rank, smaller)};
  DistSvd<T> found = options.method == SvdMethod::randomized
                         ? svd_randomized(a, limited, options.tolerance)
                         : svd_slepc(a, limited, options);
  cut_leading(found, truncation, a.frobenius_norm(), smaller);
  found.method = options.method;
  return found;
}

/// The triplets moved to the grid of the matrix they came from, in its layout.
template <Scalar T>
DistSvd<T> moved_to(DistView<const T> a, DistSvd<T> found) {
  if (&found.u.grid() == a.grid &&
      found.u.distribution() == a.distribution.reshaped(a.rows, found.rank()) &&
      found.v.distribution() == a.distribution.reshaped(a.columns, found.rank()))
    return found;
  DistMatrix<T> u(*a.grid, a.distribution.reshaped(a.rows, found.rank())),
      v(*a.grid, a.distribution.reshaped(a.columns, found.rank()));
  redistribute<T>(std::as_const(found.u).view(), u.view());
  redistribute<T>(std::as_const(found.v).view(), v.view());
  found.u = std::move(u);
  found.v = std::move(v);
  return found;
}

template <Scalar T>
DistSvd<T> krylov_of_matrix(DistView<const T> a, const Truncation& truncation,
                            const SvdOptions& options) {
  const parallel::Communicator& ranks = a.grid->ranks();
  const bool is_whole = a.rows == a.distribution.rows().size() &&
                        a.columns == a.distribution.columns().size() && a.row == 0 && a.column == 0;
  if (is_whole && a.distribution.is_row_blocks() && a.grid->rows() == ranks.size())
    return leading_triplets(RowBlockOperator<T>(a), truncation, options);
  const ProcessGrid grid(ranks, ranks.size(), 1);
  DistMatrix<T> rows(grid, Distribution::row_blocks(a.rows, a.columns, grid.rows()));
  redistribute<T>(a, rows.view());
  return moved_to(
      a, leading_triplets(RowBlockOperator<T>(std::as_const(rows).view()), truncation, options));
}

/// Methods that want at least as many rows as columns.
template <Scalar T>
DistSvd<T> svd_of_tall(DistView<const T> a, const Truncation& truncation, SvdMethod method) {
  if (method == SvdMethod::lapack) return svd_on_one_rank(a, truncation);
  if (method == SvdMethod::scalapack) return moved_to(a, svd_scalapack(a, truncation));
  return svd_gram(a, truncation);
}

template <Scalar T>
DistSvd<T> svd_dense(DistView<const T> a, const Truncation& truncation, SvdMethod method) {
  if (a.rows >= a.columns) return svd_of_tall(a, truncation, method);
  DistMatrix<T> adjoint(*a.grid, a.distribution.reshaped(a.columns, a.rows));
  copy<T>(Op::adjoint, a, adjoint.view());
  DistSvd<T> found = svd_of_tall(std::as_const(adjoint).view(), truncation, method);
  std::swap(found.u, found.v);
  return found;
}

}  // namespace

template <Scalar T>
DistSvd<T> svd(DistView<const T> matrix, const Truncation& truncation, const SvdOptions& options) {
  RANKINE_EXPECTS(matrix.rows > 0 && matrix.columns > 0, "an SVD needs a row and a column");
  require_finite(matrix, "a matrix to be factorised");
  SvdOptions chosen = options;
  const SvdTask task{.rows = matrix.rows,
                     .columns = matrix.columns,
                     .wanted = truncation.max_rank,
                     .ranks = matrix.grid->ranks().size(),
                     .single_precision = sizeof(Real<T>) == 4,
                     .complex_numbers = is_complex<T>,
                     .slepc = slepc_takes(is_complex<T> ? Numbers::complex : Numbers::real)};
  const Forecast forecast = choose_method(task, options);
  chosen.method = forecast.method;
  if (options.method == SvdMethod::automatic)
    log_once(fmt::format(
        "SVD of {} x {}, at most {}, on {}: {}, {:.2g} s expected", matrix.rows, matrix.columns,
        counted(std::min({truncation.max_rank, matrix.rows, matrix.columns}), "triplet"),
        counted(task.ranks, "rank"), name(chosen.method), forecast.seconds));
  DistSvd<T> found;
  if (is_krylov(chosen.method)) {
    try {
      found = krylov_of_matrix(matrix, truncation, chosen);
    } catch (const NumericalError& error) {
      // A spectrum that hardly decays shows only now; who asked for the method hears of it.
      if (options.method != SvdMethod::automatic) throw;
      log_once(fmt::format("{} Taking gram.", error.what()));
      chosen.method = SvdMethod::gram;
    }
  }
  if (!is_krylov(chosen.method)) found = svd_dense(matrix, truncation, chosen.method);
  found.method = chosen.method;
  return found;
}

template <Scalar T>
DistSvd<T> svd(const LinearOperator<T>& matrix, const Truncation& truncation,
               const SvdOptions& options) {
  SvdOptions chosen = options;
  if (chosen.method == SvdMethod::automatic) chosen.method = SvdMethod::randomized;
  if (!is_krylov(chosen.method))
    throw known_to_all(matrix.grid().ranks().size(),
                       InputError(fmt::format("the method \"{}\" needs the elements of a matrix, "
                                              "and a product is not formed. Take \"automatic\", "
                                              "\"randomized\", \"trlanczos\" or \"cross\".",
                                              name(chosen.method))));
  return leading_triplets(matrix, truncation, chosen);
}

#define RANKINE_SVD(T)                                                                 \
  template DistMatrix<T> leading_columns<T>(DistMatrix<T>, std::int64_t);              \
  template void cut_leading<T>(DistSvd<T>&, const Truncation&, std::optional<double>,  \
                               std::int64_t);                                          \
  template DistSvd<T> svd<T>(DistView<const T>, const Truncation&, const SvdOptions&); \
  template DistSvd<T> svd<T>(const LinearOperator<T>&, const Truncation&, const SvdOptions&);
RANKINE_FOR_EACH_SCALAR(RANKINE_SVD)
#undef RANKINE_SVD

}  // namespace rankine::linalg
