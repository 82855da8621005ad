// How bonds grow under the gates of a circuit: as fast as the gates allow, up to the largest bond
// dimension and what the other legs of a site can carry.
#pragma once

#include <cstdint>
#include <vector>

#include "circuit/gate.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// A two-site gate on a bond.
struct BondChange {
  int edge = -1;     ///< -1 where no edge joins the sites, which the evolution refuses
  double terms = 1;  ///< of the gate
  double before = 1;
  double after = 1;
};

class BondGrowth {
 public:
  BondGrowth(const lattice::Graph& graph, std::int64_t max_bond_dimension)
      : graph_(graph), limit_(max_bond_dimension), bond_(graph.n_edges(), 1) {}

  /// What a gate on two sites does; `apply` has it done.
  BondChange change(const circuit::Gate& gate) const;
  void apply(const BondChange& change);

  /// Of a site tensor; saturating, so that sums over a run stay finite.
  double elements(int site) const;
  const std::vector<std::int64_t>& dimensions() const { return bond_; }

 private:
  const lattice::Graph& graph_;
  std::int64_t limit_;
  std::vector<std::int64_t> bond_;
};

}  // namespace rankine::gpeps
