#include "gpeps/measurement/loop_error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "gpeps/measurement/cluster_contraction.hpp"
#include "gpeps/measurement/contraction_cost.hpp"

namespace rankine::gpeps {

using lattice::Cluster;
using linalg::Scalar;

namespace {

/// Messages of such a contraction may have this many elements, so that an estimate needs no memory
/// to speak of.
constexpr double most_estimate_elements = 4e6;

/// A grown cluster and the values it is an estimate for.
struct GrownCluster {
  Cluster cluster;
  std::vector<int> values;
};

/// Every grown cluster once: those of neighbours are often the same.
std::vector<GrownCluster> grown_clusters(const lattice::Graph& graph,
                                         const std::vector<std::int64_t>& dimensions,
                                         const std::vector<ClusterValue>& values) {
  std::map<std::pair<std::vector<int>, std::vector<int>>, GrownCluster> found;
  for (int index = 0; index < std::ssize(values); ++index)
    for (Cluster& cluster : grown_by_one_loop(graph, dimensions, values[index].cluster)) {
      std::vector<int> sites = cluster.sites, edges = cluster.parent_edge;
      edges.insert(edges.end(), cluster.closing_edges.begin(), cluster.closing_edges.end());
      std::ranges::sort(sites);
      std::ranges::sort(edges);
      GrownCluster& grown = found[{std::move(sites), std::move(edges)}];
      if (grown.values.empty()) grown.cluster = std::move(cluster);
      grown.values.push_back(index);
    }
  std::vector<GrownCluster> clusters;
  for (auto& [key, grown] : found) clusters.push_back(std::move(grown));
  return clusters;
}

/// Gives every cluster its cheapest root; whether all can be contracted within the limits.
bool make_affordable(const lattice::Graph& graph, const std::vector<std::int64_t>& dimensions,
                     double flops_max, std::vector<GrownCluster>& clusters) {
  double flops = 0;
  for (GrownCluster& grown : clusters) {
    grown.cluster = cheapest_root(graph, grown.cluster, dimensions);
    const ContractionCost cost = contraction_cost(graph, grown.cluster, dimensions);
    // The forecast is for the norm and one string.
    flops += cost.flops * (1 + static_cast<double>(grown.values.size())) / 2;
    if (flops > flops_max || cost.elements > most_estimate_elements) return false;
  }
  return true;
}

}  // namespace

template <Scalar T>
std::vector<double> loop_errors(const Evolution<T>& state, const std::vector<ClusterValue>& values,
                                double flops_max) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  const auto dimensions = state.bond_dimensions();
  auto clusters = grown_clusters(state.graph(), dimensions, values);
  if (state.graph().is_cell() || !make_affordable(state.graph(), dimensions, flops_max, clusters))
    return std::vector(values.size(), unknown);
  std::vector<double> errors(values.size(), 0);
  for (const GrownCluster& grown : clusters) {
    std::vector<circuit::PauliString> strings;
    for (int index : grown.values) strings.push_back(values[index].string);
    const auto better = cluster_expectations(state, grown.cluster, strings);
    for (std::size_t k = 0; k < better.size(); ++k)
      errors[grown.values[k]] += std::abs(better[k] - values[grown.values[k]].value);
  }
  return errors;
}

#define RANKINE_INSTANTIATE(T)                                     \
  template std::vector<double> loop_errors<T>(const Evolution<T>&, \
                                              const std::vector<ClusterValue>&, double);
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
