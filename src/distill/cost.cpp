#include "distill/cost.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "compress/images/image_cost.hpp"
#include "compress/job/cost.hpp"
#include "distill/team_schedule.hpp"
#include "models/evaluation/cost.hpp"
#include "models/evaluation/image_cost.hpp"

namespace rankine::distill {

using models::Pass;
using run::Pace;
using run::StageCost;

namespace {

/// Operations of libtorch beside a slice's own in a step: loss, clipping, checks, and AdamW on the
/// factors of each weight.
constexpr double operations_of_step = 300, operations_of_weight = 200;

/// What training slices is made of, whatever the network.
struct SliceWork {
  double samples = 0;  ///< of all teams together
  double held_out = 0;
  double batches = 1;   ///< steps of an epoch
  double measured = 1;  ///< samples by which a cost is measured, four times
  std::function<StageCost(const Slice& slice, double samples, bool is_trained)> pass = {};
  std::function<StageCost(double samples)> teacher = {};
};

SliceWork work_of(std::int64_t samples, const TrainingOptions& how) {
  SliceWork work{.samples = static_cast<double>(samples)};
  work.held_out = std::max(1.0, std::floor(how.held_out * work.samples));
  const double trained = work.samples - work.held_out;
  work.batches = std::ceil(trained / static_cast<double>(how.batch_size));
  return work;
}

StageCost cost_of_slice(const Slice& slice, const SliceWork& work, const TrainingOptions& how,
                        const Pace& pace) {
  const auto epochs = static_cast<double>(how.epochs);
  StageCost all = work.pass(slice, (work.samples - work.held_out) * epochs, true);
  all += work.pass(slice, work.held_out * (epochs + 2), false);
  const auto weights = static_cast<double>(slice.weights.size());
  all.seconds +=
      epochs * work.batches * pace.operations(operations_of_step + operations_of_weight * weights);
  return all;
}

/// The team that has most to do ends last.
StageCost cost_of_slices(const std::vector<Slice>& slices, int teams, const SliceWork& work,
                         const TrainingOptions& how, const Pace& pace) {
  StageCost all{.stage = "training of slices"};
  std::vector<double> seconds;
  for (const Slice& slice : slices) {
    const StageCost one = cost_of_slice(slice, work, how, pace);
    all.flops += one.flops;
    seconds.push_back(one.seconds);
  }
  all.seconds = TeamSchedule(seconds, teams, 1).largest_load();
  return all;
}

StageCost cost_of_measuring(const std::vector<Slice>& slices, int teams, const SliceWork& work) {
  StageCost all{.stage = "costs of slices"};
  std::vector<double> seconds;
  for (const Slice& slice : slices)
    seconds.push_back(4 * work.pass(slice, work.measured, true).seconds);
  all.seconds = run::dealt(std::move(seconds), teams) + work.teacher(work.measured).seconds;
  return all;
}

/// Every rank gets the parameters of each slice from one that has trained it.
StageCost cost_of_sharing(const std::vector<StageLayout>& stages, double bytes_of_number,
                          const Pace& pace) {
  StageCost all{.stage = "exchange of slices"};
  const int ranks = pace.where().ranks;
  for (const StageLayout& stage : stages) {
    if (stage.weights.empty() || ranks == 1) continue;
    const double bytes = bytes_of_number * stage.parameters;
    const auto weights = static_cast<double>(stage.weights.size());
    all.seconds += pace.broadcast(bytes, ranks) + 12 * weights * pace.sum(8, ranks);
    all.bytes += bytes;
    all.messages += 12 * weights;
  }
  return all;
}

/// The stages of local distillation, given what they are made of.
void add_slices(std::vector<StageCost>& stages, const DistillOptions& options,
                const std::vector<StageLayout>& layouts, const std::vector<Slice>& slices,
                int teams, int waves, double bytes_of_number, const SliceWork& work,
                const Pace& pace) {
  if (!options.trains_slices()) return;
  stages.push_back(cost_of_measuring(slices, teams, work));
  StageCost teacher{.stage = "teacher"};
  teacher += work.teacher(std::ceil(work.samples / teams)).times(waves);
  teacher.flops *= teams;
  stages.push_back(std::move(teacher));
  stages.push_back(cost_of_slices(slices, teams, work, options.distill, pace));
  stages.push_back(cost_of_sharing(layouts, bytes_of_number, pace));
}

StageCost scores(StageCost one, double count) {
  StageCost all = one.times(count);
  all.stage = "scoring";
  return all;
}

/// Before, after the fit, after the slices and in the end where these are not the same, and with
/// each slice.
double count_scores(const DistillOptions& options, std::size_t slices) {
  double count = 2;
  if (options.distill.mode != Mode::fit_only) ++count;
  if (options.distill.mode == Mode::hybrid) ++count;
  if (options.trains_slices() && options.distill.score_slices) count += static_cast<double>(slices);
  return count;
}

double blocks_of(const std::vector<StageLayout>& stages, const Slice& slice) {
  return static_cast<double>(
      std::count_if(stages.begin() + static_cast<std::ptrdiff_t>(slice.first_stage),
                    stages.begin() + static_cast<std::ptrdiff_t>(slice.end_stage),
                    [](const StageLayout& stage) { return stage.is_block; }));
}

SliceWork work_of(const LanguageDistillJob& job, const Pace& pace) {
  SliceWork work = work_of(job.samples(), job.options.distill);
  const models::WindowPass window{
      job.compression.scoring.config,
      models::numbers_of(job.compression.options.scoring.model.precision),
      std::max(1, pace.where().ranks / job.teams)};
  const auto tokens = static_cast<double>(job.options.compression.calibration.window_length);
  work.pass = [=, &job](const Slice& slice, double samples, bool is_trained) {
    return window.layer(tokens, is_trained ? Pass::weight_gradients : Pass::forward, pace)
        .times(samples * blocks_of(job.stages, slice));
  };
  work.teacher = [=](double samples) {
    return window.cost(tokens, Pass::forward, pace).times(samples);
  };
  return work;
}

/// The ranks of a team have parts of every batch.
SliceWork work_of(const ImageDistillJob& job, const Pace& pace) {
  const TrainingOptions& how = job.options.distill;
  SliceWork work = work_of(job.samples(), how);
  const double ranks = std::max(1, pace.where().ranks / job.teams);
  const auto numbers = models::numbers_of(job.compression.options.scoring.model.precision);
  const models::NetworkPlan& plan = job.compression.model.plan;
  const auto batch = static_cast<double>(std::min(how.batch_size, job.samples()));
  work.measured = std::min(16.0, work.samples - work.held_out);
  work.pass = [=, &plan](const Slice& slice, double samples, bool is_trained) {
    const std::vector<models::StagePlan> parts = models::stages_of(plan);
    const std::size_t first = parts[slice.first_stage].first, end = parts[slice.end_stage - 1].end;
    const models::LayerWork layers =
        models::work_of(std::span(plan.layers).subspan(first, end - first));
    return models::cost_of_images(layers,
                                  {.images = samples / ranks,
                                   .batch = (is_trained ? batch : 64.0) / ranks,
                                   .times = is_trained ? 3.0 : 1.0},
                                  numbers, pace);
  };
  work.teacher = [=, &plan](double samples) {
    return models::cost_of_images(models::work_of(plan.layers),
                                  {.images = samples / ranks, .batch = 64}, numbers, pace);
  };
  return work;
}

std::vector<StageCost> without_nothing(std::vector<StageCost> stages) {
  std::erase_if(stages, [](const StageCost& stage) { return stage.seconds == 0; });
  return stages;
}

/// What jobs of both kinds of network have.
template <class Job>
void add_fit_and_slices(std::vector<StageCost>& stages, const Job& job, const Pace& pace) {
  for (StageCost& stage : compress::cost_of_fit(job.compression, pace))
    stages.push_back(std::move(stage));
  const auto numbers = models::numbers_of(job.compression.options.scoring.model.precision);
  add_slices(stages, job.options, job.stages, job.slices, job.teams, job.memory.waves,
             run::bytes_of(numbers), work_of(job, pace), pace);
}

}  // namespace

std::vector<StageCost> cost(const LanguageDistillJob& job, const Pace& pace) {
  const auto numbers = models::numbers_of(job.compression.options.scoring.model.precision);
  const double models_read = job.options.has_teacher() ? 2 : 1;
  std::vector<StageCost> stages{
      {.stage = "start", .seconds = pace.start(true)},
      models::cost_of_reading(job.compression.scoring.config, numbers, job.teams, pace)
          .times(models_read),
      scores(compress::cost_of_score(job.compression, pace),
             count_scores(job.options, job.slices.size()))};
  add_fit_and_slices(stages, job, pace);
  if (job.options.trains_network()) {
    const double windows = static_cast<double>(job.samples()) / job.teams;
    StageCost network = compress::cost_of_training(
        job.compression,
        {.steps = static_cast<double>(job.options.network_epochs()) * windows,
         .window_length = static_cast<double>(job.options.compression.calibration.window_length),
         .numbers = static_cast<double>(job.compression.selected_parameters()),
         .has_teacher = job.options.distill.targets == GlobalTargets::teacher},
        pace);
    network.stage = "training of the network";
    stages.push_back(std::move(network));
  }
  return without_nothing(std::move(stages));
}

std::vector<StageCost> cost(const ImageDistillJob& job, const Pace& pace) {
  std::vector<StageCost> stages{{.stage = "start", .seconds = pace.start(true)},
                                scores(compress::cost_of_score(job.compression, pace),
                                       count_scores(job.options, job.slices.size()))};
  add_fit_and_slices(stages, job, pace);
  const bool has_teacher = job.options.distill.targets == GlobalTargets::teacher;
  if (job.options.trains_network())
    stages.push_back(compress::cost_of_training(job.compression, has_teacher, pace));
  return without_nothing(std::move(stages));
}

}  // namespace rankine::distill
