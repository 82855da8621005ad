// Clusters of sites that hold a given set of sites: the smallest tree, and all loops of a light
// cone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lattice/graph.hpp"

namespace rankine::lattice {

/// A connected set of sites in the form of a rooted spanning tree, in an order in which every site
/// stands after its parent, and the edges that close loops on it.
struct Cluster {
  std::vector<int> sites;          ///< root first
  std::vector<int> parent;         ///< position of the parent in `sites`; -1 for the root
  std::vector<int> parent_edge;    ///< edge to the parent; -1 for the root
  std::vector<int> closing_edges;  ///< edges between sites of the cluster outside the tree
};

/// The smallest connected cluster that holds `support`: a Steiner tree, exact by Dreyfus-Wagner
/// when the support falls into at most 10 connected parts (ties are broken by site number), and
/// grown from part to nearest part beyond. Edges that close loops on it are closing edges.
/// InputError: the support is spread over disconnected parts of the lattice.
Cluster smallest_cluster(const Graph& graph, std::span<const int> support);

/// All that correlations between `support` and itself can pass through in a state of the given bond
/// dimensions (per edge): the sites of `support`, the paths between them, and every loop they can
/// reach over bonds of dimension larger than one. Branches without loops are left out: their
/// environment is exact. The tree takes the large bonds, so that the closing edges are small ones.
/// Nothing when the bonds do not connect the support.
std::optional<Cluster> light_cone_cluster(const Graph& graph,
                                          std::span<const std::int64_t> bond_dimensions,
                                          std::span<const int> support);

/// `cluster` grown by one loop: for each edge at its sites the cluster with the shortest loop of
/// bonds of dimension larger than one through that edge, every loop once. Where no loop passes
/// through the cluster, the loops nearest to it with the path that leads there.
std::vector<Cluster> grown_by_one_loop(const Graph& graph,
                                       std::span<const std::int64_t> bond_dimensions,
                                       const Cluster& cluster);

/// The same cluster with another site as its root.
Cluster rerooted(const Graph& graph, const Cluster& cluster, int root);

}  // namespace rankine::lattice
