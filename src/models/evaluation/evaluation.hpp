// rankine-evaluate's work: scores the windows of a text and the items of tasks over teams of ranks,
// compares with a reference model, continues prompts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/checkpoint/config.hpp"
#include "models/evaluation/options.hpp"
#include "models/evaluation/task_items.hpp"
#include "models/evaluation/task_scores.hpp"
#include "models/evaluation/windows.hpp"
#include "models/score.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "text/tokenizer.hpp"

namespace rankine::models {

class LanguageModel;

/// One prompt and what follows it. Texts are empty without a tokenizer.
struct Continuation {
  std::vector<std::int64_t> prompt_ids;
  std::vector<std::int64_t> ids;  ///< ends with an end token if the model wrote one
  std::string prompt;
  std::string text;  ///< without special tokens
};

/// Everything that follows from the deck before a model is loaded.
struct EvaluationJob {
  EvaluateOptions options;
  ModelConfig config;
  std::optional<ModelConfig> reference_config;
  WindowPlan plan;
  TaskPlan tasks;
  std::optional<text::Tokenizer> tokenizer;  ///< where there are prompts in words
  std::vector<Continuation> prompts;

  bool has_scores() const { return !plan.windows.empty() || !tasks.items.empty(); }
  std::int64_t longest_sequence() const;
  /// Tokens of a prompt and its continuation, at most.
  std::int64_t longest_with(const Continuation& prompt) const;
};

/// config.json, after the headers of the weights, and of an adapter unless its folder is empty,
/// have been held against it. Throws InputError.
ModelConfig read_checked_config(const std::string& folder, const std::string& adapter);

/// Without MPI: reads config.json, checks the headers of the weights, reads and cuts the text.
/// Throws InputError.
EvaluationJob prepare_evaluation(const EvaluateOptions& options);

/// Sums over the scored tokens of each window; NaN (-1 in counts) where a window is not done.
struct WindowScores {
  std::vector<double> negative_log_likelihood;
  std::vector<double> divergence;        ///< with a reference model
  std::vector<std::int64_t> agreements;  ///< tokens whose top token is the reference's
  std::vector<double> seconds;

  /// None of which is known.
  static WindowScores unknown(std::size_t windows);
  std::size_t size() const { return negative_log_likelihood.size(); }
  bool is_known(std::size_t window) const;
};

struct EvaluationResult {
  WindowScores scores;
  TaskScores tasks;
  std::vector<Continuation> continuations;
  std::uint64_t weights_checksum = 0;  ///< of the model, and of the reference model
  double load_seconds = 0;
  double loop_seconds = 0;
  std::int64_t loop_tokens = 0;  ///< of the windows and items scored in that time
  std::uint64_t peak_bytes_largest_rank = 0;

  /// Mean over all scored tokens of `values` (sums of windows), over the windows that are done.
  double mean(const EvaluationJob& job, const std::vector<double>& values) const;
  /// Over the windows and items that are done; without windows the loss is NaN.
  Score score(const EvaluationJob& job) const;
};

/// A score that has this mean loss and the perplexity that follows from it.
Score score_of_loss(double loss);

/// What of a job is scored.
enum class Scored { all, windows };

/// How an evaluation goes on from an earlier one, is kept, and stops.
struct EvaluationControl {
  /// Windows that are not scored again: empty, or NaN where a window is not known. Of rank 0.
  WindowScores known = {};
  TaskScores known_tasks = {};       ///< the same of choices
  std::uint64_t known_checksum = 0;  ///< of the weights they belong to
  /// Keeps what rank 0 knows so far; called there alone, so it must not communicate. What it throws
  /// ends the evaluation on all ranks. Empty for none.
  std::function<void(const EvaluationResult&)> save = {};
  double seconds_between = 60;  ///< from one `save` to the next
  /// Called by all ranks of a team between two of its windows or items. What it throws, on all of
  /// them, ends the evaluation on all ranks, after all that any team has scored is saved. Empty for
  /// none.
  std::function<void(const parallel::Communicator& team)> between_windows = {};
  Scored scored = Scored::all;
};

/// Collective over `world`. The result is complete on rank 0. Throws on all ranks: errors of
/// LanguageModel::read and of `control`, InputError (more teams than ranks, known windows of other
/// weights), NumericalError (a loss is not finite).
EvaluationResult evaluate(const EvaluationJob& job, const parallel::Communicator& world,
                          const EvaluationControl& control = {});

/// Scores windows and tasks of `job` with a model that is there already; each team holds it.
EvaluationResult score_model(const EvaluationJob& job, const parallel::Communicator& world,
                             const parallel::Teams& teams, const LanguageModel& model,
                             const EvaluationControl& control = {});

}  // namespace rankine::models
