// Products with the legs of a site tensor against plain loops over all indices.
#include <gtest/gtest.h>

#include <limits>

#include "circuit/pauli.hpp"
#include "core/errors.hpp"
#include "gpeps/state/site_tensor.hpp"
#include "random_matrix.hpp"

namespace rankine::gpeps {
namespace {

using linalg::Matrix;
using linalg::Real;
using rankine::testing::random_matrix;

template <class T>
class SiteTensors : public ::testing::Test {
 protected:
  static constexpr double tolerance = 200 * std::numeric_limits<Real<T>>::epsilon();

  static SiteTensor<T> random_tensor(std::vector<std::int64_t> dimensions, int d) {
    SiteTensor<T> tensor;
    tensor.dimensions = std::move(dimensions);
    for (std::size_t leg = 0; leg < tensor.dimensions.size(); ++leg)
      tensor.legs.push_back(10 + static_cast<int>(leg));
    tensor.physical_dimension = d;
    const auto numbers = random_matrix<T>(tensor.block_size(), d, 5);
    tensor.elements = linalg::Buffer<T>(numbers.size());
    std::ranges::copy(numbers.span(), tensor.elements.data());
    return tensor;
  }
  static T at(const T* block, LegShape shape, std::int64_t l, std::int64_t k, std::int64_t r) {
    return block[l + shape.left * (k + shape.dimension * r)];
  }
};
using Scalars = ::testing::Types<float, double, std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(SiteTensors, Scalars);

TYPED_TEST(SiteTensors, MultiplyEveryLegInPlaceAndCyclic) {
  using T = TypeParam;
  const auto tensor = this->random_tensor({3, 4, 2}, 2);
  for (int leg = 0; leg < 3; ++leg) {
    const LegShape shape = shape_from_leg(tensor.dimensions, leg);
    const auto y = random_matrix<T>(shape.dimension, 5, 9);
    const LegShape grown{shape.left, 5, shape.right};
    std::vector<T> in_place(shape.left * 5 * shape.right), cyclic(in_place.size());
    multiply_leg<T>(tensor.block(1), shape, y.view(), T(0), in_place.data(),
                    LegPlacement::in_place);
    multiply_leg<T>(tensor.block(1), shape, y.view(), T(0), cyclic.data(), LegPlacement::cyclic);
    for (std::int64_t l = 0; l < shape.left; ++l)
      for (std::int64_t x = 0; x < 5; ++x)
        for (std::int64_t r = 0; r < shape.right; ++r) {
          T expected{};
          for (std::int64_t k = 0; k < shape.dimension; ++k)
            expected += this->at(tensor.block(1), shape, l, k, r) * y(k, x);
          EXPECT_LT(std::abs(this->at(in_place.data(), grown, l, x, r) - expected),
                    this->tolerance);
          const T moved =
              leg == 0 ? cyclic[r + shape.right * x] : this->at(cyclic.data(), grown, l, x, r);
          EXPECT_LT(std::abs(moved - expected), this->tolerance);
        }
  }
}

TYPED_TEST(SiteTensors, GramAndOverlapOfEveryLeg) {
  using T = TypeParam;
  const auto tensor = this->random_tensor({3, 4, 2}, 2);
  for (int leg = 0; leg < 3; ++leg) {
    const LegShape shape = shape_from_leg(tensor.dimensions, leg);
    const Matrix<T> gram = leg_gram(tensor.block(0), shape);
    Matrix<T> same(shape.dimension, shape.dimension), mixed(shape.dimension, shape.dimension);
    same.fill(T{}), mixed.fill(T{});
    add_leg_overlap(tensor.block(0), tensor.block(0), shape, same);
    add_leg_overlap(tensor.block(0), tensor.block(1), shape, mixed);
    for (std::int64_t l = 0; l < shape.dimension; ++l)
      for (std::int64_t k = 0; k < shape.dimension; ++k) {
        T expected{}, cross{};
        for (std::int64_t x = 0; x < shape.left; ++x)
          for (std::int64_t r = 0; r < shape.right; ++r) {
            const T bra = linalg::conjugate(this->at(tensor.block(0), shape, x, k, r));
            expected += bra * this->at(tensor.block(0), shape, x, l, r);
            cross += bra * this->at(tensor.block(1), shape, x, l, r);
          }
        EXPECT_LT(std::abs(same(k, l) - expected), this->tolerance);
        EXPECT_LT(std::abs(mixed(k, l) - cross), this->tolerance);
        if (k <= l) EXPECT_LT(std::abs(gram(k, l) - expected), this->tolerance);
      }
  }
}

TYPED_TEST(SiteTensors, OperatorsActOnThePhysicalIndexOfAnyDimension) {
  using T = TypeParam;
  for (int d : {2, 3}) {
    const auto before = this->random_tensor({2, 3}, d);
    auto after = before.copy();
    std::vector<circuit::Complex> elements;
    for (int k = 0; k < d * d; ++k) elements.push_back(0.5 * k - 1.0);
    const circuit::Operator op("op", 1, d, elements);
    apply_operator(after, op);
    for (std::int64_t k = 0; k < before.block_size(); ++k)
      for (int row = 0; row < d; ++row) {
        T expected{};
        for (int q = 0; q < d; ++q)
          expected += linalg::from_complex<T>(op(row, q)) * before.block(q)[k];
        EXPECT_LT(std::abs(after.block(row)[k] - expected), this->tolerance);
      }
  }
}

TYPED_TEST(SiteTensors, DensityOfAProductState) {
  const auto zero = SiteTensor<TypeParam>::product_state({4, 7}, {1, 0});
  EXPECT_DOUBLE_EQ(expectation(zero, circuit::pauli_operator('Z')), 1);
  EXPECT_DOUBLE_EQ(expectation(zero, circuit::pauli_operator('X')), 0);
}

TYPED_TEST(SiteTensors, NothingIsMeasuredOnNan) {
  auto tensor = SiteTensor<TypeParam>::product_state({0}, {1, 0});
  tensor.elements.data()[0] = std::numeric_limits<Real<TypeParam>>::quiet_NaN();
  EXPECT_THROW(one_site_density(tensor), NumericalError);
}

}  // namespace
}  // namespace rankine::gpeps
