// Optimal clusters against every partition there is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "weights/making/optimal_clusters.hpp"

namespace rankine::weights {
namespace {

using Values = std::vector<WeightedValue>;

double cost_of_group(const Values& values, const std::vector<int>& groups, int group) {
  double weight = 0, sum = 0, cost = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (groups[i] == group) {
      weight += values[i].weight;
      sum += values[i].weight * values[i].value;
    }
  for (std::size_t i = 0; i < values.size(); ++i)
    if (groups[i] == group)
      cost +=
          values[i].weight * (values[i].value - sum / weight) * (values[i].value - sum / weight);
  return cost;
}

/// The least cost over all assignments of the values to `clusters` groups, intervals or not.
double least_cost(const Values& values, int clusters) {
  std::vector<int> groups(values.size(), 0);
  double least = INFINITY;
  while (true) {
    double cost = 0;
    for (int group = 0; group < clusters; ++group) cost += cost_of_group(values, groups, group);
    least = std::min(least, cost);
    std::size_t digit = 0;
    while (digit < groups.size() && ++groups[digit] == clusters) groups[digit++] = 0;
    if (digit == groups.size()) return least;
  }
}

Values random_values(std::size_t count, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(3, 2);
  std::uniform_real_distribution<double> weight(0.2, 5);
  Values values;
  for (std::size_t i = 0; i < count; ++i) values.push_back({normal(engine), weight(engine)});
  std::ranges::sort(values, {}, &WeightedValue::value);
  return values;
}

TEST(OptimalClusters, CostAsLittleAsTheBestOfAllPartitions) {
  for (unsigned seed = 0; seed < 12; ++seed)
    for (int clusters = 1; clusters <= 4; ++clusters) {
      const Values values = random_values(2 + seed % 7, seed);
      const Clusters found = optimal_clusters(values, clusters);
      const double least = least_cost(values, clusters);
      EXPECT_NEAR(found.cost, least, 1e-12 * (1 + least)) << seed << " " << clusters;
    }
}

TEST(OptimalClusters, CentroidsAndEndsHaveThatCost) {
  const Values values = random_values(500, 7);
  for (const int clusters : {1, 2, 5, 16, 64}) {
    const Clusters found = optimal_clusters(values, clusters);
    ASSERT_EQ(std::ssize(found.centroids), clusters);
    EXPECT_TRUE(std::ranges::is_sorted(found.centroids));
    EXPECT_EQ(found.ends.back(), 500);
    double cost = 0;
    std::int64_t begin = 0;
    for (std::size_t k = 0; k < found.ends.size(); ++k) {
      EXPECT_LT(begin, found.ends[k]);
      for (; begin < found.ends[k]; ++begin) {
        const WeightedValue& v = values[static_cast<std::size_t>(begin)];
        cost += v.weight * std::pow(v.value - found.centroids[k], 2);
        // No other centroid is nearer.
        for (const double centroid : found.centroids)
          EXPECT_LE(std::abs(v.value - found.centroids[k]), std::abs(v.value - centroid) + 1e-12);
      }
    }
    EXPECT_NEAR(cost, found.cost, 1e-9 * (1 + cost));
  }
}

TEST(OptimalClusters, AsManyAsValuesCostNothing) {
  const Values values = random_values(6, 3);
  for (const int clusters : {6, 9}) {
    const Clusters found = optimal_clusters(values, clusters);
    ASSERT_EQ(found.centroids.size(), 6u);
    EXPECT_EQ(found.cost, 0);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(found.centroids[i], values[i].value);
  }
  // A dynamic programme over these would take gigabytes.
  const Values many = random_values(60'000, 4);
  EXPECT_EQ(optimal_clusters(many, 65'536).centroids.size(), many.size());
  EXPECT_TRUE(optimal_clusters({}, 3).centroids.empty());
}

TEST(OptimalClusters, HeavyValuesDrawCentroids) {
  // Two clusters for three values: the heavy pair must be told apart, whatever the distance.
  const Values values{{0, 1e9}, {1, 1e9}, {10, 1e-3}};
  const Clusters found = optimal_clusters(values, 2);
  EXPECT_EQ(found.ends, (std::vector<std::int64_t>{1, 3}));
}

}  // namespace
}  // namespace rankine::weights
