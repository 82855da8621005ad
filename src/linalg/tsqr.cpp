// QR of a tall matrix in row blocks: triangles joined up a binary tree of ranks.
#include <vector>

#include "linalg/blas.hpp"
#include "linalg/dist_blas.hpp"
#include "linalg/dist_factorisations.hpp"
#include "linalg/factorisations.hpp"
#include "linalg/fortran.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/redistribute.hpp"
#include "linalg/workspace.hpp"

namespace rankine::linalg {

namespace {

/// Rows reduced at a time: 2048 x 576 single precision is 4.5 MiB, which level-2 and level-3 caches
/// hold; measured best from 1024 to 4096.
constexpr std::int64_t rows_per_piece = 2048;
/// Columns of a panel within a piece.
constexpr int panel = 32;
constexpr int tag = 1;

enum class Shape { full, triangle };

/// Joins rows below an n x n triangle into it: [R; B] = Q [R'; 0], R' overwrites R, B is destroyed.
template <Scalar T>
void join(Matrix<T>& r, View<T> below, Shape shape, Buffer<T>& work) {
  const int n = blas_int(r.columns()), nb = std::min(panel, n);
  if (n == 0 || below.rows == 0) return;
  T* t = work.data();
  require_no_argument_error(
      "tpqrt",
      fortran::tpqrt(blas_int(below.rows), n, shape == Shape::triangle ? n : 0, nb, r.data(), n,
                     below.data, blas_int(below.leading), t, t + std::int64_t{nb} * n));
}

/// The triangle of the rows of this rank.
template <Scalar T>
Matrix<T> reduce_own_rows(ConstView<T> a, std::int64_t n, Buffer<T>& work) {
  Matrix<T> r(n, n), piece(std::min(rows_per_piece, a.rows), n);
  r.fill(T{});
  for (std::int64_t first = 0; first < a.rows; first += rows_per_piece) {
    const std::int64_t rows = std::min(rows_per_piece, a.rows - first);
    for (std::int64_t j = 0; j < n; ++j) std::copy_n(&a(first, j), rows, &piece(0, j));
    join<T>(r, {piece.data(), rows, n, piece.rows()}, Shape::full, work);
  }
  return r;
}

template <class T>
bool is_whole_in_row_blocks(const DistView<T>& a) {
  return a.distribution.is_row_blocks() && a.grid->columns() == 1 && a.row == 0 && a.column == 0 &&
         a.columns == a.distribution.columns().size() && a.rows == a.distribution.rows().size();
}

}  // namespace

template <Scalar T>
Matrix<T> tsqr_factor(DistView<const T> a) {
  RANKINE_EXPECTS(is_whole_in_row_blocks(a), "TSQR takes a whole matrix in row blocks");
  require_finite(a, "a tall matrix to be factorised");
  const parallel::Communicator& ranks = a.grid->ranks();
  const std::int64_t n = a.columns;
  Buffer<T> work;
  Matrix<T> other;
  Matrix<T> r = parallel::agree_on_failure(ranks, [&] {
    work = Buffer<T>(std::int64_t{2} * panel * n);
    other = Matrix<T>(n, n);
    return reduce_own_rows(a.local, n, work);
  });
  for (int step = 1; step < ranks.size(); step *= 2) {
    if (ranks.rank() % (2 * step) == step) {
      ranks.send(std::span<const T>(r.span()), ranks.rank() - step, tag).wait();
      break;
    }
    if (ranks.rank() + step >= ranks.size()) continue;
    ranks.receive(other.span(), ranks.rank() + step, tag).wait();
    join<T>(r, other.view(), Shape::triangle, work);
  }
  ranks.broadcast(r.span(), 0);
  for (std::int64_t j = 0; j < n; ++j) std::fill(&r(0, j) + std::min(j + 1, n), &r(0, j) + n, T{});
  return r;
}

namespace {

/// One join on the way up: the explicit Q of two stacked triangles, and where the lower one came
/// from.
template <Scalar T>
struct Join {
  Matrix<T> q;
  std::int64_t upper_rows;
  int partner;
};

/// Rows [first, first + rows) of a matrix.
template <Scalar T>
Matrix<T> row_range(const Matrix<T>& a, std::int64_t first, std::int64_t rows) {
  Matrix<T> out(rows, a.columns());
  for (std::int64_t j = 0; j < a.columns(); ++j) std::copy_n(&a(first, j), rows, &out(0, j));
  return out;
}

template <Scalar T>
Matrix<T> product(ConstView<T> a, const Matrix<T>& b) {
  Matrix<T> out(a.rows, b.columns());
  out.fill(T{});
  if (a.columns > 0 && out.size() > 0)
    gemm<T>(Op::none, Op::none, T(1), a, b.view(), T(0), out.view());
  return out;
}

/// How many rows the triangle of `rank` has when it has joined those of `reach` ranks.
std::int64_t triangle_rows(const Axis& rows, int rank, int reach, std::int64_t n) {
  std::int64_t k = std::min(rows.local_size(rank), n);
  for (int step = 1; step < reach; step *= 2)
    if (rank + step < rows.parts()) k = std::min(k + triangle_rows(rows, rank + step, step, n), n);
  return k;
}

}  // namespace

template <Scalar T>
Qr<T> tsqr(DistMatrix<T> a) {
  RANKINE_EXPECTS(is_whole_in_row_blocks(a.view()), "TSQR takes a whole matrix in row blocks");
  require_finite(std::as_const(a).view(), "a tall matrix to be factorised");
  const parallel::Communicator& ranks = a.grid().ranks();
  const Axis& rows = a.distribution().rows();
  const std::int64_t n = a.columns(), k = std::min(a.rows(), n);
  const int me = ranks.rank(), parts = rows.parts();

  Matrix<T> r = parallel::agree_on_failure(
      ranks, [&] { return a.grid().is_inside() ? qr_in_place(a.local()) : Matrix<T>(0, n); });
  std::vector<Join<T>> joins;
  int parent = -1;
  for (int step = 1; step < parts && me < parts; step *= 2) {
    if (me % (2 * step) == step) {
      parent = me - step;
      ranks.send(std::span<const T>(r.span()), parent, tag).wait();
      break;
    }
    if (me + step >= parts) continue;
    Matrix<T> lower(triangle_rows(rows, me + step, step, n), n);
    ranks.receive(lower.span(), me + step, tag).wait();
    Matrix<T> stack(r.rows() + lower.rows(), n);
    for (std::int64_t j = 0; j < n; ++j) {
      std::copy_n(&r(0, j), r.rows(), &stack(0, j));
      std::copy_n(&lower(0, j), lower.rows(), &stack(0, j) + r.rows());
    }
    const std::int64_t upper_rows = r.rows();
    r = qr_in_place(stack);
    joins.push_back({std::move(stack), upper_rows, me + step});
  }

  // Down again: each join turns the coefficients it is given into those of its two halves.
  Matrix<T> coefficients(r.rows(), k);
  if (parent >= 0) {
    ranks.receive(coefficients.span(), parent, tag).wait();
  } else {
    coefficients.fill(T{});
    for (std::int64_t i = 0; i < std::min(coefficients.rows(), k); ++i) coefficients(i, i) = T(1);
  }
  for (auto join = joins.rbegin(); join != joins.rend(); ++join) {
    const Matrix<T> both =
        product<T>(std::as_const(join->q).leading_columns(coefficients.rows()), coefficients);
    const Matrix<T> lower = row_range(both, join->upper_rows, both.rows() - join->upper_rows);
    ranks.send(lower.span(), join->partner, tag).wait();
    coefficients = row_range(both, 0, join->upper_rows);
  }
  Qr<T> result{DistMatrix<T>(a.grid(), a.distribution().reshaped(a.rows(), k)), Matrix<T>(k, n)};
  if (a.grid().is_inside())
    result.q.local() =
        product<T>(std::as_const(a.local()).leading_columns(coefficients.rows()), coefficients);
  if (me == 0) std::copy_n(r.data(), r.size(), result.r.data());
  ranks.broadcast(result.r.span(), 0);
  return result;
}

#define RANKINE_TSQR(T)                                 \
  template Matrix<T> tsqr_factor<T>(DistView<const T>); \
  template Qr<T> tsqr<T>(DistMatrix<T>);
RANKINE_FOR_EACH_SCALAR(RANKINE_TSQR)
#undef RANKINE_TSQR

}  // namespace rankine::linalg
