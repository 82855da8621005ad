#include "gpeps/plan/measurement_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/errors.hpp"
#include "gpeps/plan/vector_grouping.hpp"
#include "gpeps/state/evolution.hpp"

namespace rankine::gpeps {

namespace {

std::vector<int> steps_to_measure(int n_steps, std::int64_t every) {
  std::vector<int> steps;
  for (std::int64_t step = every; step < n_steps; step += every)
    steps.push_back(static_cast<int>(step));
  steps.push_back(n_steps);
  return steps;
}

/// An error about an observable, "what (why). What to do.", in the parts that findings are made of.
deck::Problem problem_with(const std::string& text, const std::string& message) {
  const std::size_t end = std::min(message.find(". "), message.size() - 1);
  return {fmt::format("observable \"{}\" cannot be measured", text), message.substr(0, end),
          end + 2 < message.size() ? message.substr(end + 2) : "Leave it out or choose another."};
}

/// The observables of the deck; adds what is wrong with them to the findings.
std::vector<std::unique_ptr<Observable>> read_observables(const std::vector<std::string>& texts,
                                                          const lattice::Graph& graph,
                                                          deck::Findings& findings) {
  std::vector<std::unique_ptr<Observable>> observables;
  for (const std::string& text : texts) {
    try {
      auto observable = make_observable(text, graph);
      for (const auto& other : observables)
        if (other->dataset() == observable->dataset())
          throw InputError(fmt::format("observable \"{}\" is listed twice. Remove one.", text));
      observables.push_back(std::move(observable));
    } catch (const InputError& error) {
      findings.add("measure.observables", problem_with(text, error.what()));
    }
  }
  return observables;
}

/// Every reading of one measured step once, with all that it serves.
std::vector<PlannedReading> readings_of(const MeasurementPlan& plan, std::size_t column) {
  std::vector<PlannedReading> readings;
  std::map<const Reading*, std::size_t> place;
  for (const bool is_borrowed : {false, true})
    for (int index = 0; index < std::ssize(plan.observables); ++index)
      for (const auto& use : plan.observables[index]->columns()[column].uses) {
        if (use.is_borrowed != is_borrowed) continue;
        const auto [found, is_new] = place.try_emplace(use.reading.get(), readings.size());
        if (is_new) readings.push_back({use.reading, {}});
        readings[found->second].targets.push_back({index, use.parts});
      }
  return readings;
}

void check_circuit(const circuit::Circuit& circuit, const lattice::Graph& graph) {
  for (const auto& step : circuit.steps)
    for (const auto& gate : step)
      if (gate.n_sites() == 2) edge_of_gate(graph, gate);
}

void find_unused_angles(const circuit::ParametricCircuit& circuit, const SimulateOptions& options,
                        deck::Findings& findings) {
  for (const auto& [angle, value] : parameters_at(options, generic_angle))
    if (!circuit.uses(angle))
      findings.expect_unused("circuit." + angle,
                             fmt::format("no gate of {} has this angle", options.circuit.file),
                             fmt::format("Remove it, or write {} as an angle there.", angle));
}

}  // namespace

MeasurementPlan plan_measurements(const deck::Schema& schema, const SimulateOptions& options,
                                  const lattice::Graph& graph,
                                  const circuit::ParametricCircuit& circuit) {
  const MeasuredCircuit measured(options, graph, circuit);
  check_circuit(measured.circuit, graph);
  deck::Findings findings(schema);
  find_unused_angles(circuit, options, findings);
  auto observables = read_observables(options.measure.observables, graph, findings);
  findings.throw_if_any();
  MeasurementPlan plan;
  plan.measured_steps = steps_to_measure(measured.circuit.n_steps(), options.measure.every);
  Planner planner(measured, plan.measured_steps);
  for (const auto& observable : observables)
    if (observable->string()) planner.add_to_deck(*observable->string());
  for (auto& observable : observables) {
    observable->plan(planner);
    plan.observables.push_back(std::move(observable));
  }
  for (std::size_t column = 0; column < plan.measured_steps.size(); ++column)
    plan.readings.push_back(readings_of(plan, column));
  plan.vectors = grouped_vectors(plan, options.measure.state_vector_sites);
  return plan;
}

}  // namespace rankine::gpeps
