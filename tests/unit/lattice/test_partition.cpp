// Partitions cover every site, balance cost, and allow more parts than sites.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

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

/// Both standard streams of what `work` prints, in whichever language.
template <class Work>
std::string printed_by(const Work& work) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  work();
  std::fflush(nullptr);
  return ::testing::internal::GetCapturedStdout() + ::testing::internal::GetCapturedStderr();
}

TEST(Partition, GivesEveryPartASiteAndPrintsNothing) {
  // One site holds nearly all the cost, so a half of the cost may hold no other site.
  for (const int n_sites : {2, 3, 5, 9, 20}) {
    std::vector<Edge> edges;
    for (int site = 1; site < n_sites; ++site) edges.push_back({site / 3, site});
    colour_greedily(n_sites, edges);
    const Graph graph("tree", n_sites, edges);
    for (const double largest : {1.0, 1e3, 1e9, 1e200}) {
      std::vector<double> cost(static_cast<std::size_t>(n_sites), 1.0);
      cost[0] = largest;
      for (int parts = 1; parts <= n_sites + 3; ++parts) {
        std::vector<int> owner;
        EXPECT_EQ(printed_by([&] { owner = partition(graph, parts, cost); }), "");
        std::vector<int> sites_of(static_cast<std::size_t>(parts), 0);
        for (const int part : owner) ++sites_of.at(static_cast<std::size_t>(part));
        if (parts <= n_sites)
          EXPECT_GE(std::ranges::min(sites_of), 1) << n_sites << " sites, " << parts << " parts";
        else
          EXPECT_EQ(std::ranges::max(sites_of), 1);
      }
    }
  }
}

}  // namespace
}  // namespace rankine::lattice
