// Shared values changed while assignments stay: what each change keeps of order, mean and spread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compress/experiments/centroid_changes.hpp"

namespace rankine::compress {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

/// Unevenly spaced values, most entries at the small ones.
SharedValues some_values() {
  SharedValues shared;
  for (int k = 0; k < 32; ++k) {
    const double x = (k - 14.3) / 16;
    shared.values.push_back(0.1 * x + 0.3 * x * x * x);
    shared.members.push_back(static_cast<std::int64_t>(1 + 5000 * std::exp(-8 * x * x)));
  }
  return shared;
}

std::vector<double> change(const std::string& name, std::uint64_t seed) {
  RandomStream random{seed, 0};
  return changed(centroid_change_of(name), some_values(), random);
}

/// Entry by entry, as the definition has it.
Spread spread_of_entries(const std::vector<double>& values,
                         const std::vector<std::int64_t>& members) {
  std::vector<double> entries;
  for (std::size_t k = 0; k < values.size(); ++k)
    entries.insert(entries.end(), static_cast<std::size_t>(members[k]), values[k]);
  double mean = 0, square = 0;
  for (const double entry : entries) mean += entry / static_cast<double>(entries.size());
  for (const double entry : entries)
    square += (entry - mean) * (entry - mean) / static_cast<double>(entries.size());
  return {mean, std::sqrt(square)};
}

TEST(CentroidChanges, TheSpreadIsThatOfTheEntries) {
  const SharedValues shared = some_values();
  const Spread expected = spread_of_entries(shared.values, shared.members);
  const Spread found = spread_of(shared.values, shared.members);
  EXPECT_NEAR(found.mean, expected.mean, 1e-12);
  EXPECT_NEAR(found.deviation, expected.deviation, 1e-12);
}

TEST(CentroidChanges, ScramblingPermutesTheValues) {
  std::vector<double> values = change("scrambled", 1);
  EXPECT_FALSE(std::ranges::is_sorted(values));
  std::ranges::sort(values);
  EXPECT_THAT(values, ElementsAreArray(some_values().values));
}

TEST(CentroidChanges, CorrectedOnesHaveMeanAndDeviationOfTheMatrix) {
  const SharedValues shared = some_values();
  const Spread matrix = spread_of_entries(shared.values, shared.members);
  for (const char* name : {"scrambled-matched", "redrawn-rescaled", "redrawn-by-share"})
    for (const std::uint64_t seed : {1, 2, 3}) {
      const Spread found = spread_of_entries(change(name, seed), shared.members);
      EXPECT_NEAR(found.mean, matrix.mean, 1e-12) << name;
      EXPECT_NEAR(found.deviation / matrix.deviation, 1, 1e-12) << name;
    }
}

TEST(CentroidChanges, RedrawingKeepsTheRanksAndLosesTheSpread) {
  const Spread matrix = spread_of(some_values().values, some_values().members);
  for (const std::uint64_t seed : {1, 2, 3}) {
    for (const char* name : {"redrawn", "redrawn-rescaled", "redrawn-by-share"})
      EXPECT_TRUE(std::ranges::is_sorted(change(name, seed))) << name;
    const Spread found = spread_of(change("redrawn", seed), some_values().members);
    EXPECT_GT(std::abs(found.deviation / matrix.deviation - 1), 0.05);
  }
}

TEST(CentroidChanges, RescalingIsAffineWithAPositiveFactor) {
  for (const auto& [plain, corrected] :
       {std::pair("scrambled", "scrambled-matched"), std::pair("redrawn", "redrawn-rescaled")}) {
    const std::vector<double> w = change(plain, 4), v = change(corrected, 4);
    const double a = (v[5] - v[0]) / (w[5] - w[0]);
    EXPECT_GT(a, 0);
    for (std::size_t k = 0; k < w.size(); ++k) EXPECT_NEAR(v[k], v[0] + a * (w[k] - w[0]), 1e-13);
  }
}

/// The middle of each of `clusters` equal parts of the distribution.
SharedValues parts_of(const HeavyTail& distribution, int clusters) {
  SharedValues shared;
  for (int k = 0; k < clusters; ++k) {
    shared.values.push_back(3 + 0.2 * distribution.quantile((k + 0.5) / clusters));
    shared.members.push_back(50);
  }
  return shared;
}

TEST(CentroidChanges, TheTailOfADistributionIsFound) {
  for (const double h : {0.0, 0.05, 0.15})
    EXPECT_NEAR(HeavyTail::fit(parts_of({h}, 20000)).h, h, 2e-3);
}

TEST(CentroidChanges, SharesOfAKnownDistributionBringItsValuesBack) {
  for (const double h : {0.0, 0.15}) {
    const SharedValues shared = parts_of({h}, 200);
    RandomStream random{5};
    const auto values = changed(CentroidChange::redrawn_by_share, shared, random);
    EXPECT_NE(values, shared.values);
    for (std::size_t k = 10; k < 190; ++k)  // the outermost draws decide the scale to a few percent
      EXPECT_NEAR(
          values[k], shared.values[k],
          shared.values[k + 1] - shared.values[k - 1] + 0.04 * std::abs(shared.values[k] - 3));
  }
}

TEST(CentroidChanges, EqualSeedsGiveEqualValuesAndOthersDiffer) {
  for (const std::string& name : centroid_change_names()) {
    EXPECT_EQ(change(name, 9), change(name, 9));
    EXPECT_NE(change(name, 9), change(name, 10));
  }
}

TEST(CentroidChanges, OneValueStaysWhereItIs) {
  RandomStream random{6};
  const SharedValues shared{.values = {0.25}, .members = {100}};
  EXPECT_THAT(changed(CentroidChange::redrawn_rescaled, shared, random), ElementsAre(0.25));
  EXPECT_THAT(rescaled({1, 1}, {3, 4}, {.mean = 2, .deviation = 5}), ElementsAre(2, 2));
}

}  // namespace
}  // namespace rankine::compress
