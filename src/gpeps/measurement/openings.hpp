// A cluster whose loops are opened: which slices of the opened bonds its branches depend on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lattice/cluster.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// Which closing edges concern which part of the tree. A slice of closing edge c is a number in [0,
/// D_c^2): ket + D_c * bra.
class Openings {
 public:
  Openings(const lattice::Graph& graph, const lattice::Cluster& cluster,
           std::span<const std::int64_t> bond_dimensions)
      : own_(cluster.sites.size()), open_(cluster.sites.size()), children_(cluster.sites.size()) {
    std::vector<std::vector<int>> ends(cluster.sites.size());
    for (int c = 0; c < std::ssize(cluster.closing_edges); ++c) {
      const int edge = cluster.closing_edges[c];
      slices_.push_back(bond_dimensions[edge] * bond_dimensions[edge]);
      for (int p = 0; p < std::ssize(cluster.sites); ++p)
        if (cluster.sites[p] == graph.edge(edge).a || cluster.sites[p] == graph.edge(edge).b)
          own_[p].push_back(c);
    }
    for (int p = static_cast<int>(cluster.sites.size()) - 1; p >= 0; --p) {
      // Open above p: seen an odd number of times (once) in the branch of p.
      std::vector<int> count(slices_.size(), 0);
      for (int c : own_[p]) ++count[c];
      for (int child : children_[p])
        for (int c : open_[child]) ++count[c];
      for (int c = 0; c < std::ssize(count); ++c)
        if (count[c] == 1) open_[p].push_back(c);
      if (p > 0) children_[cluster.parent[p]].push_back(p);
    }
  }

  const std::vector<int>& own(int p) const { return own_[p]; }  ///< closing edges with one end at p
  const std::vector<int>& open(int p) const {
    return open_[p];
  }  ///< those with one end in the branch of p
  const std::vector<int>& children(int p) const { return children_[p]; }
  std::int64_t n_slices(int c) const { return slices_[c]; }

  /// Number of messages from p to its parent, one for each combination of open slices.
  std::int64_t n_messages(int p) const {
    std::int64_t n = 1;
    for (int c : open_[p]) n *= slices_[c];
    return n;
  }
  std::int64_t message_index(int p, const std::vector<std::int64_t>& slice) const {
    std::int64_t index = 0;
    for (int c : open_[p]) index = index * slices_[c] + slice[c];
    return index;
  }

 private:
  std::vector<std::int64_t> slices_;
  std::vector<std::vector<int>> own_, open_, children_;
};

}  // namespace rankine::gpeps
