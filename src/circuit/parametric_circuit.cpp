#include "circuit/parametric_circuit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/errors.hpp"

namespace rankine::circuit {

void ParametricCircuit::add(std::string_view name, std::array<int, 2> sites,
                            std::vector<Angle> angles, int line) {
  std::vector<std::string> words{std::string(name)};
  for (const Angle& angle : angles) {
    words.push_back(angle.text());
    for (std::string& parameter : angle.parameters()) parameters_.insert(std::move(parameter));
  }
  const auto [place, is_new] =
      places_of_operations_.try_emplace(std::move(words), static_cast<int>(operations_.size()));
  if (is_new) operations_.push_back({std::string(name), std::move(angles), line});
  step_.push_back({place->second, sites});
}

void ParametricCircuit::end_step(std::int64_t times) {
  const auto [place, is_new] = places_of_steps_.try_emplace(step_, std::ssize(steps_));
  if (is_new) steps_.push_back(step_);
  order_.insert(order_.end(), static_cast<std::size_t>(times), place->second);
  step_.clear();
}

std::vector<double> ParametricCircuit::bound_angles(const Operation& operation,
                                                    const Parameters& parameters) const {
  std::vector<double> values;
  for (const Angle& angle : operation.angles) {
    const auto value = angle.value(parameters);
    if (!value)
      throw InputError(
          fmt::format("{}:{}: the angle \"{}\" is not finite. Change it, or the parameters in it.",
                      file_, operation.line, angle.text()));
    values.push_back(*value);
  }
  return values;
}

Circuit ParametricCircuit::bind(const Parameters& parameters) const {
  std::vector<OperatorPointer> operators;
  // Angles that are written in other ways may be the same.
  std::map<std::pair<std::string_view, std::vector<double>>, OperatorPointer> shared;
  for (const Operation& operation : operations_) {
    const auto angles = bound_angles(operation, parameters);
    OperatorPointer& op = shared[{operation.name, angles}];
    if (!op) op = gate_kinds().find(operation.name)->second.make(angles);
    operators.push_back(op);
  }
  std::vector<Step> steps;
  for (const ParametricStep& parametric : steps_) {
    Step& step = steps.emplace_back();
    for (const auto& [operation, sites] : parametric)
      step.push_back({operators[static_cast<std::size_t>(operation)], sites});
  }
  Circuit circuit;
  for (const std::int64_t place : order_)
    circuit.steps.push_back(steps[static_cast<std::size_t>(place)]);
  return circuit;
}

CircuitText ParametricCircuit::text() const {
  CircuitText text;
  for (const ParametricStep& parametric : steps_) {
    std::string& lines = text.steps.emplace_back();
    for (const auto& [index, sites] : parametric) {
      const Operation& operation = operations_[static_cast<std::size_t>(index)];
      lines += fmt::format("{} {}", operation.name, sites[0]);
      if (sites[1] >= 0) lines += fmt::format(" {}", sites[1]);
      for (const Angle& angle : operation.angles) lines += " " + angle.text();
      lines += "\n";
    }
  }
  text.order = order_;
  return text;
}

std::string CircuitText::gate_list() const {
  std::string text;
  for (const std::int64_t step : order) text += steps[static_cast<std::size_t>(step)] + "step\n";
  return text;
}

ParametricCircuit kicked_ising(std::int64_t n_steps, bool final_rx_layer, int n_sites,
                               std::span<const std::pair<int, int>> edges) {
  ParametricCircuit circuit({}, {"theta_h", "theta_j"});
  const Angle kick = *Angle::parse("theta_h"), coupling = *Angle::parse("theta_j");
  const auto add_kicks = [&] {
    for (int site = 0; site < n_sites; ++site) circuit.add("rx", {site, -1}, {kick});
  };
  const auto add_step = [&] {
    add_kicks();
    for (const auto& [a, b] : edges) circuit.add("rzz", {a, b}, {coupling});
  };
  const std::int64_t n_plain = final_rx_layer ? n_steps - 1 : n_steps;
  if (n_plain > 0) {
    add_step();
    circuit.end_step(n_plain);
  }
  if (!final_rx_layer) return circuit;
  if (n_steps > 0) add_step();
  add_kicks();
  circuit.end_step();
  return circuit;
}

}  // namespace rankine::circuit
