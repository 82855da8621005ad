#include "distill/image_distillation.hpp"

#include <memory>
#include <numeric>

#include "compress/images/image_bench.hpp"
#include "compress/images/kernel_stage.hpp"
#include "compress/images/network_stages.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/text_format.hpp"
#include "distill/local_distillation.hpp"
#include "models/image/image_batch.hpp"

namespace rankine::distill {

using models::ImageNetwork;
using parallel::Teams;

namespace {

Samples samples_of(const models::ImageSet& images, torch::ScalarType type) {
  return {.count = images.size(),
          .sharing = Sharing::dealt,
          .inputs = [&images, type](std::span<const std::int64_t> numbers) {
            return models::make_batch(images, numbers, type).inputs;
          }};
}

/// What the batch norms of `from` normalise by.
void take_statistics(ImageNetwork& network, const ImageNetwork& from) {
  const torch::NoGradGuard no_gradients;
  for (std::size_t n = 0; n < network.norms().size(); ++n) {
    const models::NormTensors& there = from.norms()[n]->tensors();
    network.norms()[n]->store({there.mean, there.variance});
  }
}

class ImageDistillation {
 public:
  ImageDistillation(const ImageDistillJob& job, const parallel::Communicator& world,
                    const run::RunControl& control, const SaveImageDistillation& save)
      : job_(job),
        save_(save),
        bench_(job.compression, world, control, keep_),
        teams_(world, job.teams) {}

  ImageDistillResult run();

 private:
  void fit();
  void train_slices();
  void train_network();
  void score_slices();
  void save() {
    result_.compression = bench_.result;
    save_(result_);
  }

  const ImageDistillJob& job_;
  const SaveImageDistillation& save_;
  const compress::SaveImageResult keep_ = [](const compress::ImageResult&) {};
  compress::ImageBench bench_;
  Teams teams_;
  std::unique_ptr<ImageNetwork> teacher_;
  std::vector<models::ChannelMoments> statistics_;  ///< of the calibration images in the teacher
  ImageDistillResult result_;
};

void ImageDistillation::fit() {
  const Stopwatch clock;
  statistics_ = compress::measure_statistics(bench_);
  compress::replace_kernels(bench_);
  compress::shift_statistics(bench_, statistics_);
  const std::int64_t sweeps = job_.options.distill.sweeps;
  for (std::int64_t sweep = 0; sweep < sweeps; ++sweep) {
    log().info("sweep {} of {}: kernels are fitted to what they read now", sweep + 1, sweeps);
    compress::refit_kernels(bench_, *teacher_);
    take_statistics(bench_.network, *teacher_);
    compress::shift_statistics(bench_, statistics_);
  }
  result_.fit_seconds = clock.seconds();
  result_.fit = bench_.score("after the fit");
  save();
}

void ImageDistillation::train_slices() {
  // A slice takes what the teacher makes, so that the teacher's statistics are the right ones.
  take_statistics(bench_.network, *teacher_);
  const Samples samples = samples_of(job_.compression.data.training, bench_.network.number_type());
  const auto plain = compress::plain_kernels(bench_, *teacher_);
  result_.local_report = distill::train_slices(
      {.teacher = *teacher_,
       .student = bench_.network,
       .plain = [&](const std::string& name) { return plain.at(name); },
       .slices = job_.slices,
       .samples = samples,
       .how = job_.options.distill,
       .world = bench_.world,
       .teams = teams_,
       .control = bench_.control,
       .original = bench_.original,
       .of_deck = fingerprint_of_slices(compress::fingerprint_of_fit(bench_), job_.options.distill),
       .waves =
           [&](const TeamSchedule& schedule) {
             DistillMemory memory = job_.memory;
             return plan_waves(memory, job_.stages, job_.slices, schedule);
           }});
  if (job_.options.distill.score_slices) score_slices();
  compress::shift_statistics(bench_, statistics_);
  result_.local = bench_.score("with all slices trained");
  save();
  require_convergence(*result_.local_report, job_.options.distill, bench_.world);
}

void ImageDistillation::score_slices() {
  for (SliceReport& slice : result_.local_report->slices) {
    const SwappedSlice swapped(*teacher_, bench_.network, job_.slices[slice.position]);
    const auto scores = models::score_network(
        *teacher_, job_.compression.data, job_.compression.options.scoring, bench_.world,
        [&](double) { bench_.control.stop.check(bench_.world); });
    slice.score = scores.classification.accuracy;
  }
}

void ImageDistillation::train_network() {
  const TrainingOptions& how = job_.options.distill;
  const bool has_teacher = how.targets == GlobalTargets::teacher;
  const Stopwatch clock;
  compress::train_network(
      bench_, has_teacher ? teacher_.get() : nullptr,
      run::Fingerprint().add(bench_.control.values, {"slices", "distill"}).value());
  result_.global_seconds = clock.seconds();
}

ImageDistillResult ImageDistillation::run() {
  bench_.result.before = bench_.score("before compression");
  save();
  teacher_ = std::make_unique<ImageNetwork>(bench_.read_network());
  fit();
  if (job_.options.trains_slices()) train_slices();
  if (job_.options.trains_network()) train_network();
  bench_.result.after = bench_.score("in the end");
  compress::export_network(bench_);
  bench_.result.parameters_after = bench_.network.stored_numbers();
  bench_.result.peak_bytes_largest_rank = bench_.world.max(peak_resident_bytes());
  result_.compression = std::move(bench_.result);
  return std::move(result_);
}

}  // namespace

ImageDistillResult distill_images(const ImageDistillJob& job, const parallel::Communicator& world,
                                  const run::RunControl& control,
                                  const SaveImageDistillation& save) {
  return ImageDistillation(job, world, control, save).run();
}

}  // namespace rankine::distill
