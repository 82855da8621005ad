#include "compress/job/workbench.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "compress/job/stages.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "models/checksum.hpp"

namespace rankine::compress {

namespace {

struct ScoreNotes {
  std::vector<double> negative_log_likelihood;  ///< of each window
  double seconds = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ScoreNotes, negative_log_likelihood, seconds)

std::string score_line(const char* when, const models::Score& score) {
  const models::Metric& metric = score.headline();
  return fmt::format("{} {} compression: {:.4e}", metric.name, when, metric.value);
}

}  // namespace

Workbench::Workbench(const CompressionJob& what, const parallel::Communicator& ranks,
                     const SaveResult& save_it)
    : job(what),
      options(what.options),
      world(ranks),
      save_result(save_it),
      teams(ranks, static_cast<int>(what.options.scoring.parallel.teams)),
      model(timed(result.seconds.load, [&] { return read_model(); })),
      stages(ranks, what.options.checkpoint.directory,
             what.options.checkpoint.directory.empty() ? 0 : models::checksum(model)) {
  for (const NamedShape& weight : job.selected) names.push_back(weight.name);
}

models::LanguageModel Workbench::read_model() const {
  const models::ModelOptions& source = options.scoring.model;
  return models::LanguageModel::read(world, teams.team(), source.path, source.precision);
}

std::optional<models::Score> Workbench::score(const char* when) const {
  const auto scored = score_windows(when);
  return scored ? std::optional(scored->score(job.scoring)) : std::nullopt;
}

std::optional<models::EvaluationResult> Workbench::score_windows(const char* when) const {
  if (job.scoring.plan.windows.empty()) return std::nullopt;
  auto scored = models::score_model(job.scoring, world, teams, model);
  log().info("{} ({})", score_line(when, scored.score(job.scoring)),
             format_duration(scored.loop_seconds));
  return scored;
}

models::Score Workbench::score_changed() const {
  double loss = std::numeric_limits<double>::infinity();
  try {
    const auto scored = models::score_model(job.scoring, world, teams, model);
    if (world.rank() == 0) loss = scored.score(job.scoring).loss;
  } catch (const NumericalError& error) {  // on all ranks alike
    log().info("no finite loss: {}", error.what());
  }
  world.broadcast(std::span(&loss, 1), 0);
  return models::score_of_loss(loss);
}

std::optional<models::Score> Workbench::score_original() const {
  // Comparison with a reference model is not kept.
  if (!stages.is_wanted() || job.scoring.plan.windows.empty() || job.scoring.reference_config)
    return score("before");
  const run::Stage stage = scores_stage(job);
  if (const auto notes = stages.find<ScoreNotes>(stage)) {
    if (notes->negative_log_likelihood.size() != job.scoring.plan.windows.size())
      stages.refuse(stage, "its scores are not those of the windows");
    models::EvaluationResult known;
    known.scores.negative_log_likelihood = notes->negative_log_likelihood;
    known.loop_seconds = notes->seconds;
    log().info("{} (from the checkpoint)", score_line("before", known.score(job.scoring)));
    return known.score(job.scoring);
  }
  const auto scored = score_windows("before");
  stages.complete(stage, ScoreNotes{scored->scores.negative_log_likelihood, scored->loop_seconds},
                  run::Holds::notes);
  return scored->score(job.scoring);
}

}  // namespace rankine::compress
