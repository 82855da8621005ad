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
      const auto cluster = smallest_cluster(graph, sites);
      EXPECT_EQ(std::ssize(cluster.sites), brute_force_size(graph, support)) << support;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("closes a loop"));
    }
  }
}

TEST(Cluster, OrdersEverySiteAfterItsParent) {
  const Graph graph = eagle();
  const std::vector<int> support{8, 9, 12, 13, 17, 28, 29, 30, 31, 32};
  const auto cluster = smallest_cluster(graph, support);
  EXPECT_EQ(cluster.sites.size(), 12u);  // the gap between 9 and 12 needs two more
  for (std::size_t p = 1; p < cluster.sites.size(); ++p) {
    ASSERT_LT(cluster.parent[p], static_cast<int>(p));
    EXPECT_EQ(graph.neighbour(cluster.sites[p], cluster.parent_edge[p]),
              cluster.sites[cluster.parent[p]]);
  }
}

TEST(Cluster, OpensLoopsAndRefusesDisconnectedSupport) {
  const Graph ring("ring", 6, {{0, 1, 0}, {1, 2, 1}, {2, 0, 2}, {3, 4, 0}, {4, 5, 1}});
  const auto cluster = smallest_cluster(ring, std::vector{0, 1, 2});
  EXPECT_EQ(cluster.sites.size(), 3u);
  EXPECT_EQ(cluster.closing_edges.size(), 1u);
  EXPECT_EQ(smallest_cluster(ring, std::vector{3, 5}).sites.size(), 3u);
  try {
    smallest_cluster(ring, std::vector{0, 4});
    FAIL() << "nothing joins the two";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("no path joins"));
  }
}

TEST(Cluster, OfManyPartsGrowsFromPartToNearestPart) {
  // Every second site of a chain: twelve parts, more than are tried in all orders.
  std::vector<Edge> edges;
  for (int site = 0; site + 1 < 30; ++site) edges.push_back({site, site + 1, site % 2});
  const Graph chain("chain", 30, edges);
  std::vector<int> support;
  for (int site = 3; site < 27; site += 2) support.push_back(site);
  const auto cluster = smallest_cluster(chain, support);
  EXPECT_EQ(cluster.sites.size(), 23u);
  EXPECT_TRUE(cluster.closing_edges.empty());
}

TEST(GrownByOneLoop, TakesTheShortestLoopThroughEveryEdgeOnce) {
  // A square 0-3 and a triangle 0, 4, 5 meet in site 0; a branch 6, 7 hangs on site 2.
  const Graph graph("loops", 8,
                    {{0, 1, 0},
                     {1, 2, 1},
                     {2, 3, 0},
                     {3, 0, 1},
                     {0, 4, 2},
                     {4, 5, 0},
                     {5, 0, 3},
                     {2, 6, 2},
                     {6, 7, 0}});
  const std::vector<std::int64_t> dimensions(9, 2);
  const auto at_0 = grown_by_one_loop(graph, dimensions, {{0}, {-1}, {-1}, {}});
  ASSERT_EQ(at_0.size(), 2u);
  for (const auto& cluster : at_0) EXPECT_EQ(cluster.closing_edges.size(), 1u);
  EXPECT_EQ(at_0[0].sites.size() + at_0[1].sites.size(), 7u);
  const auto at_7 = grown_by_one_loop(graph, dimensions, {{7}, {-1}, {-1}, {}});
  ASSERT_EQ(at_7.size(), 1u);
  EXPECT_THAT(at_7[0].sites, ::testing::UnorderedElementsAre(7, 6, 2, 1, 3, 0));
  std::vector<std::int64_t> without = dimensions;
  without[2] = 1;  // the square is cut open
  EXPECT_EQ(grown_by_one_loop(graph, without, {{0}, {-1}, {-1}, {}}).size(), 1u);
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
