#include "models/evaluation/results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/text_format.hpp"
#include "files/safetensors/tensor_checksums.hpp"

namespace rankine::models {

namespace {

using files::ResultFile;

std::int64_t stride_of(const EvaluationJob& job) { return job.options.evaluate.effective_stride(); }

/// Sums of windows as means over the tokens each of them scores.
std::vector<double> per_token(const EvaluationJob& job, const std::vector<double>& sums) {
  std::vector<double> means;
  for (std::size_t w = 0; w < sums.size(); ++w)
    means.push_back(sums[w] / static_cast<double>(job.plan.windows[w].scored()));
  return means;
}

std::vector<double> as_numbers(const std::vector<std::int64_t>& counts) {
  std::vector<double> values;
  for (const std::int64_t count : counts)
    values.push_back(count < 0 ? std::nan("") : static_cast<double>(count));
  return values;
}

void write_protocol(ResultFile& file, const EvaluationJob& job) {
  const EvaluateOptions& options = job.options;
  file.set_attribute("/results", "title", options.title);
  file.set_attribute("/results", "model", file_name(options.model.path));
  if (!options.model.adapter.empty())
    file.set_attribute("/results", "adapter", file_name(options.model.adapter));
  file.set_attribute("/results", "precision", std::string(name(options.model.precision)));
  file.set_attribute("/results", "parameters", job.config.parameters());
  if (job.plan.windows.empty()) return;
  file.set_attribute("/results", "text", file_name(options.evaluate.text));
  file.set_attribute("/results", "window_length", job.plan.longest_window());
  file.set_attribute("/results", "stride", stride_of(job));
  file.set_attribute("/results", "beginning_of_sequence",
                     std::string(name(options.evaluate.beginning_of_sequence)));
  if (job.reference_config)
    file.set_attribute("/results", "reference_model", file_name(options.evaluate.reference_model));
}

void write_scores(ResultFile& file, const EvaluationJob& job, const EvaluationResult& result) {
  const WindowScores& scores = result.scores;
  const std::vector<std::size_t> shape{scores.negative_log_likelihood.size()};
  const std::vector<std::string> dims{"windows"};
  file.write("/results/negative_log_likelihood", result.score(job).part_losses, shape,
             {"mean negative log-likelihood of the scored tokens of each window", "nat", dims});
  const std::int64_t scored = job.plan.scored_tokens();
  file.write("/results/scored_tokens", std::span<const std::int64_t>(&scored, 1), {},
             {"tokens whose likelihood was taken, over all windows", "1", {}});
  std::vector<std::int64_t> counts;
  for (const Window& window : job.plan.windows) counts.push_back(window.scored());
  file.write("/results/window_scored_tokens", counts, shape,
             {"tokens scored in each window", "1", dims});
  file.write("/timing/window_seconds", scores.seconds, shape,
             {"wall time of each window on its team", "s", dims});
  if (!job.reference_config) return;
  const std::vector<double> agreements = as_numbers(scores.agreements);
  write_scalar(file, "/results/kl_divergence", result.mean(job, scores.divergence),
               "mean Kullback-Leibler divergence of the model from the reference model per scored "
               "token, KL(reference || model)",
               "nat");
  write_scalar(file, "/results/top_token_agreement", result.mean(job, agreements),
               "fraction of the scored tokens where both models find the same token most likely",
               "1");
  file.write("/results/window_kl_divergence", per_token(job, scores.divergence), shape,
             {"mean KL(reference || model) of each window", "nat", dims});
}

/// Of one task, a number for each item or for each choice.
void write_task(ResultFile& file, const EvaluationJob& job, const Task& task,
                const std::vector<double>& log_likelihood) {
  std::vector<std::int64_t> answers, counts, tokens, characters, bytes;
  std::size_t first = 0;
  for (std::size_t i = 0; i < task.first; ++i) first += job.tasks.items[i].choices.size();
  for (std::size_t i = task.first; i < task.first + task.count; ++i) {
    const TaskItem& item = job.tasks.items[i];
    answers.push_back(item.answer);
    counts.push_back(std::ssize(item.choices));
    for (const TaskChoice& choice : item.choices) {
      tokens.push_back(choice.scored());
      characters.push_back(choice.characters);
      bytes.push_back(choice.bytes);
    }
  }
  const std::string path = "/results/tasks/" + task.name;
  const auto write = [&](const char* name, const auto& values, const char* meaning, const char* dim,
                         const char* unit = "1") {
    file.write(path + "/" + name, values, {values.size()}, {meaning, unit, {dim}});
  };
  write("answer", answers, "place of the right choice of each item", "items");
  write("item_choices", counts, "choices of each item", "items");
  write("choice_log_likelihood", std::span(log_likelihood).subspan(first, tokens.size()),
        "log-likelihood of each choice, one item after the other; NaN where it is not scored",
        "choices", "nat");
  write("choice_tokens", tokens, "tokens of each choice", "choices");
  write("choice_characters", characters, "characters of each choice", "choices");
  write("choice_bytes", bytes, "bytes of each choice in UTF-8", "choices");
}

/// The sums of windows to the last bit, for runs that go on from here (finished_pieces.hpp).
void write_restart(ResultFile& file, const EvaluationResult& result) {
  const WindowScores& scores = result.scores;
  const std::vector<std::size_t> shape{scores.size()};
  const std::vector<std::string> dims{"windows"};
  file.write("/restart/negative_log_likelihood", scores.negative_log_likelihood, shape,
             {"negative log-likelihood of each window; NaN where it is not scored", "nat", dims});
  file.write("/restart/divergence", scores.divergence, shape,
             {"Kullback-Leibler divergence of each window", "nat", dims});
  file.write(
      "/restart/agreements", scores.agreements, shape,
      {"tokens of each window where both models agree; -1 where it is not scored", "1", dims});
  if (const auto& choices = result.tasks.log_likelihood; !choices.empty())
    file.write("/restart/choice_log_likelihood", choices, {choices.size()},
               {"log-likelihood of each choice of all tasks; NaN where it is not scored",
                "nat",
                {"choices"}});
  file.set_attribute("/restart", "weights_checksum", files::checksum_text(result.weights_checksum));
}

void write_continuations(ResultFile& file, const EvaluationResult& result) {
  if (result.continuations.empty()) return;
  std::vector<std::string> prompts, texts, ids;
  for (const Continuation& continuation : result.continuations) {
    prompts.push_back(continuation.prompt);
    texts.push_back(continuation.text);
    ids.push_back(fmt::format("{}", fmt::join(continuation.ids, " ")));
  }
  const std::vector<std::size_t> shape{texts.size()};
  const std::vector<std::string> dims{"prompts"};
  file.write("/results/prompts", prompts, shape, {"text of each prompt", "1", dims});
  file.write("/results/continuations", texts, shape, {"text that follows each prompt", "1", dims});
  file.write("/results/continuation_tokens", ids, shape,
             {"token ids that follow each prompt, separated by blanks", "1", dims});
}

}  // namespace

std::string file_name(const std::string& path) {
  std::filesystem::path clean(path);
  if (!clean.has_filename()) clean = clean.parent_path();
  return clean.filename().string();
}

void write_scalar(ResultFile& file, const std::string& path, double value,
                  const std::string& long_name, const std::string& units) {
  file.write(path, std::span<const double>(&value, 1), {}, {long_name, units, {}});
}

void write_count(ResultFile& file, const std::string& path, std::int64_t value,
                 const std::string& long_name, const std::string& units) {
  file.write(path, std::span<const std::int64_t>(&value, 1), {}, {long_name, units, {}});
}

std::string protocol_line(const EvaluationJob& job) {
  const TextOptions& how = job.options.evaluate;
  return fmt::format("{}: {} of {}, stride {}, {}, beginning of sequence: {}, {}",
                     file_name(how.text), counted(std::ssize(job.plan.windows), "window"),
                     counted(job.plan.longest_window(), "token"), stride_of(job),
                     counted(job.plan.scored_tokens(), "scored token"),
                     name(how.beginning_of_sequence), name(job.options.model.precision));
}

void write_results(ResultFile& file, const EvaluationJob& job, const EvaluationResult& result) {
  write_protocol(file, job);
  for (const Metric& metric : result.score(job).metrics)
    write_scalar(file, "/results/" + metric.name, metric.value, metric.meaning);
  if (!job.plan.windows.empty()) write_scores(file, job, result);
  if (!result.tasks.log_likelihood.empty())
    for (const Task& task : job.tasks.tasks)
      write_task(file, job, task, result.tasks.log_likelihood);
  if (job.has_scores()) write_restart(file, result);
  write_continuations(file, result);
  write_scalar(file, "/timing/load_seconds", result.load_seconds, "time to read the weights", "s");
  const auto peak = static_cast<std::int64_t>(result.peak_bytes_largest_rank);
  file.write("/timing/peak_resident_bytes", std::span<const std::int64_t>(&peak, 1), {},
             {"most memory that the largest rank had resident; 0 while running", "byte", {}});
  write_scalar(file, "/timing/loop_seconds", result.loop_seconds, "time to score all windows", "s");
}

namespace {

std::string windows_table(const EvaluationJob& job, const EvaluationResult& result) {
  const Score score = result.score(job);
  std::string table = fmt::format("{}\n", protocol_line(job));
  table += fmt::format("perplexity                {:.6e}\n", score.headline().value);
  table += fmt::format("negative log-likelihood   {:.8f} nat\n", score.loss);
  if (!job.reference_config) return table;
  table += fmt::format("KL divergence             {:.6e} nat\n",
                       result.mean(job, result.scores.divergence));
  return table + fmt::format("top-token agreement       {:.6f}\n",
                             result.mean(job, as_numbers(result.scores.agreements)));
}

}  // namespace

std::string tasks_table(const TaskPlan& plan, const TaskScores& scores) {
  std::size_t width = 4;
  for (const Task& task : plan.tasks) width = std::max(width, task.name.size());
  std::string table = fmt::format("{:<{}}  {:>6}", "task", width, "items");
  for (const char* column : {"accuracy", "per token", "per character", "per byte"})
    table += fmt::format("  {:>16}", column);
  for (const Task& task : plan.tasks) {
    table += fmt::format("\n{:<{}}  {:>6}", task.name, width, task.count);
    for (const auto& by : choice_length_names)
      if (const auto found = accuracy(plan, task, scores, by.value))
        table += fmt::format("  {:.4f} +- {:.4f}", found->value, found->standard_error);
  }
  return table + "\n";
}

std::string results_table(const EvaluationJob& job, const EvaluationResult& result) {
  std::string table;
  if (!job.plan.windows.empty()) table += windows_table(job, result);
  if (!result.tasks.log_likelihood.empty()) table += tasks_table(job.tasks, result.tasks);
  if (job.has_scores()) {
    table += fmt::format("speed                     {:.1f} tokens/s ({})\n",
                         static_cast<double>(result.loop_tokens) / result.loop_seconds,
                         format_duration(result.loop_seconds));
    table += fmt::format("peak memory               {} on the largest rank\n",
                         format_bytes(static_cast<double>(result.peak_bytes_largest_rank)));
  }
  for (const Continuation& continuation : result.continuations)
    table += continuation.text.empty()
                 ? fmt::format("continuation: {}\n", fmt::join(continuation.ids, " "))
                 : fmt::format("{} |{}\n", continuation.prompt, continuation.text);
  return table;
}

std::string finished_pieces(const EvaluationJob& job, const EvaluationResult& result) {
  const auto& scores = result.scores.negative_log_likelihood;
  const auto done =
      std::ranges::count_if(scores, [](const double score) { return !std::isnan(score); });
  std::string finished;
  if (done > 0)
    finished = fmt::format("{} of {}", done, counted(std::ssize(job.plan.windows), "window"));
  if (result.tasks.log_likelihood.empty()) return finished;
  if (const auto items = result.tasks.count_known(job.tasks); items > 0)
    finished += fmt::format("{}{} of {}", finished.empty() ? "" : ", ", items,
                            counted(std::ssize(job.tasks.items), "item"));
  return finished;
}

}  // namespace rankine::models
