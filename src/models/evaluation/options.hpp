// The deck of rankine-evaluate.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/named_values.hpp"
#include "deck/schema.hpp"
#include "models/image/data_options.hpp"
#include "models/image/model_options.hpp"
#include "run/run_options.hpp"

namespace rankine::models {

/// Where the beginning-of-sequence token stands.
enum class BeginningOfSequence { tokenizer, never, each_window };
/// With their names in decks.
inline constexpr std::array beginning_names{
    Named<BeginningOfSequence>{BeginningOfSequence::tokenizer, "tokenizer"},
    Named<BeginningOfSequence>{BeginningOfSequence::never, "never"},
    Named<BeginningOfSequence>{BeginningOfSequence::each_window, "each-window"}};
constexpr std::string_view name(BeginningOfSequence where) {
  return name_in(beginning_names, where);
}

struct TextOptions {
  std::string text;
  std::int64_t window_length = 2048;
  std::int64_t stride = 0;       ///< tokens; 0 for window_length
  std::int64_t max_windows = 0;  ///< 0 for all
  BeginningOfSequence beginning_of_sequence = BeginningOfSequence::tokenizer;
  std::string reference_model;

  std::int64_t effective_stride() const { return stride == 0 ? window_length : stride; }
};

/// Multiple choice.
struct TaskOptions {
  std::vector<std::string> files;
  std::int64_t max_items = 0;  ///< of each file; 0 for all
};

struct GenerateOptions {
  std::vector<std::string> prompts;
  std::vector<std::int64_t> prompt_tokens;
  std::int64_t tokens = 32;
  double temperature = 0;
  std::int64_t top_k = 0;
  std::int64_t seed = 1;

  bool is_wanted() const { return !prompts.empty() || !prompt_tokens.empty(); }
};

/// How image networks are scored.
struct ImageScoringOptions {
  std::int64_t batch_size = 32;
  bool write_logits = false;
  double target_escape = 0.01;
};

struct EvaluateOptions {
  std::string title;
  ModelOptions model;
  TextOptions evaluate;
  TaskOptions tasks;
  ImageScoringOptions images;
  DataOptions data;
  GenerateOptions generate;
  run::ParallelOptions parallel;
  run::RunOptions run;
  std::string output_file;
};

/// What teams are for where the deck is of a program that has no other use for them.
inline constexpr const char* teams_that_score =
    "Teams of ranks that score different windows at the same time; each team holds the whole "
    "model, its ranks share the rows.";

/// Declares title, [model], [evaluate], [tasks], [data], [parallel], [run] and [output]: what every
/// program that scores a model has. `teams` says what a team does.
void declare_scoring(deck::Schema& schema, EvaluateOptions& options,
                     std::string teams = teams_that_score);

/// Declares every keyword of rankine-evaluate.
void declare_keywords(deck::Schema& schema, EvaluateOptions& options);

}  // namespace rankine::models
