#include "lattice/partition.hpp"

#include <fmt/format.h>
#include <metis.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/errors.hpp"

namespace rankine::lattice {

namespace {

/// METIS wants integer weights whose sum fits its index type.
std::vector<idx_t> integer_weights(const std::vector<double>& cost) {
  double total = 0;
  for (double value : cost) total += value;
  std::vector<idx_t> weights(cost.size(), 1);
  if (total > 0)
    for (std::size_t site = 0; site < cost.size(); ++site)
      weights[site] = 1 + static_cast<idx_t>(std::lround(cost[site] / total * 1e8));
  return weights;
}

}  // namespace

std::vector<int> partition(const Graph& graph, int n_parts, const std::vector<double>& site_cost) {
  const int n_sites = graph.n_sites();
  std::vector<idx_t> part(n_sites, 0);
  if (n_parts >= n_sites) {
    std::iota(part.begin(), part.end(), 0);
    return {part.begin(), part.end()};
  }
  idx_t parts = n_parts;
  if (parts > 1) {
    std::vector<idx_t> offsets{0}, neighbours;
    for (int site = 0; site < n_sites; ++site) {
      for (int edge : graph.edges_at(site)) neighbours.push_back(graph.neighbour(site, edge));
      offsets.push_back(static_cast<idx_t>(neighbours.size()));
    }
    std::vector<idx_t> weights = integer_weights(site_cost);
    idx_t n_vertices = n_sites, n_constraints = 1, cut = 0;
    idx_t options[METIS_NOPTIONS];
    METIS_SetDefaultOptions(options);
    options[METIS_OPTION_SEED] = 1;
    options[METIS_OPTION_NCUTS] = 8;
    options[METIS_OPTION_UFACTOR] = 5;
    const int status = METIS_PartGraphRecursive(
        &n_vertices, &n_constraints, offsets.data(), neighbours.data(), weights.data(), nullptr,
        nullptr, &parts, nullptr, nullptr, options, &cut, part.data());
    if (status != METIS_OK)
      throw LibraryError(fmt::format(
          "METIS could not partition {} sites into {} parts (status {}).", n_sites, parts, status));
  }
  return {part.begin(), part.end()};
}

}  // namespace rankine::lattice
