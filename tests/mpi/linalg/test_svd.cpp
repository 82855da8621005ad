// Every SVD method on every layout, type and rank count: residuals and orthogonality in units of
// eps, known spectra, truncation, what the results say of themselves.
#include <gmock/gmock.h>

#include <cmath>

#include "core/errors.hpp"
#include "dist_testing.hpp"
#include "linalg/svd/svd.hpp"

namespace rankine::testing {
namespace {

constexpr std::array direct{SvdMethod::lapack, SvdMethod::scalapack, SvdMethod::gram,
                            SvdMethod::automatic};
constexpr std::array krylov{SvdMethod::randomized, SvdMethod::trlanczos, SvdMethod::cross};

template <class T>
class Svd : public ::testing::Test {
 protected:
  /// Checks U, S, V of `found` against A with the tolerance of a direct method; returns ||A -
  /// USV||.
  void expect_factors(const Matrix<T>& a, const DistSvd<T>& found, double largest) {
    const std::int64_t m = a.rows(), n = a.columns();
    const Matrix<T> u = all_gather(found.u.view()), v = all_gather(found.v.view());
    const double bound = 50 * eps<T> * static_cast<double>(std::max(m, n));
    EXPECT_LE(departure_from_orthonormality(u), bound);
    EXPECT_LE(departure_from_orthonormality(v), bound);
    EXPECT_TRUE(std::ranges::is_sorted(found.singular_values, std::greater<>()));
    Matrix<T> us(m, found.rank()), rebuilt(m, n);
    for (std::int64_t k = 0; k < found.rank(); ++k)
      for (std::int64_t i = 0; i < m; ++i)
        us(i, k) = u(i, k) * found.singular_values[static_cast<std::size_t>(k)];
    gemm<T>(Op::none, Op::adjoint, T(1), us.view(), v.view(), T(0), rebuilt.view());
    double square = 0;
    for (std::int64_t k = 0; k < a.size(); ++k)
      square += std::norm(std::complex<double>(a.data()[k] - rebuilt.data()[k]));
    EXPECT_LE(std::sqrt(square), bound * std::max(largest, 1e-300)) << "residual";
  }

  Layouts layouts_;
};
TYPED_TEST_SUITE(Svd, Scalars);

struct Shape {
  std::int64_t m, n;
};
constexpr std::array shapes{Shape{24, 24}, Shape{61, 17}, Shape{17, 61}, Shape{1, 9},
                            Shape{9, 1},   Shape{1, 1},   Shape{3, 2},   Shape{150, 140}};

TYPED_TEST(Svd, DirectMethodsRebuildTheMatrixInAnyLayout) {
  using T = TypeParam;
  for (const auto [m, n] : shapes) {
    const auto a = random_matrix<T>(m, n, 5);
    auto copy = random_matrix<T>(m, n, 5);
    const auto expected = svd(std::move(copy), {}).singular_values;
    const auto in_rows = spread(a, this->layouts_.rows, this->layouts_.row_blocks(m, n));
    const auto cyclic = spread(a, this->layouts_.square, this->layouts_.cyclic(m, n, 4));
    for (const SvdMethod method : direct)
      for (const auto* matrix : {&in_rows, &cyclic}) {
        SCOPED_TRACE(::testing::Message() << m << " x " << n << " " << name(method));
        const auto found = svd(matrix->view(), {}, {.method = method});
        ASSERT_EQ(found.rank(), std::min(m, n));
        EXPECT_TRUE(found.u.distribution() == matrix->distribution().reshaped(m, found.rank()));
        if (method != SvdMethod::automatic) EXPECT_EQ(found.method, method);
        this->expect_factors(a, found, expected[0]);
        for (std::size_t k = 0; k < expected.size(); ++k)
          EXPECT_NEAR(found.singular_values[k], expected[k],
                      50 * eps<T> * std::max(m, n) * expected[0]);
      }
  }
}

TYPED_TEST(Svd, SmallSingularValuesOfGradedSpectraAreRight) {
  using T = TypeParam;
  const std::int64_t n = 60;
  std::vector<double> s;
  for (int k = 0; k < n; ++k) s.push_back(std::pow(10., -14. * k / (n - 1)));
  // Of one matrix the error is luck: over a hundred of them its median is 2 to 3 eps, and 5
  // (LAPACK) to 17 (gram) at most, on three kernels of OpenBLAS.
  constexpr unsigned n_matrices = 11;
  for (const SvdMethod method : direct) {
    SCOPED_TRACE(name(method));
    std::vector<double> errors;
    for (unsigned seed = 0; seed < n_matrices; ++seed) {
      const auto a = with_spectrum<T>(80, n, s, 3 + 2 * seed);
      const auto matrix = spread(a, this->layouts_.rows, this->layouts_.row_blocks(80, n));
      const auto found = svd(matrix.view(), {}, {.method = method});
      ASSERT_EQ(found.rank(), n);
      this->expect_factors(a, found, 1);
      double& error = errors.emplace_back(0);
      for (int k = 0; k < n; ++k)
        error = std::max<double>(error, std::abs(found.singular_values[k] - s[k]));
    }
    std::ranges::sort(errors);
    EXPECT_LT(errors[n_matrices / 2], 10 * eps<T>);
    EXPECT_LT(errors.back(), 50 * eps<T>);
  }
}

TYPED_TEST(Svd, DegenerateAndDeficientSpectra) {
  using T = TypeParam;
  const std::vector<std::vector<double>> spectra{
      std::vector<double>(20, 1.0), {1, 1, 1, 1, 1e-3, 1e-3, 1e-3, 0, 0, 0}, {1, 0, 0}, {0, 0}};
  for (const auto& s : spectra) {
    const auto n = static_cast<std::int64_t>(s.size());
    const auto a = with_spectrum<T>(30, n, s, 8);
    const auto matrix = spread(a, this->layouts_.square, this->layouts_.cyclic(30, n, 4));
    for (const SvdMethod method : direct) {
      SCOPED_TRACE(::testing::Message() << n << " values, " << name(method));
      const auto found = svd(matrix.view(), {}, {.method = method});
      ASSERT_EQ(found.rank(), n);
      this->expect_factors(a, found, s[0]);
      for (std::size_t k = 0; k < s.size(); ++k)
        EXPECT_NEAR(found.singular_values[k], s[k], 50 * 30 * eps<T>);
    }
  }
}

TYPED_TEST(Svd, HugeAndTinyElementsNeitherOverflowNorVanish) {
  using T = TypeParam;
  for (const double scale : {1e-25, 1e25}) {
    auto a = random_matrix<T>(40, 12, 5);
    const auto expected = svd(random_matrix<T>(40, 12, 5), {}).singular_values;
    for (T& value : a.span()) value *= static_cast<Real<T>>(scale);
    const auto matrix = spread(a, this->layouts_.rows, this->layouts_.row_blocks(40, 12));
    const auto found = svd(matrix.view(), {}, {.method = SvdMethod::gram});
    for (std::size_t k = 0; k < expected.size(); ++k)
      EXPECT_NEAR(found.singular_values[k] / scale, expected[k], 2000 * eps<T> * expected[0]);
  }
}

TYPED_TEST(Svd, TruncationKeepsWhatIsAskedForAndTellsWhatIsLost) {
  using T = TypeParam;
  std::vector<double> s;
  for (int k = 0; k < 30; ++k) s.push_back(std::pow(2., -k / 2.));
  double total = 0, tail = 0;
  for (std::size_t k = s.size(); k-- > 0;) {
    total += s[k] * s[k];
    if (k >= 7) tail += s[k] * s[k];
  }
  const auto a = with_spectrum<T>(50, 30, s, 4);
  const auto matrix = spread(a, this->layouts_.rows, this->layouts_.row_blocks(50, 30));
  for (const SvdMethod method : direct) {
    SCOPED_TRACE(name(method));
    const SvdOptions options{.method = method};
    const auto by_rank = svd(matrix.view(), {.max_rank = 7}, options);
    EXPECT_EQ(by_rank.rank(), 7);
    EXPECT_NEAR(by_rank.discarded_weight, tail / total, 1000 * eps<T>);
    EXPECT_EQ(svd(matrix.view(), {.discarded_weight_max = 1.01 * tail / total}, options).rank(), 7);
    EXPECT_EQ(svd(matrix.view(), {.relative_threshold = 1.01 * s[7]}, options).rank(), 7);
  }
}

TYPED_TEST(Svd, KrylovMethodsFindLeadingTriplets) {
  using T = TypeParam;
  std::vector<double> s;
  for (int k = 0; k < 60; ++k) s.push_back(1 / (1. + k));
  for (const auto [m, n] : {Shape{90, 60}, Shape{60, 90}}) {
    const auto a = with_spectrum<T>(m, n, s, 6);
    const auto matrix = spread(a, this->layouts_.square, this->layouts_.cyclic(m, n, 8));
    for (const SvdMethod method : krylov) {
      SCOPED_TRACE(::testing::Message() << m << " x " << n << " " << name(method));
      // cross works on the square of the spectrum and promises only what that leaves.
      const double tolerance =
          std::max({1e-10, 100 * eps<T>, method == SvdMethod::cross ? 1e-7 : 0.});
      const auto found =
          svd(matrix.view(), {.max_rank = 5}, {.method = method, .tolerance = tolerance});
      ASSERT_EQ(found.rank(), 5);
      EXPECT_EQ(found.method, method);
      double tail = 0, total = 0;
      for (std::size_t k = s.size(); k-- > 0;) (k < 5 ? total : tail) += s[k] * s[k];
      EXPECT_NEAR(found.discarded_weight, tail / (tail + total), 1e3 * eps<T>);
      for (std::size_t k = 0; k < 5; ++k) {
        EXPECT_NEAR(found.singular_values[k], s[k], tolerance) << k;
        // The bound it gives must hold.
        EXPECT_LE(std::abs(found.singular_values[k] - s[k]),
                  found.residual * std::sqrt(tail + total) + 20 * eps<T>);
      }
      EXPECT_LE(departure_from_orthonormality(all_gather(found.u.view())),
                std::max(10 * tolerance, 50 * eps<T> * 90));
      EXPECT_LE(departure_from_orthonormality(all_gather(found.v.view())),
                std::max(10 * tolerance, 50 * eps<T> * 90));
    }
  }
}

TYPED_TEST(Svd, RandomizedIsExactForLowRankAndSaysWhenTheSpectrumIsFlat) {
  using T = TypeParam;
  const auto low = with_spectrum<T>(400, 300, {3, 2, 1}, 9);
  const auto matrix = spread(low, this->layouts_.rows, this->layouts_.row_blocks(400, 300));
  const auto found = svd(matrix.view(), {.max_rank = 10}, {.method = SvdMethod::randomized});
  ASSERT_GE(found.rank(), 3);
  for (std::size_t k = 0; k < 3; ++k)
    EXPECT_NEAR(found.singular_values[k], 3. - static_cast<double>(k), 400 * eps<T>);
  const auto flat = random_matrix<T>(900, 900, 2);
  const auto hard = spread(flat, this->layouts_.rows, this->layouts_.row_blocks(900, 900));
  const SvdOptions strict{.method = SvdMethod::randomized, .tolerance = 1e-13};
  if constexpr (sizeof(Real<T>) == 8) {
    EXPECT_THROW(svd(hard.view(), {.max_rank = 20}, strict), NumericalError);
  } else {  // single precision asks less of it
    const auto expected = svd(random_matrix<T>(900, 900, 2), {}).singular_values;
    const auto leading = svd(hard.view(), {.max_rank = 20}, strict);
    for (std::size_t k = 0; k < 20; ++k)
      EXPECT_NEAR(leading.singular_values[k], expected[k], 1e-4 * expected[0]);
  }
}

TYPED_TEST(Svd, AProductIsFactorisedWithoutBeingFormed) {
  using T = TypeParam;
  std::vector<double> s;
  for (int k = 0; k < 40; ++k) s.push_back(std::pow(1.5, -k));
  const auto w = with_spectrum<T>(70, 40, s, 1), x = with_spectrum<T>(40, 50, s, 20);
  Matrix<T> whole(70, 50);
  gemm<T>(Op::none, Op::none, T(1), w.view(), x.view(), T(0), whole.view());
  const auto expected = svd(std::move(whole), {}).singular_values;
  const auto dist_w = spread(w, this->layouts_.rows, this->layouts_.row_blocks(70, 40)),
             dist_x = spread(x, this->layouts_.rows, this->layouts_.row_blocks(40, 50));
  const RowBlockOperator<T> left(dist_w.view()), right(dist_x.view());
  const ProductOperator<T> product(left, right);
  for (const SvdMethod method : {SvdMethod::automatic, SvdMethod::trlanczos}) {
    const double tolerance = std::max(1e-10, 100 * eps<T>);
    const auto found = svd(product, {.max_rank = 4}, {.method = method, .tolerance = tolerance});
    ASSERT_EQ(found.rank(), 4);
    double tail = 0, total = 0;
    for (std::size_t k = 0; k < expected.size(); ++k)
      (k < 4 ? total : tail) += double(expected[k]) * expected[k];
    EXPECT_GE(found.discarded_weight, tail / (total + tail));
    EXPECT_LT(found.discarded_weight, 1);
    for (std::size_t k = 0; k < 4; ++k)
      EXPECT_NEAR(found.singular_values[k], expected[k], tolerance * expected[0]);
  }
  EXPECT_THROW(svd(product, {.max_rank = 4}, {.method = SvdMethod::gram}), InputError);
}

}  // namespace
}  // namespace rankine::testing
