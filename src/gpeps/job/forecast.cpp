#include "gpeps/job/forecast.hpp"

#include <algorithm>
#include <numeric>

namespace rankine::gpeps {

namespace {

/// Work of one gate that does not grow with the bond dimension, in the same unit: calls,
/// allocations, loops.
constexpr double gate_overhead_flops = 1e5;
/// LAPACK's complex SVD of an n x n matrix costs as much time as this times n^3 flops of a matrix
/// product.
constexpr double svd_flops_per_cube = 60;
/// Where the number of elements of a site saturates, so that sums over a run stay finite.
constexpr double largest_site = 1e200;

class DimensionWalk {
 public:
  DimensionWalk(const lattice::Graph& graph, std::int64_t max_bond_dimension)
      : graph_(graph), limit_(max_bond_dimension), bond_(graph.n_edges(), 1) {
    result_.site_flops.assign(graph.n_sites(), 0);
    result_.site_elements.assign(graph.n_sites(), 2);
  }

  void apply(const circuit::Gate& gate) {
    for (int k = 0; k < gate.n_sites(); ++k)
      result_.site_flops[gate.sites[k]] += gate_overhead_flops;
    if (gate.n_sites() == 1) {
      result_.site_flops[gate.sites[0]] += 16 * elements(gate.sites[0]);
      return;
    }
    const int edge = graph_.find_edge(gate.sites[0], gate.sites[1]);
    if (edge < 0) return;  // the evolution refuses it
    const int d = gate.op->dimension();
    const auto rank = static_cast<double>(gate.is_diagonal() ? d : d * d);
    const auto old = static_cast<double>(bond_[edge]);
    double grown = std::min(old * rank, static_cast<double>(limit_));
    for (int site : gate.sites) grown = std::min(grown, d * elements(site) / d / old);
    const double small = 2 * old;
    for (int site : gate.sites) {
      result_.site_flops[site] +=
          elements(site) * (4 * old + 8 * grown) + svd_flops_per_cube / 2 * small * small * small;
    }
    bond_[edge] = std::max<std::int64_t>(1, static_cast<std::int64_t>(grown));
    result_.bond_dimension = std::max(result_.bond_dimension, bond_[edge]);
    for (int site : gate.sites)
      result_.site_elements[site] = std::max(result_.site_elements[site], elements(site));
  }

  void end_step() {
    double total = 0;
    for (double flops : result_.site_flops) total += flops;
    result_.step_flops.push_back(total - before_);
    before_ = total;
  }

  Forecast finish() {
    result_.edge_dimensions = std::move(bond_);
    return std::move(result_);
  }

 private:
  double elements(int site) const {
    double product = 2;
    for (int edge : graph_.edges_at(site)) product *= static_cast<double>(bond_[edge]);
    return std::min(product, largest_site);
  }

  const lattice::Graph& graph_;
  std::int64_t limit_;
  std::vector<std::int64_t> bond_;
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
