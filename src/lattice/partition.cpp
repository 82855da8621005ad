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
std::vector<idx_t> integer_weights(const std::vector<int>& sites, const std::vector<double>& cost) {
  double total = 0;
  for (int site : sites) total += cost[site];
  std::vector<idx_t> weights(sites.size(), 1);
  if (total > 0)
    for (std::size_t k = 0; k < sites.size(); ++k)
      weights[k] = 1 + static_cast<idx_t>(std::lround(cost[sites[k]] / total * 1e8));
  return weights;
}

/// Cuts the sites into two halves and each of these in turn. METIS alone would do the same, but it
/// prints to stdout when it leaves fewer sites to a half than that has parts.
class Bisection {
 public:
  Bisection(const Graph& graph, const std::vector<double>& cost)
      : graph_(graph), cost_(cost), part_(graph.n_sites(), 0), place_(graph.n_sites(), -1) {}

  std::vector<int> run(int n_parts) {
    std::vector<int> all(graph_.n_sites());
    std::iota(all.begin(), all.end(), 0);
    split(all, 0, n_parts);
    return std::move(part_);
  }

 private:
  void split(const std::vector<int>& sites, int first_part, int n_parts) {
    const auto n_sites = static_cast<int>(sites.size());
    if (n_parts == 1 || n_sites <= n_parts) {
      for (int k = 0; k < n_sites; ++k) part_[sites[k]] = first_part + (n_parts == 1 ? 0 : k);
      return;
    }
    const int n_left = n_parts / 2;
    std::vector<int> left, right;
    const std::vector<idx_t> half =
        halves(sites, static_cast<real_t>(n_left) / static_cast<real_t>(n_parts));
    for (int k = 0; k < n_sites; ++k) (half[k] == 0 ? left : right).push_back(sites[k]);
    move_cheapest(right, left, n_left);
    move_cheapest(left, right, n_parts - n_left);
    split(left, first_part, n_left);
    split(right, first_part + n_left, n_parts - n_left);
  }

  /// Fills `to` up to `n` sites with the cheapest ones of the other half, which has enough.
  void move_cheapest(std::vector<int>& from, std::vector<int>& to, int n) const {
    while (std::ssize(to) < n) {
      const auto cheapest =
          std::ranges::min_element(from, {}, [this](int site) { return cost_[site]; });
      to.push_back(*cheapest);
      from.erase(cheapest);
    }
  }

  /// 0 or 1 for each site; the first half gets `share` of the cost.
  std::vector<idx_t> halves(const std::vector<int>& sites, real_t share) {
    for (std::size_t k = 0; k < sites.size(); ++k) place_[sites[k]] = static_cast<int>(k);
    std::vector<idx_t> offsets{0}, neighbours;
    for (int site : sites) {
      for (int edge : graph_.edges_at(site))
        if (const int place = place_[graph_.neighbour(site, edge)]; place >= 0)
          neighbours.push_back(place);
      offsets.push_back(static_cast<idx_t>(neighbours.size()));
    }
    for (int site : sites) place_[site] = -1;
    std::vector<idx_t> weights = integer_weights(sites, cost_), half(sites.size(), 0);
    real_t shares[] = {share, 1 - share};
    auto n_vertices = static_cast<idx_t>(sites.size());
    idx_t n_constraints = 1, parts = 2, cut = 0;
    idx_t options[METIS_NOPTIONS];
    METIS_SetDefaultOptions(options);
    options[METIS_OPTION_SEED] = 1;
    options[METIS_OPTION_NCUTS] = 8;
    options[METIS_OPTION_UFACTOR] = 5;
    const int status = METIS_PartGraphRecursive(
        &n_vertices, &n_constraints, offsets.data(), neighbours.data(), weights.data(), nullptr,
        nullptr, &parts, shares, nullptr, options, &cut, half.data());
    if (status != METIS_OK)
      throw LibraryError(fmt::format("METIS could not cut {} sites into two halves (status {}).",
                                     sites.size(), status));
    return half;
  }

  const Graph& graph_;
  const std::vector<double>& cost_;
  std::vector<int> part_;
  std::vector<int> place_;  ///< of a site in the half that is being cut, or -1
};

}  // namespace

std::vector<int> partition(const Graph& graph, int n_parts, const std::vector<double>& site_cost) {
  return Bisection(graph, site_cost).run(n_parts);
}

}  // namespace rankine::lattice
