#include "gpeps/measurement_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numbers>

#include "core/errors.hpp"
#include "gpeps/cluster_contraction.hpp"
#include "gpeps/evolution.hpp"
#include "gpeps/forecast.hpp"

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::Demand;
using circuit::PauliString;

std::string Reading::name() const {
  const char* around = environment == Environment::mean_field ? "mean-field"
                       : environment == Environment::cluster  ? "cluster"
                                                              : "light-cone";
  return fmt::format("{}{}", extension && !extension->steps.empty() ? "clifford+" : "", around);
}

std::string Observable::dataset() const {
  std::string name;
  for (char c : text) {
    if (c != ' ')
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
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

void add_demand(std::vector<Demand>& demand, const PauliString& string) {
  for (const auto& [site, letter] : string.letters)
    demand[site] = std::max(demand[site], letter == 'Z' ? Demand::diagonal : Demand::full);
}

/// The circuit of a run of its own: extended, simplified, and cut down to the light cone of what is
/// read at its end.
Circuit own_circuit(Circuit circuit, const Circuit& extension, const PauliString& string,
                    const SimulateOptions& options, int n_sites) {
  for (const auto& step : extension.steps) circuit.steps.push_back(step);
  circuit = fused(circuit, n_sites);
  if (!options.state.causal_cone) return circuit;
  std::vector<std::vector<Demand>> measured(circuit.steps.size());
  measured.back().assign(n_sites, Demand::none);
  add_demand(measured.back(), string);
  return causal_cone(circuit, n_sites, measured);
}

/// An error about an observable, "what (why). What to do.", in the parts that findings are made of.
deck::Problem problem_with(const std::string& text, const std::string& message) {
  const std::size_t end = std::min(message.find(". "), message.size() - 1);
  return {fmt::format("observable \"{}\" cannot be measured", text), message.substr(0, end),
          end + 2 < message.size() ? message.substr(end + 2) : "Leave it out or choose another."};
}

/// Messages of a contraction beyond this number of elements are not worth their memory.
constexpr double most_elements = 1e8;

/// Chooses how strings are read, at the generic angle.
class ReadingChooser {
 public:
  ReadingChooser(const SimulateOptions& options, const lattice::Graph& graph)
      : options_(options), graph_(graph), circuit_(at_angle(generic_angle)) {
    if (options.measure.clifford_route != "never" && options.circuit.name == "kicked-ising")
      clifford_ = at_angle(std::numbers::pi / 2);
  }

  const Circuit& circuit() const { return circuit_; }

  Reading choose(const PauliString& string, int n_steps) const {
    std::vector<circuit::CliffordRoute> routes{{{}, string}};
    if (clifford_ && string.letters.size() > 1)
      routes = clifford_routes(truncated(*clifford_, n_steps), string);
    Reading best;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& route : routes) {
      Reading reading;
      const double flops = contract_light_cone(route, n_steps, reading);
      if (flops >= least) continue;
      least = flops;
      best = std::move(reading);
    }
    const bool plain =
        best.extension && best.extension->steps.empty() && best.cluster.closing_edges.empty();
    if (least < std::numeric_limits<double>::infinity() && !plain) return best;
    if (routes.size() > 1 && routes.back().readout.letters.size() == 1)
      return {Environment::mean_field, routes.back().extension, routes.back().readout, {}};
    return in_the_direct_run(string);
  }

 private:
  Circuit at_angle(double theta_h) const {
    return circuit::make_circuit(options_.circuit, theta_h, graph_.n_sites(),
                                 graph_.pairs_by_colour());
  }

  /// Flops of evolution and contraction when all loops are contracted; infinite when that is not
  /// affordable.
  double contract_light_cone(const circuit::CliffordRoute& route, int n_steps,
                             Reading& reading) const {
    constexpr double no = std::numeric_limits<double>::infinity();
    if (!options_.state.causal_cone) return no;
    const Circuit circuit = own_circuit(truncated(circuit_, n_steps), route.extension,
                                        route.readout, options_, graph_.n_sites());
    const Forecast cost =
        forecast(graph_, circuit, std::ranges::max(options_.state.max_bond_dimension));
    const auto cluster = light_cone_cluster(graph_, cost.edge_dimensions, route.readout.support());
    if (!cluster) return no;
    reading = {Environment::light_cone, route.extension, route.readout,
               cheapest_root(graph_, *cluster, cost.edge_dimensions)};
    const ContractionCost contraction =
        contraction_cost(graph_, reading.cluster, cost.edge_dimensions);
    if (contraction.flops > options_.measure.loop_flops_max || contraction.elements > most_elements)
      return no;
    return total_flops(cost) + contraction.flops;
  }

  Reading in_the_direct_run(const PauliString& string) const {
    if (string.letters.size() == 1) return {Environment::mean_field, {}, string, {}};
    return {Environment::cluster, {}, string, smallest_tree_cluster(graph_, string.support())};
  }

  const SimulateOptions& options_;
  const lattice::Graph& graph_;
  Circuit circuit_;
  std::optional<Circuit> clifford_;
};

Run direct_run(const MeasurementPlan& plan, const SimulateOptions& options, int n_sites,
               Circuit circuit) {
  Run run{std::move(circuit), {}};
  run.reads.resize(run.circuit.steps.size());
  std::vector<std::vector<Demand>> measured(run.circuit.steps.size());
  for (int column = 0; column < std::ssize(plan.measured_steps); ++column) {
    const int step = plan.measured_steps[column] - 1;
    for (int index = 0; index < std::ssize(plan.observables); ++index) {
      const Observable& observable = plan.observables[index];
      if (observable.readings[column].extension) continue;
      run.reads[step].push_back({index, column});
      measured[step].resize(n_sites, Demand::none);
      if (observable.string)
        add_demand(measured[step], *observable.string);
      else
        for (Demand& site : measured[step]) site = std::max(site, Demand::diagonal);
    }
  }
  if (options.state.causal_cone) run.circuit = causal_cone(run.circuit, n_sites, measured);
  return run;
}

}  // namespace

MeasurementPlan plan_measurements(const deck::Schema& schema, const SimulateOptions& options,
                                  const lattice::Graph& graph) {
  const ReadingChooser chooser(options, graph);
  for (const auto& step : chooser.circuit().steps)
    for (const auto& gate : step)
      if (gate.n_sites() == 2) edge_of_gate(graph, gate);
  MeasurementPlan plan{steps_to_measure(chooser.circuit().n_steps(), options.measure.every), {}};
  deck::Findings findings(schema);
  for (const std::string& text : options.measure.observables) {
    Observable observable{text, {}, std::vector<Reading>(plan.measured_steps.size())};
    try {
      if (text != "magnetization") {
        observable.string = circuit::parse_pauli_string(text, graph.n_sites());
        for (std::size_t column = 0; column < plan.measured_steps.size(); ++column)
          observable.readings[column] =
              chooser.choose(*observable.string, plan.measured_steps[column]);
      }
      for (const Observable& other : plan.observables)
        if (other.dataset() == observable.dataset())
          throw InputError(fmt::format("observable \"{}\" is listed twice. Remove one.", text));
    } catch (const InputError& error) {
      findings.add("measure.observables", problem_with(text, error.what()));
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
  Run direct = direct_run(plan, options, n_sites, separated(circuit));
  if (std::ranges::any_of(direct.reads, [](const auto& reads) { return !reads.empty(); }))
    runs.push_back(std::move(direct));
  for (int index = 0; index < std::ssize(plan.observables); ++index)
    for (int column = 0; column < std::ssize(plan.measured_steps); ++column) {
      const Reading& reading = plan.observables[index].readings[column];
      if (!reading.extension) continue;
      Run run{own_circuit(truncated(circuit, plan.measured_steps[column]), *reading.extension,
                          reading.string, options, n_sites),
              {}};
      run.reads.resize(run.circuit.steps.size());
      run.reads.back().push_back({index, column});
      runs.push_back(std::move(run));
    }
  return runs;
}

Forecast forecast_run(const MeasurementPlan& plan, const lattice::Graph& graph, const Run& run,
                      std::int64_t max_bond_dimension) {
  Forecast result = forecast(graph, run.circuit, max_bond_dimension);
  for (std::size_t s = 0; s < run.reads.size(); ++s)
    for (const Run::Read& read : run.reads[s]) {
      const Reading& reading = plan.observables[read.observable].readings[read.column];
      if (reading.environment != Environment::light_cone) continue;
      const auto cost = contraction_cost(graph, reading.cluster, result.edge_dimensions);
      result.step_flops[s] += cost.flops;
      result.site_elements[reading.cluster.sites.front()] += cost.elements;
    }
  return result;
}

}  // namespace rankine::gpeps
