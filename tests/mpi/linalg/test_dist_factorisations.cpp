// QR, TSQR, Cholesky, eigenpairs, interpolative decomposition and products of distributed matrices.
#include <cmath>
#include <numeric>
#include <set>

#include "core/errors.hpp"
#include "dist_testing.hpp"
#include "linalg/distributed/dist_factorisations.hpp"
#include "linalg/distributed/interpolation.hpp"

namespace rankine::testing {
namespace {

template <class T>
class DistFactorisations : public ::testing::Test {
 protected:
  Layouts layouts_;

  static Matrix<T> product(Op op_a, const Matrix<T>& a, Op op_b, const Matrix<T>& b) {
    Matrix<T> c(op_a == Op::none ? a.rows() : a.columns(),
                op_b == Op::none ? b.columns() : b.rows());
    c.fill(T{});
    if (a.size() > 0 && b.size() > 0) gemm<T>(op_a, op_b, T(1), a.view(), b.view(), T(0), c.view());
    return c;
  }
};
TYPED_TEST_SUITE(DistFactorisations, Scalars);

TYPED_TEST(DistFactorisations, ProductsOfAnyOperandsAndParts) {
  using T = TypeParam;
  const auto a = random_matrix<T>(9, 14, 1), b = random_matrix<T>(14, 11, 2);
  const auto& grid = this->layouts_.square;
  const auto da = spread(a, grid, this->layouts_.cyclic(9, 14, 3)),
             db = spread(b, grid, this->layouts_.cyclic(14, 11, 3));
  DistMatrix<T> dc(grid, this->layouts_.cyclic(9, 11, 3)),
      dg(grid, this->layouts_.cyclic(14, 14, 3));
  gemm<T>(Op::none, Op::none, T(1), da.view(), db.view(), T(0), dc.view());
  EXPECT_LT(distance(all_gather(std::as_const(dc).view()), this->product(Op::none, a, Op::none, b)),
            200 * eps<T>);
  gram<T>(da.view(), dg.view());
  const auto g = all_gather(std::as_const(dg).view()),
             expected = this->product(Op::adjoint, a, Op::none, a);
  for (std::int64_t j = 0; j < 14; ++j)
    for (std::int64_t i = 0; i <= j; ++i)
      EXPECT_LT(std::abs(g(i, j) - expected(i, j)), 200 * eps<T>);
  // A part that begins inside a block.
  DistMatrix<T> dp(grid, this->layouts_.cyclic(5, 11, 3));
  gemm<T>(Op::none, Op::none, T(1), da.view().part(2, 4, 5, 10), db.view().part(4, 0, 10, 11), T(0),
          dp.view());
  const auto part = all_gather(std::as_const(dp).view());
  for (std::int64_t i = 0; i < 5; ++i)
    for (std::int64_t j = 0; j < 11; ++j) {
      T sum{};
      for (std::int64_t k = 4; k < 14; ++k) sum += a(i + 2, k) * b(k, j);
      EXPECT_LT(std::abs(part(i, j) - sum), 200 * eps<T>);
    }
}

TYPED_TEST(DistFactorisations, NormsOfColumnsAndOfAll) {
  using T = TypeParam;
  const auto a = random_matrix<T>(10, 4, 3);
  const auto d = spread(a, this->layouts_.square, this->layouts_.cyclic(10, 4, 2));
  const auto norms = column_norms(d.view());
  double total = 0, largest = 0;
  for (std::int64_t j = 0; j < 4; ++j) {
    double square = 0;
    for (std::int64_t i = 0; i < 10; ++i) {
      square += std::norm(std::complex<double>(a(i, j)));
      largest = std::max<double>(largest, std::abs(a(i, j)));
    }
    EXPECT_NEAR(norms[static_cast<std::size_t>(j)], std::sqrt(square), 1e-12);
    total += square;
  }
  EXPECT_NEAR(frobenius_norm(d.view()), std::sqrt(total), 1e-12);
  EXPECT_NEAR(largest_magnitude(d.view()), largest, 1e-6);
}

TYPED_TEST(DistFactorisations, QrAndTsqrAreOrthonormalAndUpperTriangular) {
  using T = TypeParam;
  for (const auto [m, n] : {std::pair<int, int>{50, 7}, {9, 7}, {7, 7}, {3, 7}, {40, 1}, {1, 3}}) {
    for (const int rank : {7, 2}) {
      SCOPED_TRACE(::testing::Message() << m << " x " << n << ", rank " << rank);
      const auto left = random_matrix<T>(m, rank, 1), right = random_matrix<T>(rank, n, 2);
      const auto a = this->product(Op::none, left, Op::none, right);
      const auto whole = spread(a, this->layouts_.rows, this->layouts_.row_blocks(m, n));
      const double norm = frobenius_norm(whole.view());
      const std::int64_t k = std::min(m, n);
      for (const bool tall : {true, false}) {
        auto factors = tall ? tsqr(spread(a, this->layouts_.rows, this->layouts_.row_blocks(m, n)))
                            : qr(spread(a, this->layouts_.square, this->layouts_.cyclic(m, n, 3)));
        const auto q = all_gather(std::as_const(factors.q).view());
        ASSERT_EQ(q.columns(), k);
        EXPECT_LT(departure_from_orthonormality(q), 50 * m * eps<T>);
        EXPECT_LT(distance(this->product(Op::none, q, Op::none, factors.r), a), 50 * eps<T> * norm);
        for (std::int64_t j = 0; j < n; ++j)
          for (std::int64_t i = j + 1; i < k; ++i) EXPECT_EQ(factors.r(i, j), T{});
      }
    }
  }
}

TYPED_TEST(DistFactorisations, TsqrFactorHasTheGramMatrixOfTheRows) {
  using T = TypeParam;
  for (const auto [m, n] : {std::pair<int, int>{5000, 12}, {20, 12}, {5, 12}, {2, 1}})
    for (const int rank : {12, 3}) {
      const auto left = random_matrix<T>(m, rank, 1), right = random_matrix<T>(rank, n, 2);
      const auto a = this->product(Op::none, left, Op::none, right);
      const auto rows = spread(a, this->layouts_.rows, this->layouts_.row_blocks(m, n));
      const auto r = tsqr_factor(rows.view());
      ASSERT_EQ(r.rows(), n);
      const auto gram = this->product(Op::adjoint, a, Op::none, a);
      double scale = 0;
      for (std::int64_t k = 0; k < n; ++k) scale = std::max<double>(scale, std::abs(gram(k, k)));
      EXPECT_LT(distance(this->product(Op::adjoint, r, Op::none, r), gram),
                200 * std::sqrt(m) * eps<T> * scale);
    }
}

TYPED_TEST(DistFactorisations, EigenpairsOfKnownSpectrum) {
  using T = TypeParam;
  // 600 is beyond what rank 0 solves alone.
  for (const std::int64_t n : {1, 5, 40, 600}) {
    std::vector<double> values;
    for (std::int64_t k = 0; k < n; ++k)
      values.push_back(1 - 1.7 * static_cast<double>(k) / static_cast<double>(n));
    auto q = random_matrix<T>(n, n, 4);
    qr_in_place(q);
    Matrix<T> scaled(n, n);
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t i = 0; i < n; ++i)
        scaled(i, j) = q(i, j) * static_cast<Real<T>>(values[static_cast<std::size_t>(j)]);
    const auto a = this->product(Op::none, scaled, Op::adjoint, q);
    const auto found =
        hermitian_eigen(spread(a, this->layouts_.square, this->layouts_.cyclic(n, n, 16)));
    const auto vectors = all_gather(found.vectors.view());
    EXPECT_LT(departure_from_orthonormality(vectors), 50 * eps<T> * n);
    const auto image = this->product(Op::none, a, Op::none, vectors);
    for (std::int64_t j = 0; j < n; ++j) {
      EXPECT_NEAR(found.values[static_cast<std::size_t>(j)], values[static_cast<std::size_t>(j)],
                  50 * eps<T> * n);
      for (std::int64_t i = 0; i < n; i += 7)
        EXPECT_LT(std::abs(image(i, j) - vectors(i, j) * found.values[static_cast<std::size_t>(j)]),
                  50 * eps<T> * n);
    }
  }
}

TYPED_TEST(DistFactorisations, LeadingEigenpairsAreTheFirstOfAll) {
  using T = TypeParam;
  for (const std::int64_t n : {20, 600}) {  // on one rank, on all
    const auto a = random_matrix<T>(n, n, 7);
    const auto gram = this->product(Op::adjoint, a, Op::none, a);
    const Distribution layout = this->layouts_.cyclic(n, n, 16);
    const auto all = hermitian_eigen(spread(gram, this->layouts_.square, layout)),
               some = leading_hermitian_eigen(spread(gram, this->layouts_.square, layout), 5);
    ASSERT_EQ(some.values.size(), 5U);
    const auto vectors = all_gather(some.vectors.view());
    ASSERT_EQ(vectors.columns(), 5);
    EXPECT_LT(departure_from_orthonormality(vectors), 50 * eps<T> * n);
    const auto image = this->product(Op::none, gram, Op::none, vectors);
    for (std::int64_t k = 0; k < 5; ++k) {
      const auto value = some.values[static_cast<std::size_t>(k)];
      EXPECT_NEAR(value, all.values[static_cast<std::size_t>(k)], 50 * eps<T> * n * all.values[0]);
      for (std::int64_t i = 0; i < n; i += 7)
        EXPECT_LT(std::abs(image(i, k) - vectors(i, k) * value), 50 * eps<T> * n * all.values[0]);
    }
  }
}

TYPED_TEST(DistFactorisations, CholeskyAndItsSolve) {
  using T = TypeParam;
  const auto a = random_matrix<T>(30, 9, 1);
  const auto gram = this->product(Op::adjoint, a, Op::none, a);
  auto factor = spread(gram, this->layouts_.square, this->layouts_.cyclic(9, 9, 2));
  cholesky(factor.view());
  auto whitened = spread(a, this->layouts_.square, this->layouts_.cyclic(30, 9, 2));
  solve_right_upper<T>(std::as_const(factor).view(), whitened.view());
  EXPECT_LT(departure_from_orthonormality(all_gather(std::as_const(whitened).view())),
            500 * eps<T>);
  auto negative = spread(gram, this->layouts_.square, this->layouts_.cyclic(9, 9, 2));
  negative.view().for_each_local([](std::int64_t, std::int64_t, T& value) { value = -value; });
  EXPECT_THROW(cholesky(negative.view()), NumericalError);
}

TYPED_TEST(DistFactorisations, ChosenRowsSpanTheOthers) {
  using T = TypeParam;
  const auto left = random_matrix<T>(40, 6, 1), right = random_matrix<T>(6, 15, 2);
  const auto a = this->product(Op::none, left, Op::none, right);
  const auto d = spread(a, this->layouts_.rows, this->layouts_.row_blocks(40, 15));
  for (const std::int64_t asked : {6, 15}) {  // 15 is lowered to the rank
    const auto found = interpolative_rows(d.view(), asked);
    ASSERT_EQ(std::ssize(found.rows), 6);
    EXPECT_EQ(std::set<std::int64_t>(found.rows.begin(), found.rows.end()).size(), 6U);
    Matrix<T> chosen(6, 15);
    for (std::int64_t i = 0; i < 6; ++i)
      for (std::int64_t j = 0; j < 15; ++j)
        chosen(i, j) = a(found.rows[static_cast<std::size_t>(i)], j);
    EXPECT_LT(distance(this->product(Op::none, found.coefficients, Op::none, chosen), a),
              2000 * eps<T>);
    for (std::int64_t i = 0; i < 6; ++i)
      for (std::int64_t k = 0; k < 6; ++k)
        EXPECT_EQ(found.coefficients(found.rows[static_cast<std::size_t>(i)], k),
                  T(i == k ? 1 : 0));
  }
}

TYPED_TEST(DistFactorisations, ChosenColumnsSpanTheOthers) {
  using T = TypeParam;
  const auto left = random_matrix<T>(11, 6, 1), right = random_matrix<T>(6, 23, 2);
  const auto a = this->product(Op::none, left, Op::none, right);
  for (const std::int64_t asked : {6, 11}) {  // 11 is lowered to the rank
    const auto found = interpolative_columns(
        spread(a, this->layouts_.square, this->layouts_.cyclic(11, 23, 4)), asked);
    ASSERT_EQ(found.rank(), 6);
    EXPECT_EQ(std::set<std::int64_t>(found.order.begin(), found.order.end()).size(), 23U);
    Matrix<T> ordered(11, 23);
    for (std::int64_t j = 0; j < 23; ++j)
      for (std::int64_t i = 0; i < 11; ++i)
        ordered(i, j) = a(i, found.order[static_cast<std::size_t>(j)]);
    Matrix<T> chosen(11, 6), others(11, 17);
    std::copy_n(ordered.data(), chosen.size(), chosen.data());
    std::copy_n(&ordered(0, 6), others.size(), others.data());
    const auto coefficients = all_gather(found.coefficients.view());
    EXPECT_LT(distance(this->product(Op::none, chosen, Op::none, coefficients), others),
              2000 * eps<T>);
  }
}

}  // namespace
}  // namespace rankine::testing
