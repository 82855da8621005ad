#include "compress/results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "compress/adapter_results.hpp"
#include "compress/experiment_results.hpp"
#include "compress/job/adapter_plan.hpp"
#include "compress/model_summary.hpp"
#include "core/text_format.hpp"
#include "models/evaluation/results.hpp"

namespace rankine::compress {

namespace {

using files::ResultFile;
using models::Score;
using models::write_count;
using models::write_scalar;

/// The part of the loss that compression cost and healing brought back; nothing where compression
/// cost none.
std::optional<double> recovered(const CompressionResult& result) {
  const std::optional<Score>& healed = result.adapter ? result.adapter->unadapted : result.after;
  if (!result.before || !result.unhealed || !healed) return std::nullopt;
  const double gap = result.unhealed->loss - result.before->loss;
  if (!(gap > 0)) return std::nullopt;
  return (result.unhealed->loss - healed->loss) / gap;
}

void write_score(ResultFile& file, const std::string& when, const std::optional<Score>& score) {
  if (!score) return;
  for (const models::Metric& metric : score->metrics)
    write_scalar(file, "/results/" + metric.name + "_" + when, metric.value, metric.meaning.c_str(),
                 "1");
  if (!score->part_losses.empty())
    file.write(
        "/results/negative_log_likelihood_" + when, score->part_losses, {score->part_losses.size()},
        {"mean negative log-likelihood of the scored tokens of each window", "nat", {"windows"}});
  write_scalar(file, "/timing/score_" + when + "_seconds", score->seconds,
               "time to score all windows", "s");
}

void write_gates(ResultFile& file, const std::string& path, const WeightReport& weight) {
  const GateReport& gates = weight.gates;
  if (gates.overlaps.empty()) return;
  const double overlap = gates.overlaps.back();
  write_count(file, path + "/gate_parameters", gates.numbers, "numbers of the gates");
  write_count(file, path + "/core_parameters", weight.numbers - gates.numbers,
              "numbers of the operator between the gates");
  write_scalar(file, path + "/overlap_alone", gates.overlap_alone,
               "overlap of the weight with its operator of that bond dimension without gates", "1");
  write_scalar(file, path + "/overlap", overlap,
               "overlap of the weight with its operator between gates", "1");
  write_scalar(file, path + "/discarded_weight", 1 - overlap * overlap,
               "part of the squared norm of the weight that is discarded", "1");
  file.write(path + "/overlaps", gates.overlaps, {gates.overlaps.size()},
             {"overlap at the start and after each sweep", "1", {"sweeps"}});
  if (gates.entropies.size() != 2) return;
  write_scalar(file, path + "/entropy_before", gates.entropies[0],
               "operator entanglement entropy of the cut without gates", "nat");
  write_scalar(file, path + "/entropy_after", gates.entropies[1],
               "operator entanglement entropy of the cut between the gates", "nat");
}

void write_weight(ResultFile& file, const WeightReport& weight) {
  const std::string path = "/results/weights/" + weight.name;
  file.set_attribute(path, "form", std::string(name(weight.form)));
  file.set_attribute(path, "storage", std::string(name(weight.storage)));
  write_count(
      file, path + "/rank", weight.rank,
      "rank (the smaller side for a dense weight), bond dimension or number of shared values");
  write_count(file, path + "/parameters", weight.numbers, "stored numbers");
  write_count(file, path + "/parameters_before", weight.shape.dense_numbers(),
              "numbers of the weight in the original");
  write_count(file, path + "/bytes", weight.bytes, "stored bytes, indices included", "B");
  write_scalar(file, path + "/weighted_error", weight.weighted_error,
               "discarded part of the weight in the norm of method.weighting, relative; before "
               "rounding",
               "1");
  write_scalar(file, path + "/rounding_error", weight.rounding_error,
               "change of the matrix by the rounding of method.storage, relative", "1");
  if (!weight.spectrum.empty())
    file.write(path + "/spectrum", weight.spectrum, {weight.spectrum.size()},
               {"singular values in the norm of method.weighting", "1", {"components"}});
  write_gates(file, path, weight);
  if (weight.pivot_side.empty()) return;  // not pivoted, or not yet
  file.set_attribute(path, "pivots", weight.pivot_side);
  write_scalar(file, path + "/largest_coefficient", weight.largest_coefficient,
               "largest coefficient that expresses other rows or columns by pivots", "1");
  write_scalar(file, path + "/identity_error", weight.identity_error,
               "relative change of the matrix by fixing its gauge, before rounding", "1");
}

/// Of the selected weights together and each by itself, once they have their forms.
void write_weights(ResultFile& file, const CompressionResult& result) {
  if (result.weights.empty()) return;
  write_count(file, "/results/parameters_after", result.parameters(),
              "numbers that store the selected weights");
  write_count(file, "/results/bytes_after", result.bytes(),
              "bytes that store the selected weights, indices included", "B");
  for (const WeightReport& weight : result.weights) write_weight(file, weight);
}

void write_protocol(ResultFile& file, const CompressionJob& job) {
  const CompressOptions& options = job.options;
  const auto set = [&](const char* name, files::Attribute value) {
    file.set_attribute("/results", name, std::move(value));
  };
  set("title", options.scoring.title);
  set("model", models::file_name(options.scoring.model.path));
  set("precision", std::string(name(options.scoring.model.precision)));
  set("method", method_line(job));
  if (!job.scoring.plan.windows.empty()) set("evaluation", models::protocol_line(job.scoring));
}

void write_times(ResultFile& file, const CompressionTimes& seconds) {
  const std::pair<const char*, double> times[] = {{"load", seconds.load},
                                                  {"inputs", seconds.inputs},
                                                  {"gradients", seconds.gradients},
                                                  {"decomposition", seconds.decomposition},
                                                  {"allocation", seconds.allocation},
                                                  {"conversion", seconds.conversion},
                                                  {"fit", seconds.fit},
                                                  {"healing", seconds.healing},
                                                  {"adapter", seconds.adapter},
                                                  {"experiments", seconds.experiments}};
  for (const auto& [name, value] : times)
    write_scalar(file, fmt::format("/timing/{}_seconds", name), value,
                 "time of this stage on the slowest rank", "s");
}

}  // namespace

namespace {

std::string values_text(const CompressOptions& options) {
  const MethodOptions& method = options.method;
  std::string text =
      options.allocates_values()
          ? fmt::format("up to {} within {} bits a weight",
                        counted(method.clusters, "shared value"), options.ranks.bits_per_weight)
          : counted(method.clusters, "shared value");
  if (method.codebooks != "matrix") text += fmt::format(" (codebooks: {})", method.codebooks);
  text += ", " + counted(method.outliers, "outlier");
  if (method.outlier_share > 0) text += fmt::format(" and {} of all entries", method.outlier_share);
  return text;
}

std::string rank_text(const CompressOptions& options) {
  if (options.method.sized_by() == weights::SizedBy::values) return values_text(options);
  if (options.is_profile())
    return fmt::format("profile of bond dimensions {}",
                       fmt::join(options.sensitivity.bond_dimensions, ", "));
  if (options.method.sized_by() == weights::SizedBy::units)
    return fmt::format("hidden units, ratio {}", options.ranks.parameter_ratio);
  if (options.ranks.bond_dimension > 0) return fmt::format("rank {}", options.ranks.bond_dimension);
  return fmt::format("{} ranks, ratio {}", name(options.ranks.allocation),
                     options.ranks.parameter_ratio);
}

std::string weights_line(const CompressionJob& job) {
  const CompressOptions& options = job.options;
  std::string line =
      fmt::format("{} ({} parameters): {}, weighting {}, {}",
                  counted(std::ssize(job.selected), "weight"), job.selected_parameters(),
                  name(options.method.form), name(options.method.weighting), rank_text(options));
  if (options.method.form == weights::Form::disentangled)
    line += fmt::format(", {} of gates on {}, odd legs {}, start {}",
                        counted(options.disentangler.depth, "layer"),
                        counted(options.disentangler.gate_size, "qubit"),
                        name_in(weights::odd_leg_names, options.disentangler.odd_leg),
                        name_in(weights::disentangling_start_names, options.disentangler.start));
  if (options.method.storage == weights::Storage::exact) return line;
  return line + fmt::format(", stored as {}", name(options.method.storage));
}

}  // namespace

std::string method_line(const CompressionJob& job) {
  const CompressOptions& options = job.options;
  std::string line = options.selects_weights() ? weights_line(job) : "the model as it is";
  if (options.needs_calibration())
    line += fmt::format(", calibration {}", models::file_name(options.calibration.text));
  if (options.needs_calibration() && options.selects_weights())
    line += fmt::format(": {} of {}", counted(options.calibration.windows, "window"),
                        counted(options.calibration.window_length, "token"));
  if (options.adapter.exists()) line += "; " + adapter_line(job);
  return line;
}

void write_results(ResultFile& file, const CompressionJob& job, const CompressionResult& result) {
  write_protocol(file, job);
  write_count(file, "/timing/peak_resident_bytes",
              static_cast<std::int64_t>(result.peak_bytes_largest_rank),
              "most memory that the largest rank had resident; 0 while running", "byte");
  write_score(file, "before", result.before);
  write_count(file, "/results/parameters_before", job.selected_parameters(),
              "numbers of the selected weights in the original");
  write_times(file, result.seconds);
  write_experiments(file, result.experiments);
  if (result.sensitivity) write_profile(file, *result.sensitivity);
  write_weights(file, result);
  write_score(file, "unhealed", result.unhealed);
  write_score(file, "after", result.after);
  if (const auto part = recovered(result))
    write_scalar(file, "/results/recovered", *part,
                 "part of the loss lost by compression that healing brought back", "1");
  const auto& [steps, losses, held_out] = result.healing;
  if (!losses.empty())
    file.write("/results/healing_loss", losses, {losses.size()},
               {"mean next-token loss of each step of healing", "nat", {"steps"}});
  if (!held_out.empty())
    file.write(
        "/results/healing_held_out_loss", held_out, {held_out.size()},
        {"loss of the held-out windows before healing and after every heal.check_every steps",
         "nat",
         {"looks"}});
  write_adapter_results(file, job, result);
  if (result.summary) write_summary(file, *result.summary);
  if (result.noise) write_noise_map(file, *result.noise);
}

namespace {

/// A line for each weight, and the sums.
std::string weights_table(const CompressionJob& job, const CompressionResult& result) {
  std::size_t width = 6;
  for (const WeightReport& weight : result.weights) width = std::max(width, weight.name.size());
  std::string table = fmt::format("{:<{}}  {:>8}  {:>5}  {:>11}  {:>10}  {:>9}\n", "weight", width,
                                  "form", "rank", "parameters", "bytes", "error");
  for (const WeightReport& weight : result.weights)
    table += fmt::format("{:<{}}  {:>8}  {:>5}  {:>11}  {:>10}  {:9.3e}\n", weight.name, width,
                         name(weight.form), weight.rank, weight.numbers,
                         format_bytes(static_cast<double>(weight.bytes)), weight.weighted_error);
  table += fmt::format("{}\n", method_line(job));
  table += fmt::format(
      "parameters of the selected weights   {} -> {} ({:.4f})\n", job.selected_parameters(),
      result.parameters(),
      static_cast<double>(result.parameters()) / static_cast<double>(job.selected_parameters()));
  return table + fmt::format("bytes of the selected weights        {} ({:.4f} bits a weight)\n",
                             format_bytes(static_cast<double>(result.bytes())),
                             8 * static_cast<double>(result.bytes()) /
                                 static_cast<double>(job.selected_parameters()));
}

/// The format that was written, or "auto" for none.
models::ExportFormat exported_format(const CompressionJob& job) {
  const ExportOptions& exported = job.options.result;
  return exported.directory.empty() ? models::ExportFormat::automatic : exported.format;
}

/// The figures of the text and of tasks, before and after.
std::string scores_table(const CompressionJob& job, const Score& before, const Score& after) {
  std::string table;
  if (!job.scoring.plan.windows.empty())
    table += fmt::format("{}\n{:<35}  {:.6e} -> {:.6e}\n", models::protocol_line(job.scoring),
                         before.headline().name, before.headline().value, after.headline().value);
  const auto value = [](const Score& score, const std::string& name) {
    return std::ranges::find(score.metrics, name, &models::Metric::name)->value;
  };
  for (const models::Task& task : job.scoring.tasks.tasks)
    for (const auto& by : models::choice_length_names) {
      const std::string name = fmt::format("tasks/{}/{}", task.name, by.name);
      table +=
          fmt::format("{:<35}  {:.4f} -> {:.4f} (+- {:.4f})\n", name.substr(6), value(before, name),
                      value(after, name), value(after, name + "_standard_error"));
    }
  return table;
}

}  // namespace

std::string results_table(const CompressionJob& job, const CompressionResult& result) {
  if (result.sensitivity)
    return fmt::format("{}{}\n{}\n{} of the model as it is  {:.6e}\n",
                       profile_table(*result.sensitivity), method_line(job),
                       models::protocol_line(job.scoring), result.before->headline().name,
                       result.before->headline().value);
  std::string table = experiments_table(result.experiments);
  table += result.weights.empty() ? method_line(job) + "\n" : weights_table(job, result);
  if (!result.before || !result.after)
    return table + adapter_text(job, result) +
           (result.summary ? summary_text(*result.summary, exported_format(job)) : "");
  table += scores_table(job, *result.before, *result.after);
  if (const auto part = recovered(result))
    table += fmt::format(
        "before healing                       {:.6e} ({:.1f} % of the loss recovered)\n",
        result.unhealed->headline().value, 100 * *part);
  table += adapter_text(job, result);
  if (result.summary) table += summary_text(*result.summary, exported_format(job));
  return result.noise ? table + noise_table(*result.noise) : table;
}

}  // namespace rankine::compress
