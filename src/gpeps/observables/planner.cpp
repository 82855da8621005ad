#include "gpeps/observables/planner.hpp"

namespace rankine::gpeps {

const Planner::StringReadings& Planner::read(const circuit::PauliString& string) {
  const auto [place, is_new] = known_.try_emplace(string.text());
  if (!is_new) return place->second;
  for (auto& factors : StringChooser(measured_).choose(string, steps_)) {
    auto& readings = place->second.emplace_back();
    for (Factor& factor : factors)
      readings.push_back(std::make_shared<const StringReading>(std::move(factor)));
  }
  return place->second;
}

}  // namespace rankine::gpeps
