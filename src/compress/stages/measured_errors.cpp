#include "compress/stages/measured_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "compress/experiments/changed_predictions.hpp"
#include "compress/job/stages.hpp"
#include "compress/stages/scored_points.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"

namespace rankine::compress {

namespace {

/// Of one weight: the rank it is measured at, and the squared error there.
struct MeasuredRank {
  std::int64_t rank;
  double squared_error;
};

std::optional<MeasuredRank> measured_rank(const Candidate& candidate, FactorGauge gauge,
                                          double ratio) {
  constexpr double rounding = 1e-12;
  const std::vector<double> tails = candidate.tails();
  std::int64_t rank = uniform_ranks({candidate}, gauge, ratio).front();
  for (; rank >= candidate.least_rank(); rank -= candidate.multiple_of) {
    const double error = tails[std::min(static_cast<std::size_t>(rank), tails.size() - 1)];
    if (error > rounding * tails.front()) return MeasuredRank{rank, error};
  }
  return std::nullopt;
}

std::vector<models::Batch> measured_batches(const Workbench& bench) {
  TokenWindows windows = bench.job.calibration_windows;
  windows.resize(static_cast<std::size_t>(bench.options.ranks.measured_windows));
  return models::token_batches(windows);
}

/// Weight after weight, in the order of the model's stages.
class Measurement {
 public:
  Measurement(Workbench& bench, const FormAtRank& make)
      : bench_(bench),
        make_(make),
        points_(bench, error_weights_stage(bench.job), bench.names.size()),
        progress_(bench.progress()) {
    for (const NamedShape& weight : bench.job.selected) all_stages_ += stages_behind(weight);
  }

  /// The divergence with weight `w` at `rank`, of which none is asked for twice.
  double divergence(std::size_t w, std::int64_t rank) {
    const ScoredPoint point = points_.take([&] { return measure(w, rank); });
    passed_stages_ += stages_behind(bench_.job.selected[w]);
    progress_.update(passed_stages_ / all_stages_,
                     fmt::format("error weights: {} at rank {}: divergence {:.4e}", bench_.names[w],
                                 rank, point.score.loss));
    if (std::isfinite(point.score.loss)) return std::max(0.0, point.score.loss);
    throw known_to_all(
        bench_.world.size(),
        NumericalError(fmt::format("with {} alone at rank {} the model's predictions are not "
                                   "finite. Choose a larger ranks.measured_ratio.",
                                   bench_.names[w], rank)));
  }

 private:
  /// That a changed weight is passed through; the head counts as one.
  double stages_behind(const NamedShape& weight) const {
    return static_cast<double>(bench_.job.scoring.config.layers - weight.layer + 1);
  }

  ScoredPoint measure(std::size_t w, std::int64_t rank) {
    if (!predictions_)
      predictions_.emplace(bench_.model, bench_.world, bench_.teams, measured_batches(bench_));
    NewForm form = make_(w, rank);
    const double found = predictions_->divergence(bench_.names[w], std::move(form.weight));
    return {.score = {.loss = found,
                      .metrics = {{"divergence", "mean divergence of the predictions", found}}},
            .parameters = form.report.numbers};
  }

  Workbench& bench_;
  const FormAtRank& make_;
  KeptPoints points_;
  ProgressLine progress_;
  std::optional<ChangedPredictions> predictions_;  ///< none until a point is not known
  double all_stages_ = 0;
  double passed_stages_ = 0;
};

}  // namespace

std::vector<double> measured_error_weights(Workbench& bench,
                                           const std::vector<Candidate>& candidates,
                                           const FormAtRank& make) {
  const Stopwatch clock;
  Measurement measurement(bench, make);
  std::vector<double> weights;
  for (std::size_t w = 0; w < candidates.size(); ++w) {
    const auto at = measured_rank(candidates[w], bench.options.method.gauge(),
                                  bench.options.ranks.measured_ratio);
    weights.push_back(at ? measurement.divergence(w, at->rank) / at->squared_error : 0);
  }
  log().info("error weights of {} measured on {} in {}", counted(std::ssize(candidates), "weight"),
             counted(bench.options.ranks.measured_windows, "window"),
             format_duration(clock.seconds()));
  return weights;
}

}  // namespace rankine::compress
