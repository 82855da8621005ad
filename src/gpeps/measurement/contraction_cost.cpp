#include "gpeps/measurement/contraction_cost.hpp"

#include <cmath>

#include "gpeps/measurement/openings.hpp"

namespace rankine::gpeps {

using lattice::Cluster;

ContractionCost contraction_cost(const lattice::Graph& graph, const Cluster& cluster,
                                 std::span<const std::int64_t> bond_dimensions) {
  const Openings openings(graph, cluster, bond_dimensions);
  constexpr double call_flops = 2e4;  // copies and calls of one product, in the same unit
  const auto slices = [&](int c) { return static_cast<double>(openings.n_slices(c)); };
  ContractionCost cost;
  for (int p = 0; p < std::ssize(cluster.sites); ++p) {
    double elements = 2, combinations = 1, messages = 1;
    for (int edge : graph.edges_at(cluster.sites[p]))
      elements *= static_cast<double>(bond_dimensions[edge]);
    std::vector<bool> is_fixed(cluster.closing_edges.size(), false);
    const auto fix = [&](const std::vector<int>& closing) {
      for (int c : closing)
        if (!is_fixed[c]) {
          is_fixed[c] = true;
          combinations *= slices(c);
        }
    };
    for (int c : openings.own(p)) elements /= std::sqrt(slices(c));
    fix(openings.own(p));
    const auto count_product = [&](double bond) {
      cost.flops += 2 * combinations * (8 * elements * bond + call_flops);  // string and norm
    };
    for (int child : openings.children(p)) {
      fix(openings.open(child));
      count_product(static_cast<double>(bond_dimensions[cluster.parent_edge[child]]));
    }
    const double up = p > 0 ? static_cast<double>(bond_dimensions[cluster.parent_edge[p]]) : 1;
    count_product(up);
    for (int c : openings.open(p)) messages *= slices(c);
    cost.elements += messages * up * up;
  }
  return cost;
}

Cluster cheapest_root(const lattice::Graph& graph, const Cluster& cluster,
                      std::span<const std::int64_t> bond_dimensions) {
  Cluster best = cluster;
  double least = contraction_cost(graph, cluster, bond_dimensions).flops;
  for (int root : cluster.sites) {
    Cluster other = rerooted(graph, cluster, root);
    const double flops = contraction_cost(graph, other, bond_dimensions).flops;
    if (flops >= least) continue;
    least = flops;
    best = std::move(other);
  }
  return best;
}

}  // namespace rankine::gpeps
