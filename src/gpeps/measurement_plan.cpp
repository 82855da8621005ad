#include "gpeps/measurement_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

#include "core/errors.hpp"

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::Demand;

const char* name_of(Readout readout) {
  switch (readout) {
    case Readout::mean_field:
      return "mean-field";
    case Readout::cluster:
      return "cluster";
    default:
      return "clifford";
  }
}

std::string Observable::dataset() const {
  std::string name = string ? string->text() : text;
  if (string) {  // keep the deck's order of letters, with single separators
    name.clear();
    for (char c : text) {
      if (c != ' ')
        name += c;
      else if (!name.empty() && name.back() != '_')
        name += '_';
    }
    while (name.back() == '_') name.pop_back();
  }
  return name;
}

namespace {

std::vector<int> steps_to_measure(int n_steps, std::int64_t every) {
  std::vector<int> steps;
  for (std::int64_t step = every; step < n_steps; step += every)
    steps.push_back(static_cast<int>(step));
  steps.push_back(n_steps);
  return steps;
}

Circuit truncated(const Circuit& circuit, int n_steps) {
  return {{circuit.steps.begin(), circuit.steps.begin() + n_steps}};
}

/// The kicked Ising circuit at its Clifford point, where one-letter strings grow into the
/// stabilisers of the experiment.
std::optional<Circuit> clifford_circuit(const SimulateOptions& options,
                                        const lattice::Graph& graph) {
  if (options.measure.clifford_route == "never" || options.circuit.name != "kicked-ising")
    return std::nullopt;
  return circuit::make_circuit(options.circuit, std::numbers::pi / 2, graph.n_sites(),
                               graph.pairs_by_colour());
}

void choose_readouts(Observable& observable, const std::vector<int>& measured_steps,
                     const std::optional<Circuit>& clifford, const lattice::Graph& graph) {
  const std::size_t n_columns = measured_steps.size();
  observable.readouts.assign(n_columns, Readout::mean_field);
  observable.clifford.resize(n_columns);
  if (!observable.string || observable.string->letters.size() == 1) return;
  bool needs_cluster = false;
  for (std::size_t column = 0; column < n_columns; ++column) {
    observable.readouts[column] = Readout::cluster;
    if (clifford)
      if (auto route =
              clifford_route(truncated(*clifford, measured_steps[column]), *observable.string)) {
        observable.clifford[column] = std::move(*route);
        observable.readouts[column] = Readout::clifford;
      }
    needs_cluster = needs_cluster || observable.readouts[column] == Readout::cluster;
  }
  if (needs_cluster)
    observable.cluster = lattice::smallest_tree_cluster(graph, observable.string->support());
}

/// What reading an observable asks of the sites.
void add_demand(std::vector<Demand>& demand, const Observable& observable) {
  if (!observable.string) {
    for (Demand& site : demand) site = std::max(site, Demand::diagonal);
    return;
  }
  for (const auto& [site, letter] : observable.string->letters)
    demand[site] = std::max(demand[site], letter == 'Z' ? Demand::diagonal : Demand::full);
}

Run direct_run(const MeasurementPlan& plan, const SimulateOptions& options, int n_sites,
               Circuit circuit) {
  Run run{std::move(circuit), {}};
  run.reads.resize(run.circuit.steps.size());
  std::vector<std::vector<Demand>> measured(run.circuit.steps.size());
  for (int column = 0; column < std::ssize(plan.measured_steps); ++column) {
    const int step = plan.measured_steps[column] - 1;
    for (int index = 0; index < std::ssize(plan.observables); ++index) {
      if (plan.observables[index].readouts[column] == Readout::clifford) continue;
      run.reads[step].push_back({index, column});
      measured[step].resize(n_sites, Demand::none);
      add_demand(measured[step], plan.observables[index]);
    }
  }
  if (options.state.causal_cone) run.circuit = causal_cone(run.circuit, n_sites, measured);
  return run;
}

Run clifford_run(const circuit::CliffordRoute& route, Run::Read read,
                 const SimulateOptions& options, int n_sites, Circuit circuit) {
  for (const auto& step : route.extension.steps) circuit.steps.push_back(step);
  Run run{fused(circuit, n_sites), {}};
  run.reads.resize(run.circuit.steps.size());
  run.reads.back().push_back(read);
  if (options.state.causal_cone) {
    std::vector<std::vector<Demand>> measured(run.circuit.steps.size());
    measured.back().assign(n_sites, Demand::none);
    const auto& [site, letter] = *route.readout.letters.begin();
    measured.back()[site] = letter == 'Z' ? Demand::diagonal : Demand::full;
    run.circuit = causal_cone(run.circuit, n_sites, measured);
  }
  return run;
}

}  // namespace

MeasurementPlan plan_measurements(const deck::Schema& schema, const SimulateOptions& options,
                                  const lattice::Graph& graph) {
  const int n_steps = circuit::make_circuit(options.circuit, options.circuit.theta_h.front(),
                                            graph.n_sites(), graph.pairs_by_colour())
                          .n_steps();
  MeasurementPlan plan{steps_to_measure(n_steps, options.measure.every), {}};
  const auto clifford = clifford_circuit(options, graph);
  deck::Findings findings(schema);
  for (const std::string& text : options.measure.observables) {
    Observable observable{text, {}, {}, {}, {}};
    try {
      if (text != "magnetization")
        observable.string = circuit::parse_pauli_string(text, graph.n_sites());
      choose_readouts(observable, plan.measured_steps, clifford, graph);
      for (const Observable& other : plan.observables)
        if (other.dataset() == observable.dataset())
          throw InputError(fmt::format("observable \"{}\" is listed twice. Remove one.", text));
    } catch (const InputError& error) {
      findings.add("measure.observables",
                   {fmt::format("observable \"{}\" cannot be measured", text), error.what(), ""});
      continue;
    }
    plan.observables.push_back(std::move(observable));
  }
  findings.throw_if_any();
  return plan;
}

std::vector<Run> plan_runs(const MeasurementPlan& plan, const SimulateOptions& options,
                           const lattice::Graph& graph, double theta_h) {
  const int n_sites = graph.n_sites();
  const Circuit circuit =
      circuit::make_circuit(options.circuit, theta_h, n_sites, graph.pairs_by_colour());
  std::vector<Run> runs;
  Run direct = direct_run(plan, options, n_sites, circuit);
  if (std::ranges::any_of(direct.reads, [](const auto& reads) { return !reads.empty(); }))
    runs.push_back(std::move(direct));
  for (int index = 0; index < std::ssize(plan.observables); ++index)
    for (int column = 0; column < std::ssize(plan.measured_steps); ++column) {
      const Observable& observable = plan.observables[index];
      if (observable.readouts[column] != Readout::clifford) continue;
      runs.push_back(clifford_run(observable.clifford[column], {index, column}, options, n_sites,
                                  truncated(circuit, plan.measured_steps[column])));
    }
  return runs;
}

}  // namespace rankine::gpeps
