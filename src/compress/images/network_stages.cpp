#include "compress/images/network_stages.hpp"

#include <span>

#include "compress/images/kernel_stage.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "core/version.hpp"
#include "models/export/image_export.hpp"
#include "run/stage_store.hpp"
#include "train/image_training.hpp"
#include "train/series_keeper.hpp"

namespace rankine::compress {

run::Fingerprint fingerprint_of_fit(const ImageBench& bench) {
  run::Fingerprint fingerprint;
  fingerprint.add(program_version())
      .add(bench.control.values, {"model", "data", "calibration", "select", "method", "ranks"})
      .add(static_cast<std::uint64_t>(bench.job.data.training.size()));
  return fingerprint;
}

namespace {

train::ImageTraining training_of(const ImageBench& bench, const models::ImageNetwork* teacher) {
  const TrainOptions& train = bench.options.train;
  return {.epochs = train.epochs,
          .batch_size = train.batch_size,
          .learning_rate = train.learning_rate,
          .weight_decay = train.weight_decay,
          .seed = static_cast<std::uint64_t>(train.seed),
          .augmentation = bench.augmentation(),
          .teacher = teacher};
}

/// What a kept state of the training depends on, beside the numbers it began with.
run::Stage training_stage(const ImageBench& bench, std::uint64_t before) {
  const TrainOptions& train = bench.options.train;
  run::Fingerprint fingerprint = fingerprint_of_fit(bench);
  const std::int64_t numbers[] = {train.epochs, train.batch_size,         train.seed,
                                  train.crop,   std::int64_t{train.flip}, train.score_every};
  fingerprint.add(std::span<const std::int64_t>(numbers));
  fingerprint.add(train.learning_rate);
  fingerprint.add(train.weight_decay);
  fingerprint.add(before);
  return {"image-training", fingerprint.value()};
}
constexpr double not_scored = -1;

/// After an epoch, where it is wanted; elsewhere a number that is no accuracy.
double score_of_epoch(ImageBench& bench, std::int64_t epoch) {
  const TrainOptions& train = bench.options.train;
  if (epoch % train.score_every != 0 && epoch != train.epochs) return not_scored;
  restore_statistics_of_training(bench);
  return bench.score().classification.accuracy;
}

}  // namespace

void train_network(ImageBench& bench, const models::ImageNetwork* teacher,
                   std::uint64_t depends_on) {
  if (bench.options.train.epochs == 0) return;
  const run::StageStore stages(bench.world, bench.control.options.directory, bench.original,
                               bench.control.values);
  train::SeriesKeeper keeper(stages, bench.alone, training_stage(bench, depends_on),
                             bench.control.options);
  const train::State state = bench.timed("training", bench.result.seconds.training, [&] {
    return train::train_images(
        bench.network, bench.job.data.training, training_of(bench, teacher), bench.world,
        bench.alone, [&](std::int64_t epoch) { return score_of_epoch(bench, epoch); }, keeper,
        bench.control.stop);
  });
  bench.result.training_losses = state.losses;
  for (std::size_t e = 0; e < state.scores.size(); ++e)
    if (state.scores[e] != not_scored)
      bench.result.epochs.push_back({std::int64_t(e) + 1, state.scores[e]});
  restore_statistics_of_training(bench);
  log().info("trained for {} in {}", counted(bench.options.train.epochs, "epoch"),
             format_duration(bench.result.seconds.training));
}

void export_network(const ImageBench& bench) {
  const ExportOptions& wanted = bench.options.result;
  if (wanted.directory.empty()) return;
  models::write_image_network(
      bench.network, bench.world,
      {.folder = wanted.directory,
       .format = wanted.format == models::ExportFormat::automatic ? models::ExportFormat::dense
                                                                  : wanted.format,
       .method = method_line(bench.job),
       .normalisation = bench.job.data.test.normalisation});
}

}  // namespace rankine::compress
