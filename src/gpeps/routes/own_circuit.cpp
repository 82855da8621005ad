#include "gpeps/routes/own_circuit.hpp"

#include <algorithm>

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::Demand;
using circuit::PauliString;

Circuit truncated(const Circuit& circuit, int n_steps) {
  return {{circuit.steps.begin(), circuit.steps.begin() + n_steps}};
}

Circuit last_steps(const Circuit& circuit, int n_steps, int count) {
  const auto end = circuit.steps.begin() + n_steps;
  return {{end - std::min(n_steps, count), end}};
}

Circuit extended(Circuit circuit, const Circuit& extension) {
  for (const auto& step : extension.steps) circuit.steps.push_back(step);
  return circuit;
}

Demand demand_of(char letter) { return letter == 'Z' ? Demand::diagonal : Demand::full; }

void add_demand(std::vector<Demand>& demand, const PauliString& string) {
  for (const auto& [site, letter] : string.letters)
    demand[site] = std::max(demand[site], demand_of(letter));
}

namespace {

Circuit cut_to_cone(const Circuit& circuit, const PauliString& string, int n_sites) {
  std::vector<std::vector<Demand>> measured(circuit.steps.size());
  if (measured.empty()) return circuit;
  measured.back().assign(n_sites, Demand::none);
  add_demand(measured.back(), string);
  return causal_cone(circuit, n_sites, measured);
}

}  // namespace

Circuit cone_circuit(const Circuit& circuit, const PauliString& string, int n_sites) {
  return cut_to_cone(fused(cut_to_cone(circuit, string, n_sites), n_sites), string, n_sites);
}

Circuit own_circuit(Circuit circuit, const Circuit& extension, const PauliString& string,
                    const SimulateOptions& options, int n_sites) {
  circuit = extended(std::move(circuit), extension);
  return options.state.causal_cone ? cone_circuit(circuit, string, n_sites)
                                   : fused(circuit, n_sites);
}

}  // namespace rankine::gpeps
