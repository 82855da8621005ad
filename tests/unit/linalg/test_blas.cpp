// Products of views against plain loops, for every scalar type and operation.
#include <gtest/gtest.h>

#include <limits>

#include "../../random_matrix.hpp"
#include "core/errors.hpp"
#include "linalg/blas.hpp"

namespace rankine::linalg {
namespace {

using rankine::testing::distance;
using rankine::testing::random_matrix;

template <class T>
class Blas : public ::testing::Test {
 protected:
  static constexpr double tolerance = 100 * std::numeric_limits<Real<T>>::epsilon();

  static T element(const Matrix<T>& a, Op op, std::int64_t i, std::int64_t j) {
    if (op == Op::none) return a(i, j);
    return op == Op::transpose ? a(j, i) : conjugate(a(j, i));
  }
};
using Scalars = ::testing::Types<float, double, std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(Blas, Scalars);

TYPED_TEST(Blas, GemmEqualsLoopsForAllOperations) {
  using T = TypeParam;
  for (Op a_op : {Op::none, Op::transpose, Op::adjoint})
    for (Op b_op : {Op::none, Op::transpose, Op::adjoint}) {
      const auto a = a_op == Op::none ? random_matrix<T>(5, 3, 1) : random_matrix<T>(3, 5, 1);
      const auto b = b_op == Op::none ? random_matrix<T>(3, 4, 2) : random_matrix<T>(4, 3, 2);
      auto c = random_matrix<T>(5, 4, 3);
      Matrix<T> expected(5, 4);
      for (int i = 0; i < 5; ++i)
        for (int j = 0; j < 4; ++j) {
          expected(i, j) = T(2) * c(i, j);
          for (int k = 0; k < 3; ++k)
            expected(i, j) += T(3) * this->element(a, a_op, i, k) * this->element(b, b_op, k, j);
        }
      gemm<T>(a_op, b_op, T(3), a.view(), b.view(), T(2), c.view());
      EXPECT_LT(distance(c, expected), this->tolerance);
    }
}

TYPED_TEST(Blas, HerkGivesTheUpperTriangleOfTheGramMatrix) {
  using T = TypeParam;
  const auto a = random_matrix<T>(4, 6, 1);
  for (Op op : {Op::none, Op::adjoint}) {
    const int n = op == Op::none ? 4 : 6;
    Matrix<T> gram(n, n), expected(n, n);
    gram.fill(T{});
    herk<T>(op, a.view(), 0, gram.view());
    gemm<T>(op == Op::none ? Op::none : Op::adjoint, op == Op::none ? Op::adjoint : Op::none, T(1),
            a.view(), a.view(), T(0), expected.view());
    for (int j = 0; j < n; ++j)
      for (int i = 0; i <= j; ++i)
        EXPECT_LT(std::abs(gram(i, j) - expected(i, j)), this->tolerance);
  }
}

TEST(BlasInt, RefusesWhatDoesNotFit32Bits) {
  EXPECT_EQ(blas_int(2147483647), 2147483647);
  EXPECT_THROW(blas_int(2147483648), ResourceError);
}

}  // namespace
}  // namespace rankine::linalg
