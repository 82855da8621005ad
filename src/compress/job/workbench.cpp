#include "compress/job/workbench.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "compress/job/stages.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "models/language/checksum.hpp"

namespace rankine::compress {

namespace {

struct ScoreNotes {
  std::vector<double> negative_log_likelihood;  ///< of each window
  double seconds = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ScoreNotes, negative_log_likelihood, seconds)

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

std::optional<models::EvaluationResult> Workbench::score(const char* when) const {
  if (job.scoring.plan.windows.empty()) return std::nullopt;
  auto scored = models::score_model(job.scoring, world, teams, model);
  log().info("perplexity {} compression: {:.4e} ({})", when,
             std::exp(scored.mean(job.scoring, scored.scores.negative_log_likelihood)),
             format_duration(scored.loop_seconds));
  return scored;
}

double Workbench::loss() const {
  double loss = std::numeric_limits<double>::infinity();
  try {
    const auto scored = models::score_model(job.scoring, world, teams, model);
    if (world.rank() == 0) loss = scored.mean(job.scoring, scored.scores.negative_log_likelihood);
  } catch (const NumericalError& error) {  // on all ranks alike
    log().info("no finite loss: {}", error.what());
  }
  world.broadcast(std::span(&loss, 1), 0);
  return loss;
}

std::optional<models::EvaluationResult> Workbench::score_original() const {
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
    log().info("perplexity before compression: {:.4e} (from the checkpoint)",
               std::exp(known.mean(job.scoring, known.scores.negative_log_likelihood)));
    return known;
  }
  auto scored = score("before");
  stages.complete(stage, ScoreNotes{scored->scores.negative_log_likelihood, scored->loop_seconds},
                  run::Holds::notes);
  return scored;
}

}  // namespace rankine::compress
