#include "gpeps/job/forecast.hpp"

#include <algorithm>
#include <numeric>

#include "gpeps/job/bond_growth.hpp"

namespace rankine::gpeps {

namespace {

/// Work of one gate that does not grow with the bond dimension, in the same unit: calls,
/// allocations, loops.
constexpr double gate_overhead_flops = 1e5;
/// LAPACK's complex SVD of an n x n matrix costs as much time as this times n^3 flops of a matrix
/// product.
constexpr double svd_flops_per_cube = 60;
class DimensionWalk {
 public:
  DimensionWalk(const lattice::Graph& graph, std::int64_t max_bond_dimension)
      : bonds_(graph, max_bond_dimension) {
    result_.site_flops.assign(graph.n_sites(), 0);
    result_.site_elements.assign(graph.n_sites(), 2);
  }

  void apply(const circuit::Gate& gate) {
    for (int k = 0; k < gate.n_sites(); ++k)
      result_.site_flops[gate.sites[k]] += gate_overhead_flops;
    if (gate.n_sites() == 1) {
      result_.site_flops[gate.sites[0]] += 16 * bonds_.elements(gate.sites[0]);
      return;
    }
    const BondChange bond = bonds_.change(gate);
    if (bond.edge < 0) return;  // the evolution refuses it
    const double small = 2 * bond.before;
    for (int site : gate.sites)
      result_.site_flops[site] += bonds_.elements(site) * (4 * bond.before + 8 * bond.after) +
                                  svd_flops_per_cube / 2 * small * small * small;
    bonds_.apply(bond);
    result_.bond_dimension =
        std::max(result_.bond_dimension, static_cast<std::int64_t>(bond.after));
    for (int site : gate.sites)
      result_.site_elements[site] =
          std::max(result_.site_elements[site], bonds_.elements(site));
  }

  void end_step() {
    double total = 0;
    for (double flops : result_.site_flops) total += flops;
    result_.step_flops.push_back(total - before_);
    before_ = total;
  }

  Forecast finish() {
    result_.edge_dimensions = bonds_.dimensions();
    return std::move(result_);
  }

 private:
  BondGrowth bonds_;
  Forecast result_;
  double before_ = 0;
};

}  // namespace

Forecast forecast(const lattice::Graph& graph, const circuit::Circuit& circuit,
                  std::int64_t max_bond_dimension) {
  DimensionWalk walk(graph, max_bond_dimension);
  for (const auto& step : circuit.steps) {
    for (const auto& gate : step) walk.apply(gate);
    walk.end_step();
  }
  return walk.finish();
}

double total_flops(const Forecast& forecast) {
  return std::accumulate(forecast.step_flops.begin(), forecast.step_flops.end(), 0.0);
}

void merge(Forecast& total, const Forecast& other) {
  if (total.site_flops.empty()) {
    total = other;
    return;
  }
  for (std::size_t site = 0; site < total.site_flops.size(); ++site) {
    total.site_flops[site] += other.site_flops[site];
    total.site_elements[site] = std::max(total.site_elements[site], other.site_elements[site]);
  }
  total.step_flops.insert(total.step_flops.end(), other.step_flops.begin(), other.step_flops.end());
  total.bond_dimension = std::max(total.bond_dimension, other.bond_dimension);
  total.vector_elements = std::max(total.vector_elements, other.vector_elements);
}

std::vector<double> bytes_per_rank(const Forecast& forecast, const std::vector<int>& owner,
                                   int n_ranks, std::int64_t element_bytes) {
  std::vector<double> elements(n_ranks, 0), largest(n_ranks, 0);
  for (std::size_t site = 0; site < owner.size(); ++site) {
    const double size = forecast.site_elements[site];
    elements[owner[site]] += size;
    largest[owner[site]] = std::max(largest[owner[site]], size);
  }
  const double small = 2.0 * static_cast<double>(forecast.bond_dimension);
  constexpr double small_matrices = 12;  // Gram, factors, theta, U, V and LAPACK's workspace
  for (int rank = 0; rank < n_ranks; ++rank)
    if (elements[rank] > 0) elements[rank] += largest[rank] + small_matrices * small * small;
  for (double& bytes : elements)
    bytes = std::max(bytes, forecast.vector_elements) * static_cast<double>(element_bytes);
  return elements;
}

}  // namespace rankine::gpeps
