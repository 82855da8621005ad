#include "compress/compression.hpp"

#include "compress/job/workbench.hpp"
#include "compress/model_summary.hpp"
#include "compress/results.hpp"
#include "compress/stages/adapter_stage.hpp"
#include "compress/stages/calibration_stage.hpp"
#include "compress/stages/centroid_study.hpp"
#include "compress/stages/form_making.hpp"
#include "compress/stages/healing_stage.hpp"
#include "compress/stages/kept_weights.hpp"
#include "compress/stages/noise_study.hpp"
#include "compress/stages/rounding_stage.hpp"
#include "compress/stages/sensitivity_study.hpp"
#include "compress/stages/whitening.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "models/export/export.hpp"

namespace rankine::compress {

namespace {

/// Gives the coordinates of healing, whose moments are those of the original.
std::optional<Whitening> replace_weights(Workbench& bench) {
  if (!bench.options.selects_weights()) return std::nullopt;
  const bool has_experiments = !bench.options.experiments.names.empty();
  std::optional<ErrorNorm> norm;
  std::optional<Whitening> whitening;
  if (bench.options.heal.is_whitened()) {
    norm = measure_error_norm(bench);
    whitening.emplace(bench.model, bench.world, bench.names, *norm);
  }
  if (!has_experiments && restore_weights(bench)) return whitening;
  if (!norm) norm = measure_error_norm(bench);
  if (has_experiments) run_cluster_experiments(bench, *norm);
  making_of(bench.options.method.form).compress(bench, std::move(*norm));
  keep_weights(bench);
  return whitening;
}

/// Trains the weights that are not dense any more.
void heal_weights(Workbench& bench, const std::optional<Whitening>& whitening) {
  if (bench.options.heal.steps == 0) return;
  std::vector<std::string> names;
  for (const WeightReport& weight : bench.result.weights)
    if (weight.form != weights::Form::dense) names.push_back(weight.name);
  if (names.empty()) {
    log().info("nothing is healed: all weights are dense");
    return;
  }
  if (!bench.result.unhealed)
    bench.result.unhealed = bench.score("before healing, after compression");
  bench.timed("training", bench.result.seconds.healing,
              [&] { bench.result.healing = heal(bench, names, whitening); });
}

void export_checkpoint(const Workbench& bench) {
  const ExportOptions& wanted = bench.options.result;
  if (wanted.directory.empty()) return;
  models::write_checkpoint(bench.model, bench.world, bench.teams,
                           {.original = bench.options.scoring.model.path,
                            .folder = wanted.directory,
                            .format = wanted.format,
                            .method = method_line(bench.job),
                            .precision = bench.options.scoring.model.precision});
}

void compress_model(Workbench& bench, const BetweenStages& between) {
  const std::optional<Whitening> whitening = replace_weights(bench);
  bench.save();
  if (between) between(bench);
  heal_weights(bench, whitening);
  making_of(bench.options.method.form).finish(bench);
  round_weights(bench);
  adapt(bench);
  export_checkpoint(bench);
  bench.result.after =
      bench.score(bench.options.adapter.exists() ? "with the adapter" : "after compression");
  study_noise(bench);
}

}  // namespace

CompressionResult compress(const CompressionJob& job, const parallel::Communicator& world,
                           const run::RunControl& control, const SaveResult& save,
                           const BetweenStages& between) {
  Workbench bench(job, world, control, save);
  std::optional<ModelSummary> summary;
  if (bench.options.summary.exists() && !bench.options.is_profile())
    summary = summary_before(bench);
  bench.result.before = bench.score_original();
  bench.save();
  if (bench.options.is_profile()) {
    profile_sensitivity(bench);
  } else {
    compress_model(bench, between);
    if (summary) add_summary_after(bench, *summary);
    bench.result.summary = std::move(summary);
  }
  bench.result.peak_bytes_largest_rank = world.max(peak_resident_bytes());
  return std::move(bench.result);
}

}  // namespace rankine::compress
