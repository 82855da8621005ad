#include "distill/language_job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compress/job/forecast.hpp"
#include "compress/job/output_folders.hpp"
#include "compress/results.hpp"
#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "distill/layouts.hpp"
#include "files/safetensors/layout.hpp"

namespace rankine::distill {

namespace {

/// Of the compression with a training of the whole model behind it.
double forecast_with_training(const LanguageDistillJob& job, const run::Machine& machine) {
  compress::CompressionJob trained = job.compression;
  trained.options.heal = {.steps = 1,
                          .loss = job.options.distill.targets == GlobalTargets::teacher
                                      ? compress::HealingLoss::distillation
                                      : compress::HealingLoss::next_token,
                          .window_length = job.options.compression.calibration.window_length};
  trained.healing_windows = {job.windows.front()};
  return compress::plan_memory(trained, machine).forecast.total();
}

}  // namespace

LanguageDistillJob prepare_language_distillation(const DistillOptions& options) {
  const compress::CalibrationOptions& text = options.compression.calibration;
  LanguageDistillJob job{.options = options,
                         .compression = compress::prepare_compression(options.compression),
                         .windows = {},
                         .stages = {},
                         .slices = {},
                         .memory = {}};
  for (const compress::NamedShape& weight : job.compression.selected)
    if (weight.is_of_vocabulary())
      throw InputError(fmt::format(
          "select.weights names {} (slices are cut from the layers alone). Leave it out, or "
          "compress it with rankine-compress.",
          weight.name));
  if (options.distill.mode != Mode::fit_only)
    job.windows = compress::calibration_windows(job.compression, text.window_length, text.windows);
  job.stages = layout_of(job.compression, text.window_length);
  job.slices = slices_for(job.stages, options, job.samples());
  return job;
}

void require_weights(const LanguageDistillJob& job) {
  if (job.compression.is_outline) files::read_layout(job.options.compression.scoring.model.path);
}

void use_ranks(LanguageDistillJob& job, int ranks) {
  compress::CompressOptions& options = job.compression.options;
  std::int64_t teams = job.options.compression.scoring.parallel.teams;
  if (teams == 0)
    teams = options.method.needs_inputs()
                ? std::min<std::int64_t>(ranks, options.calibration.windows)
                : ranks;
  job.teams = static_cast<int>(teams);
  options.scoring.parallel.teams = job.compression.scoring.options.parallel.teams = teams;
}

std::string summary(const LanguageDistillJob& job) {
  return fmt::format("{} parameters, {}", job.compression.scoring.config.parameters(),
                     counted(job.teams, "team"));
}

std::string method_line(const LanguageDistillJob& job) {
  return compress::method_line(job.compression) +
         mode_text(job.options, std::ssize(job.slices), job.teams);
}

std::vector<std::string> look_into_folders(const LanguageDistillJob& job,
                                           const deck::DeckValues& values) {
  return compress::look_into_folders(job.compression, values);
}

DistillMemory plan_memory(const LanguageDistillJob& job, const run::Machine& machine) {
  const compress::CompressionMemory compression = compress::plan_memory(job.compression, machine);
  DistillMemory memory{.compression = compression.forecast.total(), .allowed = compression.allowed};
  if (job.options.has_teacher()) memory.teacher = compression.forecast.row_blocks;
  if (job.options.trains_network())
    memory.training =
        std::max(0.0, forecast_with_training(job, machine) - memory.compression - memory.teacher);
  if (!job.options.trains_slices()) return memory;
  // A window's activations are whole on every rank of a team, and windows pass one by one.
  const double number = models::bytes_of(job.compression.options.scoring.model.precision);
  memory.rank = {
      .bytes_of_number = number, .samples = static_cast<double>(job.samples()), .batch = 1};
  memory.training = std::max(memory.training, training_bytes(job.stages, job.slices, memory.rank));
  plan_waves(memory, job.stages, job.slices, job.teams);
  return memory;
}

}  // namespace rankine::distill
