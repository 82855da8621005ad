// QR of a tall matrix in row blocks: triangles joined up a binary tree of ranks.
#include <vector>

#include "linalg/blas.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/dist_factorisations.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/factorisations.hpp"
#include "linalg/fortran.hpp"
#include "linalg/instantiate.hpp"
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
  parallel::PostponedFailure failure;
  for (int step = 1; step < ranks.size(); step *= 2) {
    if (ranks.rank() % (2 * step) == step) {
      const std::span<const T> triangle = r.span();
      ranks.send(triangle, std::move(r), ranks.rank() - step, tag).wait();
      r = std::move(other);  // what is broadcast comes here
      break;
    }
    if (ranks.rank() + step >= ranks.size()) continue;
    ranks.receive(other.span(), ranks.rank() + step, tag).wait();
    failure.guard([&] { join<T>(r, other.view(), Shape::triangle, work); });
  }
  parallel::agree_on(ranks, failure.get());
  ranks.broadcast(r.span(), 0);
  for (std::int64_t j = 0; j < n; ++j) std::fill(&r(0, j) + std::min(j + 1, n), &r(0, j) + n, T{});
  return r;
}

namespace {

/// One join on the way up: the explicit Q of two stacked triangles, and where the lower one came
/// from. Memory of both messages, up and down, is there from the beginning.
template <Scalar T>
struct Join {
  int partner;
  Matrix<T> lower;         ///< the triangle of the partner
  Buffer<T> coefficients;  ///< for the partner
  Matrix<T> q;
  std::int64_t upper_rows = 0;
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

/// A rank in the tree of joins.
template <Scalar T>
struct TreeNode {
  Matrix<T> r;                      ///< the triangle of its own rows, then of all it has joined
  std::vector<Join<T>> joins = {};  ///< from the leaves up
  int parent = -1;
  Buffer<T> to_parent = {};     ///< its triangle, if it has a parent
  Matrix<T> coefficients = {};  ///< of its triangle in Q
};

/// Reduces the rows of this rank and makes room for every message of the tree.
template <Scalar T>
TreeNode<T> plan_node(DistMatrix<T>& a, int me) {
  const Axis& rows = a.distribution().rows();
  const std::int64_t n = a.columns(), k = std::min(a.rows(), n);
  TreeNode<T> node{a.grid().is_inside() ? qr_in_place(a.local()) : Matrix<T>(0, n)};
  if (me >= rows.parts()) {
    node.coefficients = Matrix<T>(0, k);
    return node;
  }
  int reach = 1;
  for (; reach < rows.parts(); reach *= 2) {
    if (me % (2 * reach) == reach) {
      node.parent = me - reach;
      break;
    }
    if (me + reach >= rows.parts()) continue;
    const std::int64_t lower = triangle_rows(rows, me + reach, reach, n);
    node.joins.push_back({me + reach, Matrix<T>(lower, n), Buffer<T>(lower * k), {}});
  }
  const std::int64_t height = triangle_rows(rows, me, reach, n);
  node.coefficients = Matrix<T>(height, k);
  node.coefficients.fill(T{});
  if (node.parent >= 0) {
    node.to_parent = Buffer<T>(height * n);
    std::ranges::fill(node.to_parent.span(), T{});
  }
  return node;
}

/// Joins the triangles below this one and hands the result on.
template <Scalar T>
void climb(TreeNode<T>& node, const parallel::Communicator& ranks,
           parallel::PostponedFailure& failure) {
  const std::int64_t n = node.r.columns();
  for (Join<T>& join : node.joins) {
    ranks.receive(join.lower.span(), join.partner, tag).wait();
    failure.guard([&] {
      Matrix<T> stack(node.r.rows() + join.lower.rows(), n);
      for (std::int64_t j = 0; j < n; ++j) {
        std::copy_n(&node.r(0, j), node.r.rows(), &stack(0, j));
        std::copy_n(&join.lower(0, j), join.lower.rows(), &stack(0, j) + node.r.rows());
      }
      join.upper_rows = node.r.rows();
      node.r = qr_in_place(stack);
      join.q = std::move(stack);
    });
  }
  if (node.parent < 0) return;
  failure.guard([&] { std::ranges::copy(node.r.span(), node.to_parent.data()); });
  const std::span<const T> triangle = node.to_parent.span();
  ranks.send(triangle, std::move(node.to_parent), node.parent, tag).wait();
}

/// Down again: each join turns the coefficients it is given into those of its two halves.
template <Scalar T>
void descend(TreeNode<T>& node, const parallel::Communicator& ranks,
             parallel::PostponedFailure& failure) {
  Matrix<T>& own = node.coefficients;
  if (node.parent >= 0)
    ranks.receive(own.span(), node.parent, tag).wait();
  else
    for (std::int64_t i = 0; i < std::min(own.rows(), own.columns()); ++i) own(i, i) = T(1);
  for (auto join = node.joins.rbegin(); join != node.joins.rend(); ++join) {
    std::ranges::fill(join->coefficients.span(), T{});
    failure.guard([&] {
      const Matrix<T> both = product<T>(std::as_const(join->q).leading_columns(own.rows()), own);
      const Matrix<T> lower = row_range(both, join->upper_rows, both.rows() - join->upper_rows);
      std::ranges::copy(lower.span(), join->coefficients.data());
      own = row_range(both, 0, join->upper_rows);
    });
    const std::span<const T> message = join->coefficients.span();
    ranks.send(message, std::move(join->coefficients), join->partner, tag).wait();
  }
}

}  // namespace

template <Scalar T>
Qr<T> tsqr(DistMatrix<T> a) {
  RANKINE_EXPECTS(is_whole_in_row_blocks(a.view()), "TSQR takes a whole matrix in row blocks");
  require_finite(std::as_const(a).view(), "a tall matrix to be factorised");
  const parallel::Communicator& ranks = a.grid().ranks();
  const std::int64_t n = a.columns(), k = std::min(a.rows(), n);
  TreeNode<T> node = parallel::agree_on_failure(ranks, [&] { return plan_node(a, ranks.rank()); });
  parallel::PostponedFailure failure;
  climb(node, ranks, failure);
  descend(node, ranks, failure);
  Qr<T> result{DistMatrix<T>(a.grid(), a.distribution().reshaped(a.rows(), k)), {}};
  parallel::agree_on_failure(ranks, [&] {
    failure.rethrow();
    result.r = Matrix<T>(k, n);
    if (a.grid().is_inside())
      result.q.local() = product<T>(
          std::as_const(a.local()).leading_columns(node.coefficients.rows()), node.coefficients);
  });
  if (ranks.rank() == 0) std::copy_n(node.r.data(), node.r.size(), result.r.data());
  ranks.broadcast(result.r.span(), 0);
  return result;
}

#define RANKINE_TSQR(T)                                 \
  template Matrix<T> tsqr_factor<T>(DistView<const T>); \
  template Qr<T> tsqr<T>(DistMatrix<T>);
RANKINE_FOR_EACH_SCALAR(RANKINE_TSQR)
#undef RANKINE_TSQR

}  // namespace rankine::linalg
