#include "compress/workbench.hpp"

#include <cmath>

#include "core/log.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

Workbench::Workbench(const CompressionJob& what, const parallel::Communicator& ranks,
                     const SaveResult& save_it)
    : job(what),
      options(what.options),
      world(ranks),
      save_result(save_it),
      teams(ranks, static_cast<int>(what.options.scoring.parallel.teams)),
      model(timed(result.seconds.load, [&] {
        const models::ModelOptions& source = options.scoring.model;
        return models::LanguageModel::read(world, teams.team(), source.path,
                                           source.precision == "float64"
                                               ? models::Precision::float64
                                               : models::Precision::float32);
      })) {
  for (const NamedShape& weight : job.selected) names.push_back(weight.name);
}

std::optional<models::EvaluationResult> Workbench::score(const char* when) const {
  if (job.scoring.plan.windows.empty()) return std::nullopt;
  auto scored = models::score_model(job.scoring, world, teams, model);
  log().info("perplexity {} compression: {:.4e} ({})", when,
             std::exp(scored.mean(job.scoring, scored.scores.negative_log_likelihood)),
             format_duration(scored.loop_seconds));
  return scored;
}

}  // namespace rankine::compress
