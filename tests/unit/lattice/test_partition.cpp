// Partitions cover every site, balance cost, and allow more parts than sites.
#include <gtest/gtest.h>

#include <algorithm>

#include "lattice/lattices.hpp"
#include "lattice/partition.hpp"

namespace rankine::lattice {
namespace {

TEST(Partition, BalancesTheCostOfEagle) {
  const Graph graph = eagle();
  std::vector<double> cost;
  for (int site = 0; site < graph.n_sites(); ++site)
    cost.push_back(graph.degree(site) == 3 ? 64 : 1);
  const double total = 36 * 64 + 91;
  for (int parts : {1, 2, 3, 4}) {
    const auto owner = partition(graph, parts, cost);
    std::vector<double> load(parts, 0);
    for (int site = 0; site < graph.n_sites(); ++site) load.at(owner[site]) += cost[site];
    EXPECT_LT(std::ranges::max(load), 1.06 * total / parts) << parts;
  }
}

TEST(Partition, IsTheSameEveryTime) {
  const Graph graph = osprey();
  const std::vector<double> cost(graph.n_sites(), 1.0);
  EXPECT_EQ(partition(graph, 3, cost), partition(graph, 3, cost));
}

TEST(Partition, LeavesRanksIdleWhenThereAreMoreThanSites) {
  const auto owner = partition(infinite_heavy_hex(), 8, std::vector<double>(5, 0.0));
  ASSERT_EQ(owner.size(), 5u);
  for (int part : owner) EXPECT_TRUE(part >= 0 && part < 8);
}

}  // namespace
}  // namespace rankine::lattice
