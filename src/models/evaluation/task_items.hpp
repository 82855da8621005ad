// Multiple choice: items of JSON lines, as the tokens that each choice makes of its context.
//
// Contexts and choices become tokens, and are cut to the model's context, as lm-evaluation-harness
// does it, so that scores agree with its scores item by item.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/config.hpp"
#include "models/evaluation/options.hpp"
#include "text/tokenizer.hpp"

namespace rankine::models {

/// What may follow, behind its context.
struct TaskChoice {
  std::vector<std::int64_t> ids;
  std::int64_t first_scored = 1;  ///< place in `ids` from which on tokens are the choice's
  std::int64_t characters = 0;    ///< of the choice alone, without the delimiter before it
  std::int64_t bytes = 0;

  std::int64_t scored() const { return static_cast<std::int64_t>(ids.size()) - first_scored; }
};

struct TaskItem {
  std::vector<TaskChoice> choices;
  std::int64_t answer = 0;  ///< place of the right one

  /// Tokens with which all choices begin and that none of them scores; what the model makes of them
  /// serves all. The token behind them is there in each.
  std::int64_t shared_tokens() const;
  std::int64_t longest() const;
};

/// The items of one file stand together.
struct Task {
  std::string name;  ///< of the file, without folder and extension
  std::size_t first = 0;
  std::size_t count = 0;
};

struct TaskPlan {
  std::vector<Task> tasks;
  std::vector<TaskItem> items;

  std::size_t choices() const;
  /// Of the longest sequence, in tokens.
  std::int64_t longest() const;
};

/// How texts become the tokens of items.
class TaskTokens {
 public:
  TaskTokens(const text::Tokenizer& tokenizer, const ModelConfig& config, BeginningOfSequence rule);

  /// Tokens of a choice behind its context; `first_scored` is 0 where nothing stands before it.
  /// Throws InputError for what is no UTF-8.
  TaskChoice choice(std::string_view context, std::string_view continuation) const;

 private:
  std::vector<std::int64_t> encode(std::string_view text) const;
  TaskChoice behind_nothing(std::string_view continuation) const;
  /// Tokens beyond the context of the model leave on the left.
  TaskChoice cut(std::vector<std::int64_t> context, std::vector<std::int64_t> scored) const;

  const text::Tokenizer& tokenizer_;
  const ModelConfig& config_;
  BeginningOfSequence rule_;
  std::string beginning_;  ///< text of the token that sequences begin with
};

/// Reads every file of `options.tasks`. Throws InputError, naming file and line.
TaskPlan read_tasks(const EvaluateOptions& options, const ModelConfig& config);

}  // namespace rankine::models
