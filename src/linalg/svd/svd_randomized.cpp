// Leading singular triplets by randomised block Krylov iteration.
//
// Block Lanczos bidiagonalisation from random vectors with full reorthogonalisation: U_j spans
// A V_j, V_{j+1} spans A^H U_j. It holds every subspace that power iterations of the same number of
// products would (Halko, Martinsson, Tropp, SIAM Rev. 53 (2011) 217), and more: Musco and Musco,
// NeurIPS 28 (2015). A V = U B exactly, so the residuals of A^H u = sigma v, which bound the errors
// of the singular values, follow from the small matrix B and the next block.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <random>

#include "core/errors.hpp"
#include "linalg/blas.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/dist_factorisations.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/svd/svd_methods.hpp"

namespace rankine::linalg {

namespace {

/// Orthonormal columns in row blocks that grow by blocks.
template <Scalar T>
class Basis {
 public:
  Basis(const ProcessGrid& grid, std::int64_t rows, std::int64_t capacity)
      : columns_(grid, Distribution::row_blocks(rows, capacity, grid.rows())) {}

  std::int64_t size() const { return size_; }
  DistView<const T> view() const { return columns_.view().leading_columns(size_); }
  ConstView<T> local() const { return columns_.local().leading_columns(size_); }
  DistMatrix<T> take(const Matrix<T>& coefficients) const {
    DistMatrix<T> out(columns_.grid(),
                      columns_.distribution().reshaped(columns_.rows(), coefficients.columns()));
    if (out.local().rows() > 0)
      gemm<T>(Op::none, Op::none, T(1), local(), coefficients.view(), T(0), out.local().view());
    return out;
  }

  /// block = basis C + Q R: returns C (size x b); `block` keeps what is orthogonal to the basis.
  Matrix<T> project_off(DistMatrix<T>& block) const {
    const std::int64_t b = block.columns();
    Matrix<T> total, part;
    parallel::agree_on_failure(columns_.grid().ranks(), [&] {
      total = Matrix<T>(size_, b);
      part = Matrix<T>(size_, b);
    });
    total.fill(T{});
    if (size_ == 0 || b == 0) return total;
    for (int pass = 0; pass < 2; ++pass) {
      part.fill(T{});
      if (block.local().rows() > 0)
        gemm<T>(Op::adjoint, Op::none, T(1), local(), block.local().view(), T(0), part.view());
      columns_.grid().ranks().sum(part.span());
      if (block.local().rows() > 0)
        gemm<T>(Op::none, Op::none, T(-1), local(), part.view(), T(1), block.local().view());
      for (std::int64_t k = 0; k < total.size(); ++k) total.data()[k] += part.data()[k];
    }
    return total;
  }

  /// Adds the directions of `block` longer than `smallest`, as many as there is room for: returns R
  /// with block = Q R for all of them (also those without room).
  Matrix<T> add(DistMatrix<T> block, double smallest) {
    const std::int64_t b = block.columns();
    if (b == 0) return Matrix<T>(0, 0);
    auto [q, r] = tsqr(std::move(block));
    const parallel::Communicator& ranks = columns_.grid().ranks();
    const TruncatedSvd<T> small = svd_for_all(ranks, std::move(r));
    std::int64_t significant = 0;
    while (significant < small.rank() &&
           small.singular_values[static_cast<std::size_t>(significant)] > smallest)
      ++significant;
    const std::int64_t added = std::min(significant, columns_.columns() - size_);
    const std::int64_t rows = columns_.local().rows();
    if (rows > 0 && added > 0)
      gemm<T>(Op::none, Op::none, T(1), std::as_const(q.local()).view(),
              small.u.leading_columns(added), T(0),
              View<T>(columns_.local().data() + size_ * rows, rows, added));
    size_ += added;
    auto coefficients =
        parallel::agree_on_failure(ranks, [&] { return Matrix<T>(significant, b); });
    for (std::int64_t j = 0; j < b; ++j)
      for (std::int64_t i = 0; i < significant; ++i)
        coefficients(i, j) = small.singular_values[static_cast<std::size_t>(i)] * small.vh(i, j);
    return coefficients;
  }

 private:
  DistMatrix<T> columns_;
  std::int64_t size_ = 0;
};

template <Scalar T>
class BlockKrylov {
 public:
  BlockKrylov(const LinearOperator<T>& a, std::int64_t wanted, double tolerance)
      : a_(a),
        smaller_(std::min(a.rows(), a.columns())),
        wanted_(std::min(wanted, smaller_)),
        tolerance_(std::max(tolerance, rounding())),
        block_(std::min(smaller_, std::max<std::int64_t>(8, (wanted_ + 1) / 2 + 4))),
        capacity_(std::min(smaller_, 12 * wanted_ + 128)),
        left_(a.grid(), a.rows(), capacity_),
        right_(a.grid(), a.columns(), capacity_),
        projected_(parallel::agree_on_failure(a.grid().ranks(),
                                              [&] { return Matrix<T>(capacity_, capacity_); })) {
    projected_.fill(T{});
  }

  DistSvd<T> run() {
    right_.add(random_block(), 0);
    std::int64_t begin = 0;  // of the newest block of the right basis
    for (;;) {
      const std::int64_t end = right_.size();
      extend_left(begin, end);
      DistMatrix<T> next = image_of_newest_left();
      right_.project_off(next);
      // The newest rows of A^H U that leave the right basis: what the residuals are made of.
      const Matrix<T> beyond = right_.add(std::move(next), rounding() * norm_estimate_);
      if (solve(end, beyond)) return result();
      begin = end;
      if (right_.size() == end)
        throw known_to_all(
            a_.grid().ranks().size(),
            NumericalError(fmt::format(
                "{} leading singular triplets of a {} x {} matrix were not found to {:.1e} "
                "in a space of "
                "{} vectors (residual {:.1e}): its spectrum hardly decays. Raise "
                "linalg.svd_tolerance or "
                "take svd_method \"gram\".",
                wanted_, a_.rows(), a_.columns(), tolerance_, right_.size(),
                residual_ / norm_estimate_)));
    }
  }

 private:
  double rounding() const {
    return 10 * std::numeric_limits<Real<T>>::epsilon() *
           std::sqrt(static_cast<double>(std::max(a_.rows(), a_.columns())));
  }

  /// Independent of the number of ranks: each row has its own stream.
  DistMatrix<T> random_block() const {
    DistMatrix<T> block(a_.grid(),
                        Distribution::row_blocks(a_.columns(), block_, a_.grid().rows()));
    std::minstd_rand generator;
    std::normal_distribution<double> normal;
    Matrix<T>& local = block.local();
    for (std::int64_t l = 0; l < local.rows(); ++l) {
      const std::int64_t row = block.distribution().rows().global(a_.grid().row(), l);
      generator.seed(static_cast<std::uint32_t>(row % 2147483646 + 1));
      generator.discard(16);
      normal.reset();
      for (std::int64_t j = 0; j < block_; ++j) local(l, j) = from_complex<T>(normal(generator));
    }
    return block;
  }

  /// A times columns [begin, end) of the right basis, orthogonalised into the left one.
  void extend_left(std::int64_t begin, std::int64_t end) {
    DistMatrix<T> image(a_.grid(),
                        Distribution::row_blocks(a_.rows(), end - begin, a_.grid().rows()));
    a_.apply(copy_of(right_, begin, end).view(), image.view());
    require_finite(std::as_const(image).view(), "the image of an operator");
    const Matrix<T> above = left_.project_off(image);
    const std::int64_t first = left_.size();
    const Matrix<T> r = left_.add(std::move(image), 1e-3 * rounding() * norm_estimate_);
    for (std::int64_t j = begin; j < end; ++j) {
      for (std::int64_t i = 0; i < first; ++i) projected_(i, j) = above(i, j - begin);
      for (std::int64_t i = 0; i < r.rows(); ++i) projected_(first + i, j) = r(i, j - begin);
    }
    newest_left_ = first;
  }

  static DistMatrix<T> copy_of(const Basis<T>& basis, std::int64_t begin, std::int64_t end) {
    const auto view = basis.view();
    DistMatrix<T> out(*view.grid, view.distribution.reshaped(view.rows, end - begin));
    const std::int64_t rows = out.local().rows();
    for (std::int64_t j = begin; j < end; ++j)
      std::copy_n(view.local.data + j * view.local.leading, rows,
                  out.local().data() + (j - begin) * rows);
    return out;
  }

  DistMatrix<T> image_of_newest_left() const {
    const std::int64_t b = left_.size() - newest_left_;
    DistMatrix<T> image(a_.grid(), Distribution::row_blocks(a_.columns(), b, a_.grid().rows()));
    if (b > 0) a_.apply_adjoint(copy_of(left_, newest_left_, left_.size()).view(), image.view());
    return image;
  }

  /// SVD of U^H A V over the first `columns` right vectors; whether all wanted triplets converged.
  bool solve(std::int64_t columns, const Matrix<T>& beyond) {
    if (left_.size() == 0) return finish_zero();
    auto small = parallel::agree_on_failure(a_.grid().ranks(),
                                            [&] { return Matrix<T>(left_.size(), columns); });
    for (std::int64_t j = 0; j < columns; ++j)
      std::copy_n(&projected_(0, j), left_.size(), &small(0, j));
    ritz_ = svd_for_all(a_.grid().ranks(), std::move(small));
    ritz_columns_ = columns;
    norm_estimate_ = ritz_.singular_values.front();
    const std::int64_t count = std::min(wanted_, ritz_.rank());
    residual_ = 0;
    double sum = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      double square = 0;
      for (std::int64_t i = 0; i < beyond.rows(); ++i) {
        T value{};
        for (std::int64_t l = 0; l < beyond.columns(); ++l)
          value += beyond(i, l) * ritz_.u(newest_left_ + l, k);
        square += squared_magnitude(std::complex<double>(value));
      }
      residual_ = std::max(residual_, std::sqrt(square));
      sum += square;
    }
    residual_sum_ = std::sqrt(sum);
    const bool exhausted = beyond.rows() == 0;
    return (count == wanted_ || exhausted) && residual_ <= tolerance_ * norm_estimate_;
  }

  bool finish_zero() {
    is_zero_ = true;
    return true;
  }

  DistSvd<T> result() const {
    if (is_zero_) return zero_result();
    const std::int64_t rank = std::min(wanted_, ritz_.rank());
    Matrix<T> x, y;
    parallel::agree_on_failure(a_.grid().ranks(), [&] {
      x = Matrix<T>(left_.size(), rank);
      y = Matrix<T>(right_.size(), rank);
    });
    y.fill(T{});
    for (std::int64_t k = 0; k < rank; ++k) {
      std::copy_n(&ritz_.u(0, k), left_.size(), &x(0, k));
      for (std::int64_t j = 0; j < ritz_columns_; ++j) y(j, k) = conjugate(ritz_.vh(k, j));
    }
    DistSvd<T> found{left_.take(x),
                     right_.take(y),
                     {ritz_.singular_values.begin(), ritz_.singular_values.begin() + rank}};
    found.residual = residual_sum_;
    return found;
  }

  /// One triplet of the zero matrix.
  DistSvd<T> zero_result() const {
    const auto unit = [&](std::int64_t rows) {
      DistMatrix<T> vector(a_.grid(), Distribution::row_blocks(rows, 1, a_.grid().rows()));
      vector.fill_from([](std::int64_t i, std::int64_t) { return T(i == 0 ? 1 : 0); });
      return vector;
    };
    return {unit(a_.rows()), unit(a_.columns()), {Real<T>(0)}};
  }

  const LinearOperator<T>& a_;
  std::int64_t smaller_;
  std::int64_t wanted_;
  double tolerance_;
  std::int64_t block_;
  std::int64_t capacity_;
  Basis<T> left_;
  Basis<T> right_;
  Matrix<T> projected_;  ///< U^H A V
  TruncatedSvd<T> ritz_;
  std::int64_t ritz_columns_ = 0;
  std::int64_t newest_left_ = 0;
  double norm_estimate_ = 0;
  double residual_ = 0;
  double residual_sum_ = 0;
  bool is_zero_ = false;
};

}  // namespace

template <Scalar T>
DistSvd<T> svd_randomized(const LinearOperator<T>& a, const Truncation& truncation,
                          double tolerance) {
  return BlockKrylov<T>(a, truncation.max_rank, tolerance).run();
}

#define RANKINE_SVD_RANDOMIZED(T) \
  template DistSvd<T> svd_randomized<T>(const LinearOperator<T>&, const Truncation&, double);
RANKINE_FOR_EACH_SCALAR(RANKINE_SVD_RANDOMIZED)
#undef RANKINE_SVD_RANDOMIZED

}  // namespace rankine::linalg
