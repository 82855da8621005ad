#include "compress/job/compression_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "compress/allocation/allocation.hpp"
#include "compress/job/adapter_plan.hpp"
#include "compress/job/bond_dimension.hpp"
#include "compress/job/output_folders.hpp"
#include "compress/job/shared_values.hpp"
#include "compress/job/unit_count.hpp"
#include "compress/job/vocabulary.hpp"
#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/random_stream.hpp"
#include "core/text_format.hpp"
#include "files/safetensors/layout.hpp"

namespace rankine::compress {

namespace {

/// Of an outline those of Hugging Face.
models::CheckpointNames names_of(const CompressionJob& job) {
  std::vector<files::TensorEntry> tensors;
  if (!job.is_outline) tensors = files::read_layout(job.options.scoring.model.path).tensors;
  return models::find_names(job.scoring.config, tensors);
}

void select(CompressionJob& job) {
  const models::CheckpointNames names = names_of(job);
  const std::vector<NamedShape> all = named_shapes(job.scoring.config, names);
  job.selected = select_weights(all, job.options.select, "select.weights",
                                vocabulary_shapes(job.scoring.config, names));
  if (job.options.adapter.exists())
    job.adapted = select_weights(all, job.options.adapter.weights, "adapter.weights");
}

/// Gates have legs enough on both sides of every weight.
void check_gates(const CompressionJob& job) {
  const weights::BrickworkShape circuit = job.options.disentangler.circuit();
  for (const NamedShape& weight : job.selected)
    for (const auto& [side, width] :
         {std::pair{"rows", weight.shape.rows}, {"columns", weight.shape.columns}})
      if (!weights::has_room(circuit, width))
        throw InputError(fmt::format(
            "disentangler.gate_size = {} is more than the {} of {} have room for ({} = {} x 2^{}: "
            "{}). Choose smaller gates, or leave the weight out of select.weights.",
            circuit.gate_legs, side, weight.name, width, width >> weights::qubits_of(width),
            weights::qubits_of(width), counted(weights::qubits_of(width), "qubit")));
}

void check_bonds(const CompressionJob& job) {
  const bool has_gates = job.options.method.form == weights::Form::disentangled;
  for (const NamedShape& weight : job.selected)
    if (bond_dimension_of(job.options, weight.shape) == 0)
      throw InputError(fmt::format(
          "ranks.parameter_ratio = {} cannot be reached for {} ({} x {}; {} at bond "
          "dimension 1 hold more). Choose a larger ratio, or leave the weight out of "
          "select.weights.",
          job.options.ranks.parameter_ratio, weight.name, weight.shape.rows, weight.shape.columns,
          has_gates ? "gates and two sites" : counted(job.options.method.sites, "site")));
}

void check_units(const CompressionJob& job) {
  const models::ModelConfig& config = job.scoring.config;
  whole_mlps(config, job.selected);
  if (units_of(job.options.ranks, config.hidden) > 0) return;
  throw InputError(fmt::format(
      "ranks.parameter_ratio = {} leaves none of {} hidden units (they go in multiples of {}, "
      "ranks.multiple_of). Choose a larger ratio.",
      job.options.ranks.parameter_ratio, config.hidden, job.options.ranks.multiple_of));
}

void check_ranks(const CompressionJob& job) {
  const RankOptions& ranks = job.options.ranks;
  const weights::SizedBy sized_by = job.options.method.sized_by();
  if (job.options.method.form == weights::Form::disentangled) check_gates(job);
  if (!job.selected.empty() && job.options.allocates_values()) require_reachable_bits(job);
  if (job.selected.empty() || sized_by == weights::SizedBy::values || job.options.is_profile())
    return;
  if (sized_by == weights::SizedBy::bonds) return check_bonds(job);
  if (sized_by == weights::SizedBy::units) return check_units(job);
  std::vector<Candidate> candidates;
  for (const NamedShape& weight : job.selected)
    candidates.push_back({.name = weight.name,
                          .shape = weight.shape,
                          .singular_values = {},
                          .multiple_of = ranks.multiple_of});
  if (ranks.bond_dimension == 0)
    require_reachable(candidates, job.options.method.gauge(), ranks.parameter_ratio);
  for (const NamedShape& weight : job.selected)
    if (ranks.bond_dimension > weight.shape.full_rank())
      throw InputError(
          fmt::format("ranks.bond_dimension = {} is above the rank of {} ({} x {}). Choose at most "
                      "{}, or leave "
                      "the weight out of select.weights.",
                      ranks.bond_dimension, weight.name, weight.shape.rows, weight.shape.columns,
                      weight.shape.full_rank()));
}

void check_experiments(const CompressionJob& job) {
  const ExperimentOptions& experiments = job.options.experiments;
  if (experiments.names.empty()) return;
  for (const std::int64_t layers : experiments.layers)
    if (layers > job.scoring.config.layers)
      throw InputError(fmt::format(
          "experiments.layers = {} is more than the model has (it has {}). Choose at most "
          "that, or 0 for all.",
          layers, counted(job.scoring.config.layers, "layer")));
}

/// Whether some of the weights are linear layers of Hugging Face's models, which the modelling file
/// replaces.
bool has_modelling_names(const CompressionJob& job) {
  const std::set<std::string> modules = models::linear_modules(job.scoring.config);
  return job.selected.empty() || std::ranges::any_of(job.selected, [&](const NamedShape& weight) {
           return modules.contains(weight.name);
         });
}

/// What "auto" is for this job.
models::ExportFormat automatic_format(const CompressionJob& job) {
  const CompressOptions& options = job.options;
  const bool is_factorised = options.selects_weights() && !options.adapter.exists() &&
                             models::has_modelling_class(options.method.form) &&
                             options.method.storage != weights::Storage::four_bits &&
                             has_modelling_names(job);
  return is_factorised ? models::ExportFormat::factorised : models::ExportFormat::dense;
}

void check_export(const CompressionJob& job) {
  const std::string& folder = job.options.result.directory;
  if (folder.empty()) return;
  if (job.options.result.format == models::ExportFormat::factorised && !has_modelling_names(job))
    throw InputError(
        fmt::format("export.format = \"factorised\" is asked for a checkpoint whose weights are "
                    "called like {} (the "
                    "modelling file replaces linear layers of Hugging Face's models). Use "
                    "export.format = \"native\" or \"dense\".",
                    job.selected[0].name));
  std::error_code ignored;
  if (std::filesystem::equivalent(folder, job.options.scoring.model.path, ignored))
    throw InputError(fmt::format(
        "export.directory = {} is the folder of the model itself (it would be overwritten while it "
        "is read). Name another folder.",
        folder));
}

/// A text as rankine-evaluate would read it.
models::EvaluateOptions text_options(const CompressOptions& options, const std::string& path,
                                     std::int64_t window_length) {
  models::EvaluateOptions text = options.scoring;
  text.evaluate.text = path;
  text.evaluate.window_length = window_length;
  text.evaluate.stride = 0;
  text.evaluate.max_windows = 0;
  return text;
}

void check_text_exists(const char* keyword, const std::string& path) {
  try {
    check_input(path);
  } catch (const UnreadableInput& error) {
    throw InputError(
        fmt::format("{} = {} cannot be read ({}). Name a text file or a .npy file of token ids.",
                    keyword, path, error.reason()));
  }
}

TokenWindows cut(const CompressionJob& job, const models::TokenText& text, std::int64_t length,
                 std::int64_t wanted) {
  const auto plan = models::plan_windows(
      text_options(job.options, job.options.calibration.text, length), job.scoring.config, text);
  const std::int64_t first = job.options.calibration.first_window;
  if (std::ssize(plan.windows) < first + wanted)
    throw InputError(fmt::format(
        "the text {} has {} of {} ({} are asked for, from window {} on). Lower their number or "
        "length under [calibration], or take a longer text.",
        job.options.calibration.text, counted(std::ssize(plan.windows), "window"),
        counted(length, "token"), wanted, first));
  TokenWindows windows;
  for (std::int64_t w = first; w < first + wanted; ++w)
    windows.push_back(plan.windows[static_cast<std::size_t>(w)].ids(plan.text));
  return windows;
}

TokenWindows all_windows(const CompressionJob& job, const std::string& path,
                         const models::TokenText& text, std::int64_t length) {
  const auto plan =
      models::plan_windows(text_options(job.options, path, length), job.scoring.config, text);
  TokenWindows windows;
  for (const models::Window& window : plan.windows) windows.push_back(window.ids(plan.text));
  return windows;
}

/// Windows of a length that reach into what the calibration has seen.
std::int64_t seen_windows(const CompressionJob& job, std::int64_t length) {
  const CalibrationOptions& how = job.options.calibration;
  const std::int64_t seen =
      std::max(how.window_length * (how.first_window + std::ssize(job.calibration_windows)),
               how.gradient_window_length * (how.first_window + std::ssize(job.gradient_windows)));
  return (seen + length - 1) / length;
}

/// Takes the last windows of the text of healing away from it.
TokenWindows hold_out(TokenWindows& windows, const HealOptions& how, const std::string& path) {
  if (how.held_out_windows >= std::ssize(windows))
    throw InputError(
        fmt::format("heal.held_out_windows = {} leaves nothing to train on (the text {} has {} of "
                    "{}). Hold out "
                    "fewer, or take a longer text.",
                    how.held_out_windows, path, counted(std::ssize(windows), "window"),
                    counted(how.window_length, "token")));
  const auto first = windows.end() - how.held_out_windows;
  TokenWindows held_out(first, windows.end());
  windows.erase(first, windows.end());
  return held_out;
}

/// All windows of the text. Of that of the calibration those first that it has not seen: it fits
/// them better than others, so less is to be learnt from them.
void read_healing(CompressionJob& job, const models::TokenText& calibration) {
  const HealOptions& how = job.options.heal;
  if (how.steps == 0) return;
  const bool has_own_text = !how.text.empty();
  if (has_own_text) check_text_exists("heal.text", how.text);
  const std::string& path = has_own_text ? how.text : job.options.calibration.text;
  TokenWindows windows = all_windows(
      job, path,
      has_own_text ? models::read_text(text_options(job.options, path, how.window_length))
                   : calibration,
      how.window_length);
  job.held_out_windows = hold_out(windows, how, path);
  if (!has_own_text)
    std::ranges::rotate(
        windows, windows.begin() + seen_windows(job, how.window_length) % std::ssize(windows));
  job.healing_windows = std::move(windows);
}

/// The same in an order of the seed.
TokenWindows adapter_windows(const CompressionJob& job, const models::TokenText& text) {
  constexpr std::uint64_t of_windows = 0xada97e;  // tells this stream from others of the seed
  const std::int64_t length = job.options.adapter.window_length;
  TokenWindows windows = all_windows(job, job.options.calibration.text, text, length);
  const auto first_unseen =
      static_cast<std::size_t>(std::min(seen_windows(job, length), std::ssize(windows)));
  RandomStream random{static_cast<std::uint64_t>(job.options.adapter.seed), of_windows};
  random.shuffle(std::span(windows).first(first_unseen));
  random.shuffle(std::span(windows).subspan(first_unseen));
  std::ranges::rotate(windows, windows.begin() + static_cast<std::ptrdiff_t>(first_unseen));
  return windows;
}

/// The model alone, without anything to score.
models::EvaluationJob outline_of(const models::EvaluateOptions& options) {
  models::EvaluationJob job;
  job.options = options;
  job.config = models::read_config(options.model.path);
  return job;
}

void read_calibration(CompressionJob& job) {
  const CalibrationOptions& how = job.options.calibration;
  models::TokenText text;
  if (job.options.needs_calibration()) {
    check_text_exists("calibration.text", how.text);
    text = models::read_text(text_options(job.options, how.text, how.window_length));
  }
  if (job.options.needs_inputs() || job.options.measures_errors())
    job.calibration_windows = cut(job, text, how.window_length, how.windows);
  if (job.options.needs_gradients())
    job.gradient_windows = cut(job, text, how.gradient_window_length, how.gradient_windows);
  if (job.options.needs_fermi())
    job.fermi_windows = all_windows(job, how.text, text, how.gradient_window_length);
  read_healing(job, text);
  if (job.options.adapter.is_trained()) job.adapter_windows = adapter_windows(job, text);
  if (job.options.needs_inputs() && how.windows < job.options.scoring.parallel.teams)
    throw InputError(fmt::format(
        "calibration.windows = {} is fewer than parallel.teams = {} (a team without a window "
        "measures nothing). Use more windows or fewer teams.",
        how.windows, job.options.scoring.parallel.teams));
}

/// Windows without tokens, as many as the deck asks for.
void count_calibration(CompressionJob& job) {
  const CompressOptions& options = job.options;
  if (options.needs_inputs() || options.measures_errors())
    job.calibration_windows.resize(static_cast<std::size_t>(options.calibration.windows));
  if (options.needs_gradients())
    job.gradient_windows.resize(static_cast<std::size_t>(options.calibration.gradient_windows));
}

}  // namespace

std::int64_t CompressionJob::selected_parameters() const {
  std::int64_t sum = 0;
  for (const NamedShape& weight : selected) sum += weight.shape.dense_numbers();
  return sum;
}

bool CompressionJob::measures_inputs() const {
  const bool are_others = options.fit.is_sequential() && options.method.has_books() &&
                          !options.allocates_values() &&
                          std::ranges::none_of(selected, &NamedShape::is_of_vocabulary);
  return options.needs_inputs() && !are_others;
}

TokenWindows calibration_windows(const CompressionJob& job, std::int64_t length,
                                 std::int64_t count) {
  if (job.is_outline) return TokenWindows(static_cast<std::size_t>(count));
  const std::string& path = job.options.calibration.text;
  check_text_exists("calibration.text", path);
  return cut(job, models::read_text(text_options(job.options, path, length)), length, count);
}

CompressionJob prepare_compression(const CompressOptions& options) {
  CompressionJob job;
  job.options = options;
  job.is_outline = is_outline(options);
  job.scoring =
      job.is_outline ? outline_of(options.scoring) : models::prepare_evaluation(options.scoring);
  select(job);
  check_vocabulary(job);
  check_ranks(job);
  check_adapter(job);
  if (job.options.result.format == models::ExportFormat::automatic)
    job.options.result.format = automatic_format(job);
  check_export(job);
  check_output_folders(job);
  check_experiments(job);
  if (job.is_outline)
    count_calibration(job);
  else
    read_calibration(job);
  return job;
}

}  // namespace rankine::compress
