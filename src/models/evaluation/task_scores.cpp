#include "models/evaluation/task_scores.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace rankine::models {

namespace {

double length(const TaskChoice& choice, ChoiceLength by) {
  switch (by) {
    case ChoiceLength::tokens:
      return static_cast<double>(choice.scored());
    case ChoiceLength::characters:
      return static_cast<double>(choice.characters);
    case ChoiceLength::bytes:
      return static_cast<double>(choice.bytes);
    case ChoiceLength::none:
      break;
  }
  return 1;
}

/// Calls `take(item, log-likelihoods of its choices)` for items from `first` on.
template <class Take>
void for_each_item(const TaskPlan& plan, const TaskScores& scores, Take&& take) {
  const double* next = scores.log_likelihood.data();
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    take(i, next);
    next += plan.items[i].choices.size();
  }
}

Accuracy accuracy_of(std::size_t right, std::size_t items) {
  const double n = static_cast<double>(items), p = static_cast<double>(right) / n;
  return {p, std::sqrt(p * (1 - p) / (n - 1)), items};
}

}  // namespace

TaskScores TaskScores::unknown(const TaskPlan& plan) {
  return {std::vector<double>(plan.choices(), std::numeric_limits<double>::quiet_NaN())};
}

std::size_t TaskScores::count_known(const TaskPlan& plan) const {
  std::size_t known = 0;
  for_each_item(plan, *this,
                [&](std::size_t, const double* values) { known += std::isnan(values[0]) ? 0 : 1; });
  return known;
}

std::size_t chosen(const TaskItem& item, const double* log_likelihood, ChoiceLength by) {
  std::size_t best = 0;
  const auto value = [&](std::size_t c) { return log_likelihood[c] / length(item.choices[c], by); };
  for (std::size_t c = 1; c < item.choices.size(); ++c)
    if (value(c) > value(best)) best = c;
  return best;
}

std::optional<Accuracy> accuracy(const TaskPlan& plan, const Task& task, const TaskScores& scores,
                                 ChoiceLength by) {
  std::size_t right = 0, items = 0;
  for_each_item(plan, scores, [&](std::size_t i, const double* values) {
    if (i < task.first || i >= task.first + task.count || std::isnan(values[0])) return;
    ++items;
    const auto answer = static_cast<std::size_t>(plan.items[i].answer);
    right += chosen(plan.items[i], values, by) == answer ? 1 : 0;
  });
  if (items == 0) return std::nullopt;
  return accuracy_of(right, items);
}

std::vector<Metric> task_metrics(const TaskPlan& plan, const TaskScores& scores) {
  std::vector<Metric> all;
  for (const Task& task : plan.tasks)
    for (const auto& by : choice_length_names) {
      const auto found = accuracy(plan, task, scores, by.value);
      if (!found) continue;
      const std::string name = fmt::format("tasks/{}/{}", task.name, by.name);
      const std::string by_length(by.name.substr(std::string_view("accuracy").size()));
      all.push_back({name,
                     "fraction of the items whose answer is the choice with the largest "
                     "log-likelihood" +
                         (by_length.empty() ? "" : " per " + by_length.substr(5)),
                     found->value});
      all.push_back({name + "_standard_error", "standard error of that fraction over the items",
                     found->standard_error});
    }
  return all;
}

}  // namespace rankine::models
