// The SVD by eigenvectors of A^H A, refined so that small singular values are not lost.
//
// Eigenvectors of a Gram matrix whose columns have norms up to s leave couplings of size eps s^2 in
// it: they make an error of eps s^2 / sigma in A = U S V^H, harmless while sigma is not far below
// s. So a level keeps only the columns of A V above a threshold, projects the others off the kept U
// (whose coupling is then of that size, and dropped) and solves their own, much smaller, Gram
// matrix again. The threshold falls as the square of s: two or three levels reach rounding.
#include <cmath>
#include <complex>
#include <limits>

#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/dist_factorisations.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/instantiate.hpp"
#include "linalg/svd/svd_methods.hpp"

namespace rankine::linalg {

namespace {

/// A number in [-1, 1) from an index, the same on every rank.
double scrambled(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  x ^= x >> 31;
  return static_cast<double>(x >> 11) * 0x1p-52 - 1;
}

template <Scalar T>
class GramSvd {
 public:
  /// Takes A (m >= n, largest element of size one) laid out in square blocks.
  GramSvd(DistMatrix<T> a, const Truncation& truncation)
      : grid_(a.grid()),
        truncation_(truncation),
        eps_(std::numeric_limits<Real<T>>::epsilon()),
        m_(a.rows()),
        n_(a.columns()),
        a_(std::move(a)) {}

  DistSvd<T> run() {
    first_level();
    while (resolved_ < wanted_) next_level();
    std::ranges::sort(sigma_, std::greater<>());
    return result();
  }

 private:
  DistMatrix<T> new_matrix(std::int64_t rows, std::int64_t columns) const {
    return {grid_, a_.distribution().reshaped(rows, columns)};
  }

  Eigen<T> eigen_of_gram(DistView<const T> columns) const {
    DistMatrix<T> g = new_matrix(columns.columns, columns.columns);
    gram<T>(columns, g.view());
    return hermitian_eigen(std::move(g));
  }

  static std::vector<double> roots(const std::vector<Real<T>>& eigenvalues) {
    std::vector<double> values;
    for (const Real<T> value : eigenvalues) values.push_back(std::sqrt(std::max<double>(value, 0)));
    return values;
  }

  /// How many of the descending `estimates` this level resolves; at least one.
  std::int64_t count_resolved(std::span<const double> estimates) const {
    constexpr double growth = 10;  // of rounding in a Gram matrix and its eigenvectors
    constexpr double share = 10;   // of the 50 eps max(m, n) that U S V^H may be wrong by
    const double allowed = share * eps_ * static_cast<double>(m_) * largest_, s = estimates.front();
    // The second bound keeps the columns, scaled to unit length, independent enough that one
    // Cholesky factorisation makes them orthonormal.
    const double threshold = std::max(growth * eps_ * s * s / allowed, 2 * s * std::sqrt(eps_));
    std::int64_t count = 1;
    while (count < std::ssize(estimates) && estimates[static_cast<std::size_t>(count)] >= threshold)
      ++count;
    return count;
  }

  void first_level() {
    norm_ = frobenius_norm(std::as_const(a_).view());
    if (norm_ <= 0) return zero_matrix();
    Eigen<T> eigen = eigen_of_gram(std::as_const(a_).view());
    const std::vector<double> estimates = roots(eigen.values);
    largest_ = estimates.front();
    const std::int64_t resolved = count_resolved(estimates);
    wanted_ = choose_cut(std::span(estimates), truncation_).rank;
    if (wanted_ > resolved) wanted_ = n_;  // estimates below the threshold decide nothing
    v_ = std::move(eigen.vectors);
    u_ = new_matrix(m_, wanted_);
    gemm<T>(Op::none, Op::none, T(1), std::as_const(a_).view(),
            std::as_const(v_).view().leading_columns(wanted_), T(0), u_.view());
    a_ = new_matrix(0, 0);
    double tail = 0;
    for (std::int64_t k = n_; k-- > wanted_;)
      tail += std::pow(estimates[static_cast<std::size_t>(k)], 2);
    unseen_weight_ = wanted_ < n_ ? tail : 0;
    normalise(std::min(resolved, wanted_));
  }

  void zero_matrix() {
    u_ = new_matrix(m_, n_);
    v_ = new_matrix(n_, n_);
    v_.fill_from([](std::int64_t i, std::int64_t j) { return T(i == j ? 1 : 0); });
    fill_null_space(u_.view());
  }

  /// Makes the next `count` columns of U = A V orthonormal; their lengths are singular values.
  void normalise(std::int64_t count) {
    const auto columns = u_.view().part(0, resolved_, m_, count);
    const std::vector<double> lengths = column_norms<T>(columns);
    std::vector<double> factors;
    for (const double length : lengths) factors.push_back(1 / length);
    scale_columns<T>(columns, factors);
    DistMatrix<T> r = new_matrix(count, count);
    gram<T>(columns, r.view());
    cholesky(r.view());
    solve_right_upper<T>(std::as_const(r).view(), columns);
    const std::vector<T> stretch = diagonal(std::as_const(r).view());
    double coupling = 0;
    std::as_const(r).view().for_each_local([&](std::int64_t i, std::int64_t j, const T& value) {
      if (i < j)
        coupling += std::norm(std::complex<double>(value)) *
                    std::pow(lengths[static_cast<std::size_t>(j)], 2);
    });
    dropped_weight_ += grid_.ranks().sum(coupling);
    for (std::size_t k = 0; k < lengths.size(); ++k)
      sigma_.push_back(lengths[k] * std::real(std::complex<double>(stretch[k])));
    resolved_ += count;
  }

  /// columns -= U (U^H columns) with the U found so far, twice; returns the squared norm of the
  /// first U^H columns.
  double project_off(DistView<T> columns) const {
    const auto u = std::as_const(u_).view().leading_columns(resolved_);
    DistMatrix<T> overlap = new_matrix(resolved_, columns.columns);
    double first = 0;
    for (int pass = 0; pass < 2; ++pass) {
      gemm<T>(Op::adjoint, Op::none, T(1), u, columns, T(0), overlap.view());
      if (pass == 0) first = std::pow(frobenius_norm(std::as_const(overlap).view()), 2);
      gemm<T>(Op::none, Op::none, T(-1), u, std::as_const(overlap).view(), T(1), columns);
    }
    return first;
  }

  void next_level() {
    const std::int64_t left = n_ - resolved_;
    const auto columns = u_.view().trailing_columns(resolved_);
    dropped_weight_ += project_off(columns);
    if (frobenius_norm<T>(columns) <= 2 * eps_ * std::sqrt(static_cast<double>(m_)) * largest_) {
      fill_null_space(columns);
      return;
    }
    const Eigen<T> eigen = eigen_of_gram(columns);
    rotate(columns, std::as_const(eigen.vectors).view());
    rotate(v_.view().trailing_columns(resolved_), std::as_const(eigen.vectors).view());
    const std::vector<double> estimates = roots(eigen.values);
    const std::int64_t resolved = count_resolved(estimates);
    std::vector<double> all = sigma_;
    all.insert(all.end(), estimates.begin(), estimates.end());
    const std::int64_t cut = choose_cut(std::span<const double>(all), truncation_).rank;
    if (cut <= resolved_ + resolved) wanted_ = std::max(cut, resolved_ + 1);
    if (wanted_ < n_)
      for (std::int64_t k = left; k-- > wanted_ - resolved_;)
        unseen_weight_ += std::pow(estimates[static_cast<std::size_t>(k)], 2);
    const std::int64_t count = std::min(resolved, wanted_ - resolved_);
    // The rotation left rounding of the size of the longest column in the short ones.
    project_off(u_.view().part(0, resolved_, m_, count));
    normalise(count);
  }

  /// columns = columns * rotation.
  void rotate(DistView<T> columns, DistView<const T> rotation) const {
    DistMatrix<T> rotated = new_matrix(columns.rows, columns.columns);
    gemm<T>(Op::none, Op::none, T(1), columns, rotation, T(0), rotated.view());
    copy<T>(Op::none, std::as_const(rotated).view(), columns);
  }

  /// What is left of A V is rounding: any orthonormal columns will do for U.
  void fill_null_space(DistView<T> columns) {
    columns.for_each_local([&](std::int64_t i, std::int64_t j, T& value) {
      value = from_complex<T>(scrambled(static_cast<std::uint64_t>(i * n_ + j)));
    });
    for (int pass = 0; pass < 2; ++pass) {
      project_off(columns);
      DistMatrix<T> separate = new_matrix(columns.rows, columns.columns);
      copy<T>(Op::none, columns, separate.view());
      const Qr<T> factors = qr(std::move(separate));
      copy<T>(Op::none, factors.q.view(), columns);
    }
    sigma_.resize(static_cast<std::size_t>(n_), 0);
    resolved_ = wanted_ = n_;
  }

  DistSvd<T> result() {
    const Cut cut = choose_cut(std::span<const double>(sigma_), truncation_, unseen_weight_);
    DistSvd<T> found;
    found.u = leading_columns(std::move(u_), cut.rank);
    found.v = leading_columns(std::move(v_), cut.rank);
    found.singular_values.assign(sigma_.begin(), sigma_.begin() + cut.rank);
    found.discarded_weight = cut.discarded_weight;
    found.discarded_weight_error = cut.rank < n_ ? eps_ * static_cast<double>(n_) : 0;
    found.residual = norm_ > 0 ? std::sqrt(dropped_weight_) / norm_ : 0;
    return found;
  }

  const ProcessGrid& grid_;
  Truncation truncation_;
  double eps_;
  std::int64_t m_;
  std::int64_t n_;
  DistMatrix<T> a_;
  DistMatrix<T> u_;            ///< m x wanted: resolved columns are orthonormal, others A V
  DistMatrix<T> v_;            ///< n x n
  std::vector<double> sigma_;  ///< of the resolved columns
  std::int64_t resolved_ = 0;
  std::int64_t wanted_ = 0;
  double norm_ = 0;
  double largest_ = 0;
  double dropped_weight_ = 0;  ///< squared norm of the couplings dropped
  double unseen_weight_ = 0;   ///< squares of values that were never resolved
};

}  // namespace

template <Scalar T>
DistSvd<T> svd_gram(DistView<const T> a, const Truncation& truncation) {
  const GridShape shape = squarest(a.grid->ranks().size());
  const ProcessGrid grid(a.grid->ranks(), shape.rows, shape.columns);
  const auto layout = [&](std::int64_t rows, std::int64_t columns) {
    return Distribution::block_cyclic(rows, columns, block_size, grid.rows(), grid.columns());
  };
  DistMatrix<T> scaled(grid, layout(a.rows, a.columns));
  redistribute<T>(a, scaled.view());
  const double scale = largest_magnitude(std::as_const(scaled).view());
  const double factor = scale > 0 ? 1 / scale : 1;
  scaled.view().for_each_local(
      [&](std::int64_t, std::int64_t, T& value) { value *= static_cast<Real<T>>(factor); });
  DistSvd<T> found = GramSvd<T>(std::move(scaled), truncation).run();
  for (auto& value : found.singular_values) value = static_cast<Real<T>>(value * scale);

  DistSvd<T> result{DistMatrix<T>(*a.grid, a.distribution.reshaped(a.rows, found.rank())),
                    DistMatrix<T>(*a.grid, a.distribution.reshaped(a.columns, found.rank()))};
  redistribute<T>(std::as_const(found.u).view(), result.u.view());
  redistribute<T>(std::as_const(found.v).view(), result.v.view());
  result.singular_values = std::move(found.singular_values);
  result.discarded_weight = found.discarded_weight;
  result.discarded_weight_error = found.discarded_weight_error;
  result.residual = found.residual;
  return result;
}

#define RANKINE_SVD_GRAM(T) template DistSvd<T> svd_gram<T>(DistView<const T>, const Truncation&);
RANKINE_FOR_EACH_SCALAR(RANKINE_SVD_GRAM)
#undef RANKINE_SVD_GRAM

}  // namespace rankine::linalg
