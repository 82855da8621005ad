// Residuals, orthogonality and truncation of the factorisations, in units of eps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../../random_matrix.hpp"
#include "core/errors.hpp"
#include "linalg/blas.hpp"
#include "linalg/factorisations.hpp"
#include "linalg/svd/svd.hpp"

namespace rankine::linalg {
namespace {

using rankine::testing::distance;
using rankine::testing::random_matrix;

template <class T>
Matrix<T> copy(const Matrix<T>& a) {
  Matrix<T> out(a.rows(), a.columns());
  std::copy_n(a.data(), a.size(), out.data());
  return out;
}

template <class T>
class Factorisations : public ::testing::Test {
 protected:
  static constexpr double eps = std::numeric_limits<Real<T>>::epsilon();

  static Matrix<T> rebuilt(const TruncatedSvd<T>& svd, std::int64_t m, std::int64_t n) {
    Matrix<T> us(m, svd.rank()), out(m, n);
    for (std::int64_t k = 0; k < svd.rank(); ++k)
      for (std::int64_t i = 0; i < m; ++i) us(i, k) = svd.u(i, k) * svd.singular_values[k];
    gemm<T>(Op::none, Op::none, T(1), us.view(), svd.vh.leading_rows(svd.rank()), T(0), out.view());
    return out;
  }

  static double departure_from_identity(ConstView<T> q, Op first, Op second) {
    const std::int64_t n = first == Op::adjoint ? q.columns : q.rows;
    Matrix<T> product(n, n);
    gemm<T>(first, second, T(1), q, q, T(0), product.view());
    for (std::int64_t k = 0; k < n; ++k) product(k, k) -= T(1);
    double largest = 0;
    for (T value : product.span()) largest = std::max<double>(largest, std::abs(value));
    return largest;
  }
};
using Scalars = ::testing::Types<float, double, std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(Factorisations, Scalars);

TYPED_TEST(Factorisations, SvdRebuildsTheMatrix) {
  using T = TypeParam;
  for (auto [m, n] : {std::pair{12, 12}, {20, 7}, {7, 20}, {1, 5}, {5, 1}, {1, 1}}) {
    const auto a = random_matrix<T>(m, n, 7);
    const auto svd = linalg::svd(copy(a), {});
    EXPECT_EQ(svd.rank(), std::min(m, n));
    EXPECT_EQ(svd.discarded_weight, 0);
    EXPECT_LT(distance(this->rebuilt(svd, m, n), a), 50 * this->eps * std::max(m, n));
    EXPECT_LT(this->departure_from_identity(svd.u.view(), Op::adjoint, Op::none),
              50 * this->eps * m);
    EXPECT_LT(this->departure_from_identity(svd.vh.view(), Op::none, Op::adjoint),
              50 * this->eps * n);
    EXPECT_TRUE(std::ranges::is_sorted(svd.singular_values, std::greater<>()));
  }
}

TYPED_TEST(Factorisations, SvdKeepsAtMostTheRankAskedFor) {
  using T = TypeParam;
  const auto a = random_matrix<T>(10, 8, 3);
  const auto full = linalg::svd(copy(a), {});
  const auto kept = linalg::svd(copy(a), {.max_rank = 3});
  ASSERT_EQ(kept.rank(), 3);
  double discarded = 0, total = 0;
  for (int k = 0; k < 8; ++k) {
    const double weight = std::pow(double(full.singular_values[k]), 2);
    total += weight;
    if (k >= 3) discarded += weight;
  }
  EXPECT_NEAR(kept.discarded_weight, discarded / total, 10 * this->eps);
}

TYPED_TEST(Factorisations, SvdDiscardsUpToTheWeightAllowed) {
  using T = TypeParam;
  Matrix<T> a(3, 3);
  a.fill(T{});
  a(0, 0) = 4, a(1, 1) = 2, a(2, 2) = 1;  // weights 16/21, 4/21, 1/21
  EXPECT_EQ(linalg::svd(copy(a), {.discarded_weight_max = 0.9 / 21}).rank(), 3);
  EXPECT_EQ(linalg::svd(copy(a), {.discarded_weight_max = 1.1 / 21}).rank(), 2);
  EXPECT_EQ(linalg::svd(copy(a), {.discarded_weight_max = 0.999}).rank(), 1);
}

TYPED_TEST(Factorisations, SvdOfZeroKeepsOneValue) {
  Matrix<TypeParam> zero(4, 3);
  zero.fill(TypeParam{});
  const auto svd = linalg::svd(std::move(zero), {.discarded_weight_max = 1e-10});
  EXPECT_THAT(svd.singular_values, ::testing::ElementsAre(0));
}

TYPED_TEST(Factorisations, SvdRefusesWhatIsNotFinite) {
  auto a = random_matrix<TypeParam>(4, 4, 1);
  a(2, 1) = std::numeric_limits<Real<TypeParam>>::quiet_NaN();
  EXPECT_THROW(linalg::svd(std::move(a), {}), NumericalError);
}

TYPED_TEST(Factorisations, GramAndQrFactorsHaveTheSameGramMatrix) {
  using T = TypeParam;
  for (auto [rows, rank] : {std::pair{9, 6}, {9, 3}, {4, 6}}) {
    // rows x 6 of the given rank
    const auto left = random_matrix<T>(rows, rank, 1), right = random_matrix<T>(rank, 6, 2);
    Matrix<T> a(rows, 6), gram(6, 6);
    gemm<T>(Op::none, Op::none, T(1), left.view(), right.view(), T(0), a.view());
    gemm<T>(Op::adjoint, Op::none, T(1), a.view(), a.view(), T(0), gram.view());
    const auto by_gram = gram_factor(copy(gram)), by_qr = qr_factor(copy(a));
    EXPECT_EQ(by_gram.rows(), std::min(rows, rank));
    EXPECT_EQ(by_qr.rows(), std::min(rows, 6));
    for (const auto* factor : {&by_gram, &by_qr}) {
      Matrix<T> product(6, 6);
      gemm<T>(Op::adjoint, Op::none, T(1), factor->view(), factor->view(), T(0), product.view());
      EXPECT_LT(distance(product, gram), 5000 * this->eps);
    }
  }
}

TYPED_TEST(Factorisations, QrInPlaceGivesBothFactors) {
  using T = TypeParam;
  for (auto [m, n] : {std::pair{9, 4}, {4, 9}, {5, 5}, {1, 3}}) {
    const auto a = random_matrix<T>(m, n, 2);
    auto q = copy(a);
    const auto r = qr_in_place(q);
    ASSERT_EQ(r.rows(), std::min(m, n));
    Matrix<T> product(m, n);
    gemm<T>(Op::none, Op::none, T(1), std::as_const(q).leading_columns(r.rows()), r.view(), T(0),
            product.view());
    EXPECT_LT(distance(product, a), 100 * this->eps);
    EXPECT_LT(this->departure_from_identity(std::as_const(q).leading_columns(r.rows()), Op::adjoint,
                                            Op::none),
              50 * this->eps * m);
  }
}

TYPED_TEST(Factorisations, EigenvectorsDiagonaliseAHermitianMatrix) {
  using T = TypeParam;
  const auto a = random_matrix<T>(8, 8, 2);
  Matrix<T> hermitian(8, 8), image(8, 8);
  gemm<T>(Op::adjoint, Op::none, T(1), a.view(), a.view(), T(0), hermitian.view());
  auto vectors = copy(hermitian);
  const auto values = hermitian_eigen(vectors);
  EXPECT_TRUE(std::ranges::is_sorted(values));
  EXPECT_LT(this->departure_from_identity(vectors.view(), Op::adjoint, Op::none), 400 * this->eps);
  gemm<T>(Op::none, Op::none, T(1), hermitian.view(), vectors.view(), T(0), image.view());
  for (int j = 0; j < 8; ++j)
    for (int i = 0; i < 8; ++i)
      EXPECT_LT(std::abs(image(i, j) - vectors(i, j) * values[j]), 500 * this->eps * values.back());
}

TYPED_TEST(Factorisations, GramFactorOfZeroIsEmptyAndNanIsRefused) {
  Matrix<TypeParam> gram(2, 2);
  gram.fill(TypeParam{});
  EXPECT_EQ(gram_factor(copy(gram)).rows(), 0);
  gram(0, 0) = std::numeric_limits<Real<TypeParam>>::quiet_NaN();
  EXPECT_THROW(gram_factor(copy(gram)), NumericalError);
}

}  // namespace
}  // namespace rankine::linalg
