// Hidden units that leave: the matrix that reads the rest is the best one, and the units are the
// right ones.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <vector>

#include "weights/making/unit_selection.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

constexpr std::int64_t units = 9, outputs = 4;

Tensor random_matrix(std::int64_t rows, std::int64_t columns, int seed) {
  torch::manual_seed(seed);
  return torch::randn({rows, columns}, torch::kFloat64);
}

Tensor moment(std::int64_t n, int seed) {
  const Tensor root = random_matrix(n, 3 * n, seed);
  return root.matmul(root.t());
}

MomentNorm two_sided() { return {moment(units, 2), moment(outputs, 3)}; }

/// W H[:, S] H[S, S]^-1, the best matrix that reads units S alone, as one that reads all.
Tensor best_on(const Tensor& w, const Tensor& h, const std::vector<std::int64_t>& kept) {
  const Tensor s = torch::tensor(kept, torch::kInt64);
  const Tensor columns = h.index_select(1, s), block = columns.index_select(0, s);
  return torch::zeros_like(w).index_copy(1, s,
                                         torch::linalg_solve(block, w.matmul(columns).t()).t());
}

std::vector<std::int64_t> all_but(std::int64_t gone) {
  std::vector<std::int64_t> kept;
  for (std::int64_t unit = 0; unit < units; ++unit)
    if (unit != gone) kept.push_back(unit);
  return kept;
}

TEST(UnitSelection, MatrixIsTheBestOnItsUnits) {
  const Tensor w = random_matrix(outputs, units, 1);
  for (const MomentNorm& norm : {two_sided(), MomentNorm{moment(units, 5), {}}})
    for (const std::int64_t count : {8, 5, 1}) {
      const SelectedUnits found = select_units(w, norm, count);
      ASSERT_EQ(std::ssize(found.kept), count);
      const Tensor best = best_on(w, norm.inputs, found.kept);
      const Tensor left = best.index_select(1, torch::tensor(found.kept, torch::kInt64));
      EXPECT_LT((found.w - left).abs().max().item<double>(), 1e-12);
      EXPECT_NEAR(found.error, std::sqrt(norm.squared(w - best) / norm.squared(w)), 1e-12);
    }
}

TEST(UnitSelection, FirstToLeaveIsTheOneThatCostsLeast) {
  const Tensor w = random_matrix(outputs, units, 1);
  const MomentNorm norm = two_sided();
  double least = INFINITY;
  std::int64_t cheapest = -1;
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const double cost = norm.squared(w - best_on(w, norm.inputs, all_but(unit)));
    if (cost < least) cheapest = unit;
    least = std::min(least, cost);
  }
  EXPECT_EQ(select_units(w, norm, units - 1).kept, all_but(cheapest));
}

TEST(UnitSelection, OutputMomentDecidesWhatCounts) {
  // Unit 0 alone feeds an output that hardly counts.
  Tensor w = random_matrix(outputs, units, 1);
  w.select(1, 0).zero_();
  w[0][0] = 5;
  const Tensor inputs = torch::eye(units, torch::kFloat64);
  Tensor counts = torch::ones({outputs}, torch::kFloat64);
  counts[0] = 1e-6;
  EXPECT_EQ(select_units(w, {inputs, torch::diag(counts)}, units - 1).kept, all_but(0));
  EXPECT_EQ(select_units(w, {inputs, {}}, units - 1).kept[0], 0);
}

TEST(UnitSelection, UnitsThatOthersMakeUpForCostNothing) {
  // Units 6 to 8 are combinations of the first six.
  const Tensor w = random_matrix(outputs, units, 1);
  Tensor root = random_matrix(units, 40, 4);
  root.narrow(0, 6, 3).copy_(random_matrix(3, 6, 6).matmul(root.narrow(0, 0, 6)));
  const Tensor ridge = 1e-10 * torch::eye(units, torch::kFloat64);
  const SelectedUnits found = select_units(w, {root.matmul(root.t()) + ridge, {}}, 6);
  EXPECT_LT(found.error, 1e-4);
}

TEST(UnitSelection, AllOrNoneMayStay) {
  const Tensor w = random_matrix(outputs, units, 1);
  const SelectedUnits all = select_units(w, two_sided(), units);
  EXPECT_TRUE(torch::equal(all.w, w));
  EXPECT_EQ(all.error, 0);
  const SelectedUnits none = select_units(w, two_sided(), 0);
  EXPECT_EQ(none.w.size(1), 0);
  EXPECT_NEAR(none.error, 1, 1e-12);
}

}  // namespace
}  // namespace rankine::weights
