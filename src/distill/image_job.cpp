#include "distill/image_job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "distill/layouts.hpp"

namespace rankine::distill {

namespace {

/// That of the whole network, after the fit and maybe the slices.
compress::TrainOptions network_training(const DistillOptions& options) {
  const TrainingOptions& how = options.distill;
  return {.epochs = options.trains_network() ? options.network_epochs() : 0,
          .batch_size = how.batch_size,
          .learning_rate = options.network_learning_rate(),
          .seed = how.seed,
          .crop = how.crop,
          .flip = how.flip};
}

}  // namespace

ImageDistillJob prepare_image_distillation(const DistillOptions& options) {
  ImageDistillJob job{.options = options,
                      .compression = compress::prepare_image_job(options.compression),
                      .stages = {},
                      .slices = {},
                      .memory = {}};
  job.compression.options.train = network_training(options);
  if (options.distill.mode != Mode::fit_only && job.samples() == 0)
    throw InputError(
        "data.images is not set (slices and networks are trained on images). Name the .npy files "
        "under [data].");
  job.stages = layout_of(job.compression);
  job.slices = slices_for(job.stages, options, job.samples());
  return job;
}

void use_ranks(ImageDistillJob& job, int ranks) {
  const auto wanted = static_cast<int>(job.options.compression.scoring.parallel.teams);
  job.teams = wanted > 0 ? wanted : ranks;
}

std::string summary(const ImageDistillJob& job) {
  const models::ImageData& data = job.compression.data;
  return fmt::format("{} parameters, {}, {}", job.compression.model.plan.parameters(),
                     counted(data.training.size(), "training image"),
                     counted(data.test.size(), "test image"));
}

std::string method_line(const ImageDistillJob& job) {
  return compress::method_line(job.compression) +
         mode_text(job.options, std::ssize(job.slices), job.teams);
}

std::vector<std::string> look_into_folders(const ImageDistillJob& job, const deck::DeckValues&) {
  return compress::look_into_folders(job.compression);
}

DistillMemory plan_memory(const ImageDistillJob& job, const run::Machine& machine) {
  const models::ImageMemoryPlan compression = compress::plan_memory(job.compression, machine);
  const double number = models::bytes_of(job.compression.options.scoring.model.precision);
  const double weights = number * static_cast<double>(job.compression.model.plan.parameters());
  DistillMemory memory{.compression = compression.total(), .allowed = compression.allowed};
  memory.teacher = weights;
  // What kernels gain in a sweep.
  if (job.options.distill.sweeps > 0)
    memory.compression += 8 * static_cast<double>(job.compression.model.plan.parameters());
  if (!job.options.trains_slices()) return memory;
  const std::int64_t ranks = std::max(1, machine.ranks / job.teams);
  const auto share = [&](std::int64_t samples) {
    return static_cast<double>((samples + ranks - 1) / ranks);
  };
  memory.rank = {.bytes_of_number = number,
                 .samples = share(job.samples()),
                 .batch = share(std::min(job.options.distill.batch_size, job.samples()))};
  memory.training = training_bytes(job.stages, job.slices, memory.rank);
  plan_waves(memory, job.stages, job.slices, job.teams);
  return memory;
}

}  // namespace rankine::distill
