// One bond: the operator-Schmidt form of gates, and the two routes to the same update.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "circuit/gate.hpp"
#include "core/errors.hpp"
#include "gpeps/state/bond_update.hpp"
#include "random_matrix.hpp"

namespace rankine::gpeps {
namespace {

using circuit::Complex;
using linalg::Matrix;
using linalg::Real;
using rankine::testing::random_matrix;

template <class T>
double distance_from_sum(const circuit::Operator& op, const GateSides<T>& sides) {
  const int d = op.dimension();
  double largest = 0;
  for (int row = 0; row < d * d; ++row)
    for (int column = 0; column < d * d; ++column) {
      Complex sum = 0;
      for (int g = 0; g < sides.a.rank; ++g)
        sum += Complex(sides.a(g, row / d, column / d)) * Complex(sides.b(g, row % d, column % d));
      largest = std::max(largest, std::abs(sum - op(row, column)));
    }
  return largest;
}

TEST(Decompose, GivesAsManyTermsAsTheGateNeeds) {
  using C = std::complex<double>;
  for (const auto& [op, rank] : {std::pair{circuit::rzz(0.4), 2},
                                 {circuit::rzz(0), 1},
                                 {circuit::fixed_gate("cz"), 2},
                                 {circuit::fixed_gate("cx"), 2},
                                 {circuit::rxx(0.3), 2},
                                 {circuit::fixed_gate("swap"), 4}}) {
    const auto sides = decompose<C>(*op);
    EXPECT_EQ(sides.a.rank, rank) << op->name();
    EXPECT_LT(distance_from_sum(*op, sides), 1e-14) << op->name();
    EXPECT_EQ(sides.a.diagonal, op->is_diagonal());
  }
}

TEST(Decompose, OfRealGatesIsRealAndComplexOnesAreRefused) {
  const auto sides = decompose<double>(*circuit::fixed_gate("cx"));
  EXPECT_LT(distance_from_sum(*circuit::fixed_gate("cx"), sides), 1e-14);
  EXPECT_THROW(decompose<double>(*circuit::rzz(0.3)), InputError);
}

template <class T>
SiteTensor<T> random_site(std::vector<int> legs, std::vector<std::int64_t> dimensions,
                          unsigned seed) {
  SiteTensor<T> tensor{std::move(legs), std::move(dimensions), 2, {}};
  const auto numbers = random_matrix<T>(tensor.block_size(), 2, seed);
  tensor.elements = linalg::Buffer<T>(numbers.size());
  std::ranges::copy(numbers.span(), tensor.elements.data());
  return tensor;
}

/// The two-site tensor over edge 0 with its weights in the middle once: rows (others of a, q_a),
/// columns (others of b, q_b).
template <class T>
Matrix<T> joined(const SiteTensor<T>& a, const SiteTensor<T>& b,
                 const std::vector<Real<T>>& weights) {
  const LegShape sa = shape_from_leg(a.dimensions, a.leg_of(0)),
                 sb = shape_from_leg(b.dimensions, b.leg_of(0));
  const std::int64_t na = sa.left * sa.right, nb = sb.left * sb.right;
  Matrix<T> out(2 * na, 2 * nb);
  out.fill(T{});
  for (int qa = 0; qa < 2; ++qa)
    for (int qb = 0; qb < 2; ++qb)
      for (std::int64_t i = 0; i < na; ++i)
        for (std::int64_t j = 0; j < nb; ++j)
          for (std::int64_t k = 0; k < sa.dimension; ++k)
            out(qa * na + i, qb * nb + j) +=
                a.block(qa)[i % sa.left + sa.left * (k + sa.dimension * (i / sa.left))] *
                b.block(qb)[j % sb.left + sb.left * (k + sb.dimension * (j / sb.left))] /
                weights[k];
  return out;
}

template <class T>
double norm(const Matrix<T>& a) {
  double sum = 0;
  for (T value : a.span()) sum += linalg::squared_magnitude(value);
  return std::sqrt(sum);
}

/// |<x|y>| / (|x| |y|): 1 when the two agree up to norm and phase.
template <class T>
double overlap(const Matrix<T>& x, const Matrix<T>& y) {
  Complex sum = 0;
  for (std::int64_t k = 0; k < x.size(); ++k)
    sum += Complex(linalg::conjugate(x.data()[k]) * y.data()[k]);
  return std::abs(sum) / norm(x) / norm(y);
}

class BondUpdate : public ::testing::TestWithParam<std::tuple<const char*, Route, int>> {};

TEST_P(BondUpdate, WithoutTruncationAppliesTheGateExactly) {
  using C = std::complex<double>;
  const auto [name, route, leg] = GetParam();
  const auto op = std::string(name) == "rzz" ? circuit::rzz(0.7) : circuit::fixed_gate(name);
  // Edge 0 joins the two sites, at the leg asked for on site a.
  std::vector<int> legs{1, 2};
  legs.insert(legs.begin() + leg, 0);
  auto a = random_site<C>(legs, {3, 3, 3}, 1);
  auto b = random_site<C>({0, 3}, {3, 5}, 2);
  std::vector<double> weights{0.8, 0.5, 0.1};
  const auto sides = decompose<C>(*op);

  Matrix<C> before = joined(a, b, weights), expected(before.rows(), before.columns());
  const std::int64_t na = before.rows() / 2, nb = before.columns() / 2;
  expected.fill(C{});
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 4; ++column)
      for (std::int64_t i = 0; i < na; ++i)
        for (std::int64_t j = 0; j < nb; ++j)
          expected((row / 2) * na + i, (row % 2) * nb + j) +=
              (*op)(row, column) * before((column / 2) * na + i, (column % 2) * nb + j);

  const auto fa = bond_factor<C>(a, a.leg_of(0), weights, sides.a, route);
  const auto fb = bond_factor<C>(b, b.leg_of(0), weights, sides.b, route);
  auto bond = truncate_bond<C>(fa.view(), fb.view(), weights, {.discarded_weight_max = 1e-26});
  linalg::Buffer<C> spare;
  update_site(a, a.leg_of(0), sides.a, bond.a.view(), spare);
  update_site(b, b.leg_of(0), sides.b, bond.b.view(), spare);

  const auto after = joined(a, b, bond.weights);
  EXPECT_NEAR(overlap(after, expected), 1, 1e-13);
  // New tensors carry unit norm, and so do the weights.
  double weight = 0;
  for (double value : bond.weights) weight += value * value;
  EXPECT_NEAR(weight, 1, 1e-13);
  for (const auto* site : {&a, &b}) {
    double sum = 0;
    for (C value : site->elements.span()) sum += std::norm(value);
    EXPECT_NEAR(sum, 1, 1e-12);
  }
  if (leg == 0) EXPECT_EQ(a.legs, (std::vector{1, 2, 0})) << "a first leg moves to the end";
}

INSTANTIATE_TEST_SUITE_P(Gates, BondUpdate,
                         ::testing::Combine(::testing::Values("rzz", "cz", "cx", "swap"),
                                            ::testing::Values(Route::gram, Route::qr),
                                            ::testing::Values(0, 1, 2)));

TEST(TruncateBond, KeepsTheLargestAndReportsTheRest) {
  using C = std::complex<double>;
  auto a = random_site<C>({0, 1}, {4, 6}, 1), b = random_site<C>({0, 2}, {4, 6}, 2);
  const std::vector<double> weights{0.7, 0.5, 0.4, 0.3};
  const auto sides = decompose<C>(*circuit::rzz(1.0));
  const auto fa = bond_factor<C>(a, 0, weights, sides.a, Route::gram);
  const auto fb = bond_factor<C>(b, 0, weights, sides.b, Route::gram);
  const auto full = truncate_bond<C>(fa.view(), fb.view(), weights, {});
  const auto kept = truncate_bond<C>(fa.view(), fb.view(), weights, {.max_rank = 3});
  ASSERT_EQ(kept.weights.size(), 3u);
  double rest = 0;
  for (std::size_t k = 3; k < full.weights.size(); ++k) rest += full.weights[k] * full.weights[k];
  EXPECT_NEAR(kept.discarded_weight, rest, 1e-12);
  for (std::size_t k = 0; k < 3; ++k)
    EXPECT_NEAR(kept.weights[k], full.weights[k] / std::sqrt(1 - rest), 1e-12);
}

}  // namespace
}  // namespace rankine::gpeps
