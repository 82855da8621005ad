#include "compress/model_summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compress/job/workbench.hpp"
#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "models/evaluation/results.hpp"
#include "models/export/export.hpp"
#include "models/language/generation.hpp"
#include "parallel/agreement.hpp"
#include "text/tokenizer.hpp"

namespace rankine::compress {

using models::write_scalar;

namespace {

/// The beginning of the text that is scored, or else of the calibration text; empty without both.
std::vector<std::int64_t> prompt_of(const CompressionJob& job) {
  constexpr std::size_t longest = 16;
  std::vector<std::int64_t> ids;
  if (const auto& plan = job.scoring.plan; !plan.windows.empty())
    ids = plan.windows.front().ids(plan.text);
  else if (!job.calibration_windows.empty())
    ids = job.calibration_windows.front();
  ids.resize(std::min(ids.size(), longest));
  return ids;
}

/// In words where the model has a tokenizer that can be read.
std::string text_of(const std::vector<std::int64_t>& ids, const std::string& folder) {
  const auto tokenizer = std::filesystem::path(folder) / "tokenizer.json";
  try {
    if (input_exists(tokenizer))
      return text::Tokenizer::read(tokenizer).decode(
          std::vector<std::int32_t>(ids.begin(), ids.end()), text::SpecialTokens::left_out);
  } catch (const InputError&) {  // the ids say as much
  }
  return fmt::format("{}", fmt::join(ids, " "));
}

/// Of the first team; what it writes is complete on rank 0.
SummaryOfModel summary_of(const Workbench& bench) {
  const SummaryOptions& options = bench.options.summary;
  SummaryOfModel found;
  parallel::agree_between_teams(bench.world, bench.teams.team(), [&] {
    if (bench.teams.index() != 0) return;
    if (options.speed)
      found.speed = models::measure_speed(
          bench.model, models::SpeedProbe{}.within(bench.model.config().context));
    const auto prompt = prompt_of(bench.job);
    if (prompt.empty() || options.sample_tokens == 0) return;
    const auto sample =
        models::continue_sequence(bench.model, prompt, {.tokens = options.sample_tokens});
    parallel::agree_on_failure(bench.teams.team(), [&] {
      if (bench.world.rank() != 0) return;
      found.prompt = text_of(prompt, bench.options.scoring.model.path);
      found.sample = text_of(sample, bench.options.scoring.model.path);
    });
  });
  return found;
}

std::string in_bytes(std::uint64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

std::string speed_text(const models::Speed& before, const models::Speed& after) {
  const auto probe = models::SpeedProbe{};
  return fmt::format(
      "generation                           {:.1f} -> {:.1f} tokens/s, the first after {} -> {}\n"
      "scoring                              {:.1f} -> {:.1f} tokens/s\n",
      before.generated_per_second(), after.generated_per_second(),
      format_duration(before.first_token), format_duration(after.first_token),
      before.scored_per_second(probe), after.scored_per_second(probe));
}

/// On one line.
std::string shown(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

ModelSummary summary_before(const Workbench& bench) {
  return {.bytes_before = models::checkpoint_bytes(bench.world, bench.options.scoring.model.path),
          .before = summary_of(bench)};
}

void add_summary_after(const Workbench& bench, ModelSummary& summary) {
  using models::ExportFormat;
  for (const ExportFormat format :
       {ExportFormat::dense, ExportFormat::factorised, ExportFormat::native})
    summary.bytes_after[format] = models::checkpoint_bytes(
        bench.world, bench.options.scoring.model.path, bench.model, format);
  summary.after = summary_of(bench);
}

std::string summary_text(const ModelSummary& summary, models::ExportFormat exported) {
  if (summary.bytes_after.empty()) return "";
  std::string text =
      fmt::format("bytes of the model on disk           {}", in_bytes(summary.bytes_before));
  const char* before = " -> ";
  for (const auto& [format, bytes] : summary.bytes_after) {
    text += fmt::format("{}{} {}{}", before, in_bytes(bytes),
                        name_in(models::export_format_names, format),
                        format == exported ? " (written)" : "");
    before = ", ";
  }
  text += "\n";
  if (summary.before.speed && summary.after.speed)
    text += speed_text(*summary.before.speed, *summary.after.speed);
  if (summary.after.sample.empty()) return text;
  return text + fmt::format(
                    "sample before                        {} |{}\n"
                    "sample after                         {} |{}\n",
                    shown(summary.before.prompt), shown(summary.before.sample),
                    shown(summary.after.prompt), shown(summary.after.sample));
}

void write_summary(files::ResultFile& file, const ModelSummary& summary) {
  const auto write_model = [&](const SummaryOfModel& model, const std::string& when) {
    if (!model.sample.empty())
      file.write("/results/sample_" + when, std::vector<std::string>{model.prompt, model.sample},
                 {2}, {"prompt, and what the model writes behind it", "1", {"parts"}});
    if (!model.speed) return;
    write_scalar(file, "/timing/token_" + when + "_seconds", model.speed->token,
                 "time of a token that is generated", "s");
    write_scalar(file, "/timing/first_token_" + when + "_seconds", model.speed->first_token,
                 "time of a prompt of 64 tokens and the first token", "s");
    write_scalar(file, "/timing/scored_token_" + when + "_seconds",
                 1 / model.speed->scored_per_second({}), "time of a token that is scored", "s");
  };
  write_model(summary.before, "before");
  write_model(summary.after, "after");
  models::write_count(file, "/results/model_bytes_before",
                      static_cast<std::int64_t>(summary.bytes_before),
                      "bytes of the tensors of the original checkpoint", "byte");
  for (const auto& [format, bytes] : summary.bytes_after)
    models::write_count(
        file, fmt::format("/results/model_bytes_{}", name_in(models::export_format_names, format)),
        static_cast<std::int64_t>(bytes), "bytes of the tensors in this format", "byte");
}

}  // namespace rankine::compress
