// What a deck means before a model is loaded: configurations, windows, prompts.
#include <fmt/format.h>

#include <algorithm>

#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "files/safetensors/layout.hpp"
#include "models/checkpoint/checkpoint_names.hpp"
#include "models/checkpoint/peft_adapter.hpp"
#include "models/evaluation/evaluation.hpp"
#include "text/tokenizer.hpp"

namespace rankine::models {

namespace {

void check_vocabularies(const EvaluateOptions& options, const ModelConfig& config,
                        const ModelConfig& reference) {
  if (config.vocabulary_size == reference.vocabulary_size) return;
  throw InputError(fmt::format(
      "the models {} and {} have vocabularies of {} and {} tokens (their distributions cannot be "
      "compared). Choose an evaluate.reference_model with the same tokenizer.",
      options.model.path, options.evaluate.reference_model, config.vocabulary_size,
      reference.vocabulary_size));
}

void check_prompt(const Continuation& prompt, const EvaluationJob& job) {
  const ModelConfig& config = job.config;
  const auto length = static_cast<std::int64_t>(prompt.prompt_ids.size());
  if (length == 0 || length > config.context)
    throw InputError(fmt::format(
        "a prompt has {} (it takes at least one, and the context of the model ends at {}). Change "
        "it under [generate].",
        counted(length, "token"), config.context));
  check_length(config, job.longest_with(prompt), job.options.model.path);
  for (const std::int64_t id : prompt.prompt_ids)
    if (id >= config.vocabulary_size)
      throw InputError(fmt::format(
          "{} holds token {} (the model's vocabulary ends at {}). Use {} of this "
          "model.",
          prompt.prompt.empty() ? "generate.prompt_tokens" : "a prompt", id,
          config.vocabulary_size - 1, prompt.prompt.empty() ? "tokens" : "the tokenizer.json"));
}

void read_prompts(EvaluationJob& job) {
  const EvaluateOptions& options = job.options;
  if (!options.generate.prompts.empty()) {
    job.tokenizer =
        text::Tokenizer::read(std::filesystem::path(options.model.path) / "tokenizer.json");
    const auto special = options.evaluate.beginning_of_sequence == BeginningOfSequence::never
                             ? text::AddSpecialTokens::no
                             : text::AddSpecialTokens::yes;
    for (const std::string& text : options.generate.prompts) {
      const std::vector<std::int32_t> ids = job.tokenizer->encode(text, special);
      job.prompts.push_back(
          {.prompt_ids = {ids.begin(), ids.end()}, .ids = {}, .prompt = text, .text = {}});
    }
  }
  if (!options.generate.prompt_tokens.empty())
    job.prompts.push_back(
        {.prompt_ids = options.generate.prompt_tokens, .ids = {}, .prompt = {}, .text = {}});
  for (const Continuation& prompt : job.prompts) check_prompt(prompt, job);
}

}  // namespace

std::int64_t EvaluationJob::longest_with(const Continuation& prompt) const {
  return std::min(config.context,
                  static_cast<std::int64_t>(prompt.prompt_ids.size()) + options.generate.tokens);
}

std::int64_t EvaluationJob::longest_sequence() const {
  std::int64_t longest = std::max(plan.longest_window(), tasks.longest());
  for (const Continuation& prompt : prompts) longest = std::max(longest, longest_with(prompt));
  return longest;
}

ModelConfig read_checked_config(const std::string& folder, const std::string& adapter) {
  const ModelConfig config = read_config(folder);
  const files::SafetensorsLayout layout = files::read_layout(folder);
  const CheckpointNames names = find_names(config, layout.tensors);
  check_tensors(config, names, layout.tensors, read_manifest(folder));
  if (!adapter.empty()) check_adapter(adapter, config, names);
  return config;
}

EvaluationJob prepare_evaluation(const EvaluateOptions& options) {
  EvaluationJob job;
  job.options = options;
  job.config = read_checked_config(options.model.path, options.model.adapter);
  if (!options.evaluate.reference_model.empty()) {
    job.reference_config = read_checked_config(options.evaluate.reference_model, {});
    check_vocabularies(options, job.config, *job.reference_config);
  }
  if (!options.evaluate.text.empty()) {
    job.plan = plan_windows(options, job.config, read_text(options));
    if (job.reference_config)
      check_length(*job.reference_config, job.plan.longest_window(),
                   options.evaluate.reference_model);
  }
  job.tasks = read_tasks(options, job.config);
  read_prompts(job);
  return job;
}

}  // namespace rankine::models
