#include "gpeps/observables/reading.hpp"

#include "gpeps/measurement/contraction_cost.hpp"
#include "gpeps/routes/own_circuit.hpp"

namespace rankine::gpeps {

ReadingCost Reading::cost(const lattice::Graph&, std::span<const std::int64_t>) const { return {}; }

lattice::Cluster one_site(int site) { return {{site}, {-1}, {-1}, {}}; }

void StringReading::ask(std::vector<circuit::Demand>& of_sites) const {
  add_demand(of_sites, factor_.string);
}

std::vector<Value> StringReading::read(const StateView& state) const {
  const bool in_mean_field = factor_.environment == Environment::mean_field;
  const auto& [site, letter] = *factor_.string.letters.begin();
  Value found{in_mean_field ? factor_.string.sign *
                                  state.site_expectation(site, circuit::pauli_operator(letter))
                            : state.cluster_expectation(factor_.cluster, factor_.string)};
  if (!factor_.ignored.is_exact())
    found.uncertainty = state
                            .loop_errors({{in_mean_field ? one_site(site) : factor_.cluster,
                                           factor_.string, found.value}})
                            .front();
  return {found};
}

ReadingCost StringReading::cost(const lattice::Graph& graph,
                                std::span<const std::int64_t> bond_dimensions) const {
  if (factor_.cluster.closing_edges.empty() && factor_.environment != Environment::light_cone)
    return {};
  const auto cost = contraction_cost(graph, factor_.cluster, bond_dimensions);
  return {cost.flops, cost.elements, factor_.cluster.sites.front()};
}

}  // namespace rankine::gpeps
