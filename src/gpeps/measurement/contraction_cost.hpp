// What the contraction of a cluster will take, and how to make it cheap.
#pragma once

#include <cstdint>
#include <span>

#include "lattice/cluster.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// What one contraction takes for bond dimensions given per edge.
struct ContractionCost {
  double flops = 0;
  double elements = 0;  ///< of all messages, an upper bound
};
ContractionCost contraction_cost(const lattice::Graph& graph, const lattice::Cluster& cluster,
                                 std::span<const std::int64_t> bond_dimensions);

/// The cluster with the root that makes its contraction cheapest.
lattice::Cluster cheapest_root(const lattice::Graph& graph, const lattice::Cluster& cluster,
                               std::span<const std::int64_t> bond_dimensions);

}  // namespace rankine::gpeps
