// What log-likelihoods of choices say about a model: how often the right one wins.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "core/named_values.hpp"
#include "models/evaluation/task_items.hpp"
#include "models/score.hpp"

namespace rankine::models {

/// By what the log-likelihood of a choice is divided before choices are compared.
enum class ChoiceLength { none, tokens, characters, bytes };

/// With the names of their accuracies in result files.
inline constexpr std::array choice_length_names{
    Named<ChoiceLength>{ChoiceLength::none, "accuracy"},
    Named<ChoiceLength>{ChoiceLength::tokens, "accuracy_per_token"},
    Named<ChoiceLength>{ChoiceLength::characters, "accuracy_per_character"},
    Named<ChoiceLength>{ChoiceLength::bytes, "accuracy_per_byte"}};

/// Of the choices of all items, one item after the other; NaN where an item is not done.
struct TaskScores {
  std::vector<double> log_likelihood;

  static TaskScores unknown(const TaskPlan& plan);
  /// Items that are done. `log_likelihood` is of the plan's choices.
  std::size_t count_known(const TaskPlan& plan) const;
};

struct Accuracy {
  double value = 0;
  double standard_error = 0;  ///< of the mean over items; NaN for one item
  std::size_t items = 0;
};

/// Place of the choice with the largest log-likelihood by its length; the first of equal ones.
std::size_t chosen(const TaskItem& item, const double* log_likelihood, ChoiceLength by);

/// Over the items of a task that are done; nothing where none is.
std::optional<Accuracy> accuracy(const TaskPlan& plan, const Task& task, const TaskScores& scores,
                                 ChoiceLength by);

/// "tasks/NAME/accuracy" and so on, of every task that has items done.
std::vector<Metric> task_metrics(const TaskPlan& plan, const TaskScores& scores);

}  // namespace rankine::models
