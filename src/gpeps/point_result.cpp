#include "gpeps/point_result.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/errors.hpp"

namespace rankine::gpeps {

PointResult empty_result(const MeasurementPlan& plan) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  const std::size_t n_columns = plan.measured_steps.size();
  PointResult result;
  for (const auto& observable : plan.observables) {
    auto& parts = result.parts.emplace_back();
    for (const auto& column : observable->columns()) parts.emplace_back(column.by_part.size());
  }
  result.observables.assign(plan.observables.size(), std::vector<double>(n_columns, unknown));
  result.uncertainty = result.observables;
  result.discarded_weight.assign(n_columns, 0);
  result.fidelity.assign(n_columns, 1);
  result.bond_dimension.assign(n_columns, 1);
  return result;
}

void enter(const MeasurementPlan& plan, const Read& read, const std::vector<Value>& values,
           PointResult& result) {
  for (const auto& [observable, parts] : plan.planned(read).targets)
    for (std::size_t k = 0; k < parts.size(); ++k)
      result.parts[observable][read.column][parts[k]] = values[k];
}

bool is_entered(const MeasurementPlan& plan, const Read& read, const PointResult& result) {
  const auto& [observable, parts] = plan.planned(read).targets.front();
  return !std::isnan(result.parts[observable][read.column][parts.front()].value);
}

void combine_parts(const MeasurementPlan& plan, PointResult& result) {
  for (std::size_t index = 0; index < plan.observables.size(); ++index)
    for (std::size_t column = 0; column < plan.measured_steps.size(); ++column) {
      const Value value = plan.observables[index]->combine(column, result.parts[index][column]);
      result.observables[index][column] = value.value;
      result.uncertainty[index][column] = value.uncertainty;
    }
}

namespace {

/// Calls `take` for every number of a result, in one fixed order.
template <class Result, class Take>
void for_each_number(Result& result, const Take& take) {
  take(result.seconds);
  for (auto* table : {&result.observables, &result.uncertainty})
    for (auto& row : *table)
      for (auto& number : row) take(number);
  for (auto* row : {&result.discarded_weight, &result.fidelity, &result.bond_dimension})
    for (auto& number : *row) take(number);
  for (auto& observable : result.parts)
    for (auto& column : observable)
      for (auto& part : column) {
        take(part.value);
        take(part.uncertainty);
      }
}

}  // namespace

std::vector<double> packed(const PointResult& result) {
  std::vector<double> numbers;
  for_each_number(result, [&](double number) { numbers.push_back(number); });
  return numbers;
}

PointResult unpacked(std::span<const double> numbers, const MeasurementPlan& plan) {
  PointResult result = empty_result(plan);
  std::size_t count = 0;
  for_each_number(result, [&](double& number) {
    if (count < numbers.size()) number = numbers[count];
    ++count;
  });
  if (count != numbers.size())
    throw InputError("a stored result does not fit the deck. Start again without it.");
  return result;
}

std::vector<double> packed(const PointProgress& progress) {
  std::vector<double> numbers = packed(progress.result);
  numbers.push_back(progress.run);
  numbers.push_back(progress.step);
  return numbers;
}

PointProgress unpacked_progress(std::span<const double> numbers, const MeasurementPlan& plan) {
  const auto is_count = [](double number) {
    return number >= 0 && number <= std::numeric_limits<int>::max() && number == std::floor(number);
  };
  if (numbers.size() < 2 || !std::ranges::all_of(numbers.last(2), is_count))
    throw InputError("a stored result does not say how far it came. Start again without it.");
  return {static_cast<int>(numbers[numbers.size() - 2]), static_cast<int>(numbers.back()),
          unpacked(numbers.first(numbers.size() - 2), plan)};
}

}  // namespace rankine::gpeps
