#include "compress/images/image_cost.hpp"

#include <algorithm>
#include <cmath>

#include "models/evaluation/cost.hpp"
#include "models/evaluation/image_cost.hpp"

namespace rankine::compress {

using models::ImagePass;
using run::Numbers;
using run::Pace;
using run::StageCost;

namespace {

Numbers numbers_of(const ImageJob& job) {
  return models::numbers_of(job.options.scoring.model.precision);
}

/// Images that a rank has of so many; 0 asks for all training images.
double own_images(const ImageJob& job, std::int64_t wanted, const Pace& pace) {
  const std::int64_t all = job.data.training.size();
  return std::ceil(static_cast<double>(wanted > 0 ? std::min(wanted, all) : all) /
                   pace.where().ranks);
}

/// Moments of patches, and of gradients at all places.
double moment_seconds(const ImageJob& job, double images, bool of_outputs, const Pace& pace) {
  double seconds = 0;
  for (const Kernel& kernel : job.kernels) {
    const auto n = static_cast<double>(of_outputs ? kernel.shape.outputs
                                                  : kernel.shape.columns());
    seconds += pace.product(images * static_cast<double>(kernel.places) * n * n,
                            std::min(n, 128.0), numbers_of(job));
  }
  return seconds;
}

/// One image after the other gives its sums.
StageCost cost_of_statistics(const ImageJob& job, const Pace& pace) {
  const double images = own_images(job, job.options.calibration.images, pace);
  // Of the original and of the compressed network.
  StageCost all = models::cost_of_images(models::work_of(job.model.plan.layers),
                                         {.images = images, .batch = 64, .times = 2},
                                         numbers_of(job), pace);
  all.stage = "statistics of batch norms";
  return all;
}

StageCost cost_of_moments(const ImageJob& job, const Pace& pace) {
  StageCost all{.stage = "moments"};
  const models::LayerWork work = models::work_of(job.model.plan.layers);
  if (job.options.method.needs_inputs()) {
    const double images = own_images(job, job.options.calibration.images, pace);
    all += models::cost_of_images(work, {.images = images, .batch = 64}, numbers_of(job), pace);
    all.seconds += moment_seconds(job, images, false, pace);
  }
  if (job.options.needs_gradients()) {
    const double images = own_images(job, job.options.calibration.gradient_images, pace);
    all += models::cost_of_images(work, {.images = images, .batch = 64, .times = 2.5},
                                  numbers_of(job), pace);
    all.seconds += moment_seconds(job, images, true, pace);
  }
  return all;
}

/// Alternating fits of each kernel on one rank.
StageCost cost_of_kernels(const ImageJob& job, const Pace& pace) {
  constexpr double fits = 12;
  std::vector<double> seconds;
  for (const Kernel& kernel : job.kernels) {
    const auto m = static_cast<double>(kernel.shape.outputs),
               n = static_cast<double>(kernel.shape.columns());
    const double k = std::min(m, n);
    seconds.push_back(fits * (pace.svd_operations(m * n * (6 * k + m + n), k) +
                              pace.operations(60)) +
                      pace.eigen(n));
  }
  return {.stage = "kernels", .seconds = run::dealt(std::move(seconds), pace.where().ranks)};
}

}  // namespace

StageCost cost_of_score(const ImageJob& job, const Pace& pace) {
  return models::cost_of_scoring(job.model.plan, job.data, job.options.scoring, pace);
}

std::vector<StageCost> cost_of_fit(const ImageJob& job, const Pace& pace) {
  if (!job.replaces_kernels()) return {};
  if (job.is_trained_from_scratch()) return {cost_of_kernels(job, pace)};
  return {cost_of_statistics(job, pace), cost_of_moments(job, pace), cost_of_kernels(job, pace)};
}

StageCost cost_of_training(const ImageJob& job, bool has_teacher, const Pace& pace) {
  StageCost all{.stage = "training"};
  const TrainOptions& train = job.options.train;
  if (train.epochs == 0) return all;
  const auto images = static_cast<double>(job.data.training.size()),
             epochs = static_cast<double>(train.epochs);
  const double batch = std::min(images, static_cast<double>(train.batch_size));
  const double own = std::ceil(batch / pace.where().ranks);
  const double steps = std::ceil(images / batch) * epochs;
  const auto numbers = static_cast<double>(job.model.plan.parameters());
  const models::LayerWork work = models::work_of(job.model.plan.layers);
  StageCost step = models::cost_of_images(
      work, {.images = own, .batch = own, .times = has_teacher ? 4.0 : 3.0}, numbers_of(job), pace);
  step.seconds += pace.operations(120) + pace.memory(32 * numbers) +
                  pace.sum(4 * numbers, pace.where().ranks);
  step.bytes += 8 * numbers;
  ++step.messages;
  all += step.times(steps);
  all += cost_of_score(job, pace).times(std::ceil(epochs / static_cast<double>(train.score_every)));
  return all;
}

std::vector<StageCost> cost(const ImageJob& job, const Pace& pace) {
  std::vector<StageCost> stages{{.stage = "start", .seconds = pace.start(true)}};
  for (StageCost& stage : cost_of_fit(job, pace)) stages.push_back(std::move(stage));
  stages.push_back(cost_of_training(job, false, pace));
  // Before, with the old statistics, with new ones, and in the end.
  const double scores = job.is_trained_from_scratch() ? 1 : job.replaces_kernels() ? 4 : 2;
  stages.push_back(cost_of_score(job, pace).times(scores));
  if (job.is_cut_study())
    stages.push_back(cost_of_score(job, pace).times(static_cast<double>(
        job.kernels.size() * job.options.sensitivity.cuts.size() *
        job.options.sensitivity.rank_fractions.size())));
  std::erase_if(stages, [](const StageCost& stage) { return stage.seconds == 0; });
  return stages;
}

}  // namespace rankine::compress
