#include "distill/results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compress/images/image_results.hpp"
#include "compress/results.hpp"
#include "core/text_format.hpp"
#include "models/evaluation/results.hpp"

namespace rankine::distill {

const char* name(Outcome outcome) {
  switch (outcome) {
    case Outcome::trained:
      return "trained";
    case Outcome::fit_kept:
      return "fit kept";
    default:
      return "diverged";
  }
}

namespace {

using files::ResultFile;
using models::write_count;
using models::write_scalar;

constexpr std::size_t most_slices_shown = 30;

/// What the network is worth after each stage that ran.
struct StageValue {
  const char* stage;  ///< in names of datasets
  const char* when;   ///< for people
  std::optional<double> value;
};
using StageValues = std::vector<StageValue>;

template <class Score, class Value>
StageValues values_of(const std::optional<Score>& before, const std::optional<Score>& fit,
                      const std::optional<Score>& local, const std::optional<Score>& after,
                      Value&& value) {
  const auto known = [&](const std::optional<Score>& score) {
    return score ? std::optional<double>(value(*score)) : std::nullopt;
  };
  return {{"before", "as it was read", known(before)},
          {"fit", "after the fit", known(fit)},
          {"local", "with its slices trained", known(local)},
          {"after", "in the end", known(after)}};
}

StageValues values_of(const ImageDistillResult& result) {
  return values_of(
      result.compression.before, result.fit, result.local, result.compression.after,
      [](const models::ImageScores& scores) { return scores.classification.accuracy; });
}

StageValues values_of(const LanguageDistillResult& result) {
  return values_of(result.compression.before, result.fit, result.local, result.compression.after,
                   [](const models::Score& score) { return score.headline().value; });
}

/// Those between the first and the last, which the compression writes.
void write_stages(ResultFile& file, const StageValues& values, const std::string& metric) {
  for (const StageValue& one : values)
    if (one.value && (one.stage == std::string("fit") || one.stage == std::string("local")))
      write_scalar(file, fmt::format("/results/{}_{}", metric, one.stage), *one.value,
                   fmt::format("{} of the network {}", metric, one.when));
}

void write_slice(ResultFile& file, const SliceReport& slice) {
  const std::string path = "/results/slices/" + slice.name;
  file.set_attribute(path, "outcome", std::string(name(slice.outcome)));
  file.set_attribute(path, "is_restored", std::int64_t{slice.is_restored});
  write_count(file, path + "/position", static_cast<std::int64_t>(slice.position),
              "place among the slices of the deck, in the order of the network");
  write_count(file, path + "/parameters", slice.parameters, "stored numbers of its new weights");
  write_count(file, path + "/team", slice.team, "team that trained it");
  const std::pair<const char*, std::pair<double, const char*>> errors[] = {
      {"before", {slice.feature_error_before, "of the plain decomposition at the same ranks"}},
      {"fit", {slice.feature_error_fit, "of the fit"}},
      {"after", {slice.feature_error_after, "in the end"}}};
  for (const auto& [when, error] : errors)
    write_scalar(file, fmt::format("{}/feature_error_{}", path, when), error.first,
                 fmt::format("squared error of the features behind the slice over their variance "
                             "around the means of channels, on held-out samples: {}",
                             error.second));
  if (!slice.feature_errors.empty())
    file.write(path + "/feature_errors", slice.feature_errors, {slice.feature_errors.size()},
               {"the same after each epoch", "1", {"epochs"}});
  write_scalar(file, path + "/seconds", slice.seconds(), "time it was trained", "s");
  write_scalar(file, path + "/started", slice.started, "since slices began to be trained", "s");
  write_scalar(file, path + "/finished", slice.finished, "since slices began to be trained", "s");
  write_scalar(file, path + "/cost", slice.cost, "time that was foretold", "s");
  if (slice.score)
    write_scalar(file, path + "/score", *slice.score,
                 "accuracy or perplexity of the network with this slice alone replaced");
}

void write_local(ResultFile& file, const LocalReport& local) {
  for (const SliceReport& slice : local.slices) write_slice(file, slice);
  write_count(file, "/results/local/samples", local.samples, "images or windows trained on");
  write_count(file, "/results/local/held_out", local.held_out,
              "samples on which the best states were chosen");
  write_count(file, "/results/local/waves", local.waves, "times the teacher has run");
  write_count(file, "/results/local/teams", local.teams, "teams of ranks that trained slices");
  const SimulatedTeams& simulated = local.simulated;
  if (!simulated.teams.empty()) {
    file.write("/results/local/simulated_teams", simulated.teams, {simulated.teams.size()},
               {.long_name = "other numbers of teams",
                .units = "1",
                .dims = {"schedules"},
                .labels_axis = true});
    file.write("/results/local/simulated_seconds", simulated.seconds, {simulated.seconds.size()},
               {"time these slices would take with so many teams", "s", {"schedules"}});
  }
  write_scalar(file, "/timing/teacher_seconds", local.teacher_seconds,
               "time in which the teacher made its features, all waves", "s");
  write_scalar(file, "/timing/local_seconds", local.seconds,
               "time of all that is local, with the teacher", "s");
}

/// What both kinds of network have.
template <class Job, class Result>
void write_distillation(ResultFile& file, const Job& job, const Result& result,
                        const std::string& metric) {
  compress::write_results(file, job.compression, result.compression);
  file.set_attribute("/results", "method", method_line(job));
  file.set_attribute("/results", "mode",
                     std::string(name_in(mode_names, job.options.distill.mode)));
  write_stages(file, values_of(result), metric);
  write_scalar(file, "/timing/fit_seconds", result.fit_seconds,
               "time of the fit on the slowest rank, with what it measures", "s");
  write_scalar(file, "/timing/global_seconds", result.global_seconds,
               "time in which the whole network was trained", "s");
  if (result.local_report) write_local(file, *result.local_report);
}

std::string slice_line(const SliceReport& slice, std::size_t width) {
  std::string line = fmt::format(
      "{:<{}}  {:>10}  {:>9.3e}  {:>9.3e}  {:>9.3e}  {:>8}  {:>4}  {:>10}", slice.name, width,
      slice.parameters, slice.feature_error_before, slice.feature_error_fit,
      slice.feature_error_after, name(slice.outcome), slice.team, format_duration(slice.seconds()));
  if (slice.score) line += fmt::format("  {:.6g}", *slice.score);
  return line + "\n";
}

/// Feature errors of the slices; of many the first ones.
std::string slices_table(const LocalReport& local) {
  std::size_t width = 5;
  for (const SliceReport& slice : local.slices) width = std::max(width, slice.name.size());
  std::string table =
      fmt::format("{:<{}}  {:>10}  {:>9}  {:>9}  {:>9}  {:>8}  {:>4}  {:>10}\n", "slice", width,
                  "parameters", "plain", "fit", "after", "outcome", "team", "time");
  const std::size_t shown = std::min(local.slices.size(), most_slices_shown);
  for (std::size_t s = 0; s < shown; ++s) table += slice_line(local.slices[s], width);
  if (shown < local.slices.size())
    table += fmt::format("and {} more in the result file\n", local.slices.size() - shown);
  return table + fmt::format("{} trained over {}, {} held out, {} of the teacher\n",
                             counted(local.samples, "sample"), counted(local.teams, "team"),
                             local.held_out, counted(local.waves, "run"));
}

template <class Job, class Result, class Shown>
std::string table_of(const Job& job, const Result& result, const std::string& metric,
                     Shown&& shown) {
  std::string table = result.local_report ? slices_table(*result.local_report) : "";
  table += method_line(job) + "\n";
  for (const StageValue& one : values_of(result))
    if (one.value) table += fmt::format("{} {:<26} {}\n", metric, one.when, shown(*one.value));
  return table;
}

std::string parameters_line(std::int64_t before, std::int64_t after) {
  return fmt::format("{:<35} {} -> {} ({:.4f})\n", "parameters", before, after,
                     static_cast<double>(after) / static_cast<double>(before));
}

template <class Result>
std::string finished_of(const Result& result, bool has_weights) {
  if (result.local_report)
    return fmt::format("the fit and {}", counted(std::ssize(result.local_report->slices), "slice"));
  return result.compression.before || has_weights ? "the stages done so far" : "";
}

}  // namespace

std::string finished_stages(const ImageDistillResult& result) {
  return finished_of(result, !result.compression.kernels.empty());
}

std::string finished_stages(const LanguageDistillResult& result) {
  return finished_of(result, !result.compression.weights.empty());
}

void write_results(ResultFile& file, const ImageDistillJob& job, const ImageDistillResult& result) {
  write_distillation(file, job, result, "accuracy");
}

void write_results(ResultFile& file, const LanguageDistillJob& job,
                   const LanguageDistillResult& result) {
  write_distillation(file, job, result, "perplexity");
}

std::string results_table(const ImageDistillJob& job, const ImageDistillResult& result) {
  return table_of(job, result, "accuracy",
                  [](double value) { return fmt::format("{:.2f} %", 100 * value); }) +
         parameters_line(result.compression.parameters_before, result.compression.parameters_after);
}

std::string results_table(const LanguageDistillJob& job, const LanguageDistillResult& result) {
  return table_of(job, result, "perplexity",
                  [](double value) { return fmt::format("{:.6e}", value); }) +
         parameters_line(job.compression.selected_parameters(), result.compression.parameters());
}

}  // namespace rankine::distill
