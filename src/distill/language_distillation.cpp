#include "distill/language_distillation.hpp"

#include <algorithm>
#include <memory>

#include "compress/compression.hpp"
#include "compress/job/stages.hpp"
#include "compress/job/workbench.hpp"
#include "distill/local_distillation.hpp"
#include "distill/plain_weight.hpp"

namespace rankine::distill {

using compress::Workbench;
using models::LanguageModel;

namespace {

/// The windows of a text, all of one length.
Samples samples_of(const compress::TokenWindows& windows) {
  return {
      .count = std::ssize(windows),
      .sharing = Sharing::same,
      .inputs = [&windows](std::span<const std::int64_t> numbers) {
        std::vector<torch::Tensor> all;
        for (const std::int64_t number : numbers)
          all.push_back(torch::tensor(windows[static_cast<std::size_t>(number)], torch::kInt64));
        return torch::stack(all);
      }};
}

/// What compress does, with the training of the whole model as its healing.
compress::CompressionJob with_training(const LanguageDistillJob& job,
                                       const deck::DeckValues& values) {
  compress::CompressionJob trained = job.compression;
  if (!job.options.trains_network()) return trained;
  const TrainingOptions& how = job.options.distill;
  const std::int64_t of_team = std::max<std::int64_t>(1, how.batch_size / job.teams);
  const std::int64_t of_step = of_team * job.teams;
  trained.options.heal = {
      .steps = job.options.network_epochs() * ((job.samples() + of_step - 1) / of_step),
      .loss = how.targets == GlobalTargets::teacher ? compress::HealingLoss::distillation
                                                    : compress::HealingLoss::next_token,
      .windows_per_step = of_team,
      .window_length = trained.options.calibration.window_length,
      .learning_rate = job.options.network_learning_rate(),
      .warm_up = how.warm_up};
  trained.healing_windows = job.windows;
  trained.before_healing = run::Fingerprint().add(values, {"slices", "distill"}).value();
  return trained;
}

class SlicesOfModel {
 public:
  SlicesOfModel(const LanguageDistillJob& job, Workbench& bench)
      : job_(job), bench_(bench), teacher_(bench.read_model()) {}

  LocalReport train() {
    const Samples samples = samples_of(job_.windows);
    LocalReport report =
        train_slices({.teacher = teacher_,
                      .student = bench_.model,
                      .plain =
                          [&](const std::string& name) {
                            return plain_weight(bench_.teams.team(), *weight_of(teacher_, name),
                                                *weight_of(bench_.model, name),
                                                static_cast<int>(bench_.options.method.sites));
                          },
                      .slices = job_.slices,
                      .samples = samples,
                      .how = job_.options.distill,
                      .world = bench_.world,
                      .teams = bench_.teams,
                      .control = bench_.control,
                      .original = bench_.stages.model(),
                      .of_deck = fingerprint_of_slices(
                          run::Fingerprint().add(compress::weights_stage(bench_.job).of_deck),
                          job_.options.distill),
                      .waves =
                          [&](const TeamSchedule& schedule) {
                            DistillMemory memory = job_.memory;
                            return plan_waves(memory, job_.stages, job_.slices, schedule);
                          }});
    if (job_.options.distill.score_slices) score(report);
    return report;
  }

 private:
  void score(LocalReport& report) {
    for (SliceReport& slice : report.slices) {
      // The bench scores its own model. Slots stay where they are when models change places.
      const SwappedSlice swapped(teacher_, bench_.model, job_.slices[slice.position]);
      std::swap(teacher_, bench_.model);
      slice.score = bench_.score_changed().metrics.front().value;
      std::swap(teacher_, bench_.model);
    }
  }

  const LanguageDistillJob& job_;
  Workbench& bench_;
  LanguageModel teacher_;
};

}  // namespace

LanguageDistillResult distill_language(const LanguageDistillJob& job,
                                       const parallel::Communicator& world,
                                       const run::RunControl& control,
                                       const SaveLanguageDistillation& save) {
  const compress::CompressionJob trained = with_training(job, control.values);
  LanguageDistillResult result;
  const auto keep = [&](const compress::CompressionResult& known) {
    result.compression = known;
    save(result);
  };
  const auto train = [&](Workbench& bench) {
    if (job.options.distill.mode == Mode::fit_only) return;
    bench.result.unhealed = result.fit = bench.score("after the fit of");
    if (!job.options.trains_slices()) return;
    result.local_report = SlicesOfModel(job, bench).train();
    bench.save();
    require_convergence(*result.local_report, job.options.distill, world);
    if (job.options.trains_network())
      bench.result.unhealed = result.local = bench.score("with all slices trained, after");
  };
  result.compression = compress::compress(trained, world, control, keep, train);
  const compress::CompressionTimes& seconds = result.compression.seconds;
  result.fit_seconds = seconds.inputs + seconds.gradients + seconds.decomposition +
                       seconds.allocation + seconds.conversion;
  result.global_seconds = seconds.healing;
  if (job.options.distill.mode == Mode::fit_only) result.fit = result.compression.after;
  if (job.options.distill.mode == Mode::local) result.local = result.compression.after;
  return result;
}

}  // namespace rankine::distill
