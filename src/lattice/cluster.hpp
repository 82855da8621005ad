// The smallest connected cluster of sites that holds a given set of sites.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lattice/graph.hpp"

namespace rankine::lattice {

/// A connected set of sites whose edges form a tree, in an order in which every site stands after
/// its parent.
struct TreeCluster {
  std::vector<int> sites;        ///< root first
  std::vector<int> parent;       ///< position of the parent in `sites`; -1 for the root
  std::vector<int> parent_edge;  ///< edge to the parent; -1 for the root
};

/// The smallest connected cluster that holds `support` (a Steiner tree, exact by Dreyfus-Wagner
/// over the connected parts of the support; ties are broken by site number). InputError: the
/// support is spread over disconnected parts of the lattice, falls into more than 10 separate
/// parts, or the cluster closes a loop, so that it is no tree.
TreeCluster smallest_tree_cluster(const Graph& graph, std::span<const int> support);

}  // namespace rankine::lattice
