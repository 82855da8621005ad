// Smallest clusters: against brute force on small graphs, and the reasons for refusal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "core/errors.hpp"
#include "lattice/cluster.hpp"
#include "lattice/lattices.hpp"

namespace rankine::lattice {
namespace {

/// Size of the smallest connected set of sites that holds `support`, by trying all sets.
int brute_force_size(const Graph& graph, unsigned support) {
  int best = graph.n_sites() + 1;
  for (unsigned set = 1; set < 1u << graph.n_sites(); ++set) {
    if ((set & support) != support || std::popcount(set) >= best) continue;
    unsigned reached = set & -set;
    for (unsigned before = 0; before != reached;) {
      before = reached;
      for (const Edge& edge : graph.edges()) {
        const unsigned a = 1u << edge.a, b = 1u << edge.b;
        if ((set & a) && (set & b) && (reached & (a | b))) reached |= a | b;
      }
    }
    if (reached == set) best = std::popcount(set);
  }
  return best;
}

TEST(Cluster, IsAsSmallAsBruteForceFinds) {
  const Graph graph = heavy_hex(2, 7);  // 14 sites
  for (unsigned support = 1; support < 1u << graph.n_sites(); support += 37) {
    std::vector<int> sites;
    for (int site = 0; site < graph.n_sites(); ++site)
      if (support >> site & 1) sites.push_back(site);
    try {
      const auto cluster = smallest_tree_cluster(graph, sites);
      EXPECT_EQ(std::ssize(cluster.sites), brute_force_size(graph, support)) << support;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("closes a loop"));
    }
  }
}

TEST(Cluster, OrdersEverySiteAfterItsParent) {
  const Graph graph = eagle();
  const std::vector<int> support{8, 9, 12, 13, 17, 28, 29, 30, 31, 32};
  const auto cluster = smallest_tree_cluster(graph, support);
  EXPECT_EQ(cluster.sites.size(), 12u);  // the gap between 9 and 12 needs two more
  for (std::size_t p = 1; p < cluster.sites.size(); ++p) {
    ASSERT_LT(cluster.parent[p], static_cast<int>(p));
    EXPECT_EQ(graph.neighbour(cluster.sites[p], cluster.parent_edge[p]),
              cluster.sites[cluster.parent[p]]);
  }
}

TEST(Cluster, RefusesLoopsAndDisconnectedSupport) {
  const Graph ring("ring", 6, {{0, 1, 0}, {1, 2, 1}, {2, 0, 2}, {3, 4, 0}, {4, 5, 1}});
  const auto message = [&](std::vector<int> support) -> std::string {
    try {
      smallest_tree_cluster(ring, support);
    } catch (const InputError& error) {
      return error.what();
    }
    return "found";
  };
  EXPECT_THAT(message({0, 1, 2}), ::testing::HasSubstr("closes a loop"));
  EXPECT_THAT(message({0, 4}), ::testing::HasSubstr("no path joins"));
  EXPECT_EQ(message({3, 5}), "found");
}

TEST(LightConeCluster, HoldsTheLoopsAndDropsTheBranches) {
  // A ring 0-3 with a branch 4-5, a chord-free tail 6 and an unreached ring 7-9.
  const Graph graph("rings", 10,
                    {{0, 1, 0},
                     {1, 2, 1},
                     {2, 3, 0},
                     {3, 0, 1},
                     {0, 4, 2},
                     {4, 5, 0},
                     {2, 6, 2},
                     {7, 8, 0},
                     {8, 9, 1},
                     {9, 7, 2}});
  std::vector<std::int64_t> dimensions{8, 8, 2, 8, 4, 4, 4, 2, 2, 2};
  const auto cluster = light_cone_cluster(graph, dimensions, std::vector{5});
  ASSERT_TRUE(cluster);
  EXPECT_THAT(cluster->sites, ::testing::UnorderedElementsAre(5, 4, 0, 1, 2, 3));
  EXPECT_THAT(cluster->closing_edges, ::testing::ElementsAre(2))
      << "the smallest bond of the ring is opened";
  dimensions[2] = 1;  // nothing passes there: no loop is left
  EXPECT_THAT(light_cone_cluster(graph, dimensions, std::vector{5})->sites,
              ::testing::ElementsAre(5));
  dimensions[4] = 1;
  EXPECT_FALSE(light_cone_cluster(graph, dimensions, std::vector{5, 0})) << "no bond joins the two";
}

TEST(LightConeCluster, CanBeRootedAnywhere) {
  const Graph graph = heavy_hex(3, 7);
  const std::vector<std::int64_t> dimensions(graph.n_edges(), 2);
  const auto cluster = light_cone_cluster(graph, dimensions, std::vector{5});
  ASSERT_TRUE(cluster);
  for (int root : cluster->sites) {
    const auto other = rerooted(graph, *cluster, root);
    EXPECT_EQ(other.sites.front(), root);
    EXPECT_EQ(other.sites.size(), cluster->sites.size());
    EXPECT_EQ(other.closing_edges, cluster->closing_edges);
  }
}

}  // namespace
}  // namespace rankine::lattice
