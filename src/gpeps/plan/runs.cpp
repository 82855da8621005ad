#include "gpeps/plan/runs.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "gpeps/measurement/state_vector.hpp"
#include "gpeps/routes/own_circuit.hpp"

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::Demand;

namespace {

/// The run of the circuit itself, with all that is read off it directly.
Run direct_run(const MeasurementPlan& plan, const SimulateOptions& options, int n_sites,
               Circuit circuit) {
  Run run{std::move(circuit), {}};
  run.reads.resize(run.circuit.steps.size());
  std::vector<std::vector<Demand>> measured(run.circuit.steps.size());
  for (int column = 0; column < std::ssize(plan.measured_steps); ++column) {
    const int step = plan.measured_steps[column] - 1;
    measured[step].resize(n_sites, Demand::none);
    for (int index = 0; index < std::ssize(plan.readings[column]); ++index) {
      const Reading& reading = *plan.readings[column][index].reading;
      if (reading.own_run()) continue;
      run.reads[step].push_back({column, index});
      reading.ask(measured[step]);
    }
  }
  if (options.state.causal_cone) run.circuit = causal_cone(run.circuit, n_sites, measured);
  return run;
}

/// A run for one value.
Run own_run(const Read& read, const Factor& factor, const SimulateOptions& options, int n_sites,
            Circuit circuit) {
  Run run{own_circuit(std::move(circuit), *factor.extension, factor.string, options, n_sites), {}};
  run.reads.resize(run.circuit.steps.size());
  run.reads.back().push_back(read);
  return run;
}

/// The sites ordered so that those with few gates come first, where gates are slow.
std::vector<int> fewest_gates_first(const Circuit& circuit, std::vector<int> sites) {
  std::map<int, int> count;
  for (const auto& step : circuit.steps)
    for (const auto& gate : step)
      for (int k = 0; k < gate.n_sites(); ++k) ++count[gate.sites[k]];
  std::ranges::stable_sort(sites, {}, [&](int site) { return count[site]; });
  return sites;
}

/// Fused between readings only: no gate may move to a step before what is read.
Circuit fused_between(const Circuit& circuit, const std::vector<std::vector<Read>>& reads,
                      int n_sites) {
  Circuit out, stretch;
  for (std::size_t s = 0; s < circuit.steps.size(); ++s) {
    stretch.steps.push_back(circuit.steps[s]);
    if (reads[s].empty() && s + 1 < circuit.steps.size()) continue;
    const Circuit short_one = fused(stretch, n_sites);
    out.steps.insert(out.steps.end(), short_one.steps.begin(), short_one.steps.end());
    stretch = {};
  }
  return out;
}

/// The run of a state vector, its circuit cut to what is read. Reads after an extension stand at
/// its end.
Run vector_run(const MeasurementPlan& plan, const VectorPlan& vector, int n_sites,
               const Circuit& circuit) {
  int last = 0;
  for (const Read& read : vector.reads) last = std::max(last, plan.measured_steps[read.column]);
  Run run{truncated(circuit, last), {}};
  for (const auto& step : vector.extension.steps) run.circuit.steps.push_back(step);
  run.reads.resize(run.circuit.steps.size());
  std::vector<std::vector<Demand>> measured(run.circuit.steps.size());
  for (const Read& read : vector.reads) {
    const int step = plan.measured_steps[read.column] + vector.extension.n_steps() - 1;
    run.reads[step].push_back(read);
    measured[step].resize(n_sites, Demand::none);
    plan.planned(read).reading->ask(measured[step]);
  }
  const Circuit cone = causal_cone(run.circuit, n_sites, measured);
  run.circuit = causal_cone(fused_between(cone, run.reads, n_sites), n_sites, measured);
  run.sites = fewest_gates_first(run.circuit, vector.sites);
  return run;
}

/// A state vector belongs to one rank and has no bonds.
Forecast forecast_vector(const lattice::Graph& graph, const Run& run) {
  Forecast result;
  result.site_flops.assign(graph.n_sites(), 0);
  result.site_elements.assign(graph.n_sites(), 0);
  result.edge_dimensions.assign(graph.n_edges(), 1);
  const auto n = static_cast<int>(run.sites.size());
  for (std::size_t s = 0; s < run.circuit.steps.size(); ++s)
    result.step_flops.push_back(state_vector_flops(n, Circuit{{run.circuit.steps[s]}}));
  result.vector_elements = std::exp2(n);
  return result;
}

}  // namespace

std::vector<Run> plan_runs(const MeasurementPlan& plan, const SimulateOptions& options,
                           const lattice::Graph& graph, const Circuit& circuit) {
  const int n_sites = graph.n_sites();
  std::vector<Run> runs;
  Run direct = direct_run(plan, options, n_sites, separated(circuit));
  if (std::ranges::any_of(direct.reads, [](const auto& reads) { return !reads.empty(); }))
    runs.push_back(std::move(direct));
  for (int column = 0; column < std::ssize(plan.measured_steps); ++column)
    for (int index = 0; index < std::ssize(plan.readings[column]); ++index) {
      const Factor* factor = plan.readings[column][index].reading->own_run();
      if (factor && factor->environment != Environment::state_vector)
        runs.push_back(own_run({column, index}, *factor, options, n_sites,
                               truncated(circuit, plan.measured_steps[column])));
    }
  for (const VectorPlan& vector : plan.vectors)
    runs.push_back(vector_run(plan, vector, n_sites, circuit));
  return runs;
}

Forecast forecast_run(const MeasurementPlan& plan, const lattice::Graph& graph, const Run& run,
                      std::int64_t max_bond_dimension) {
  if (run.is_vector()) return forecast_vector(graph, run);
  Forecast result = forecast(graph, run.circuit, max_bond_dimension);
  for (std::size_t s = 0; s < run.reads.size(); ++s)
    for (const Read& read : run.reads[s]) {
      const auto cost = plan.planned(read).reading->cost(graph, result.edge_dimensions);
      result.step_flops[s] += cost.flops;
      result.site_elements[cost.site] += cost.elements;
    }
  return result;
}

}  // namespace rankine::gpeps
