#include "compress/job/workbench.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "compress/job/stages.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "models/checksum.hpp"
#include "models/language/adapter_reader.hpp"

namespace rankine::compress {

namespace {

struct ScoreNotes {
  std::vector<double> negative_log_likelihood;  ///< of each window; NaN where it is not scored yet
  std::vector<double> log_likelihood;           ///< of each choice of the tasks, alike
  double seconds = 0;
};

// JSON has no NaN: null stands for it, as nlohmann::json writes it.
void to_json(nlohmann::json& json, const ScoreNotes& notes) {
  json = {{"negative_log_likelihood", notes.negative_log_likelihood},
          {"choice_log_likelihood", notes.log_likelihood},
          {"seconds", notes.seconds}};
}

std::vector<double> numbers_or_nan(const nlohmann::json& values) {
  std::vector<double> all;
  for (const nlohmann::json& value : values)
    all.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  return all;
}

void from_json(const nlohmann::json& json, ScoreNotes& notes) {
  notes.negative_log_likelihood = numbers_or_nan(json.at("negative_log_likelihood"));
  notes.log_likelihood =
      numbers_or_nan(json.value("choice_log_likelihood", nlohmann::json::array()));
  json.at("seconds").get_to(notes.seconds);
}

models::EvaluationResult result_of(const ScoreNotes& notes) {
  models::EvaluationResult result;
  models::WindowScores& scores = result.scores;
  scores = models::WindowScores::unknown(notes.negative_log_likelihood.size());
  scores.negative_log_likelihood = notes.negative_log_likelihood;
  for (std::size_t w = 0; w < scores.size(); ++w) {
    if (std::isnan(scores.negative_log_likelihood[w])) continue;
    scores.divergence[w] = scores.seconds[w] = 0;
    scores.agreements[w] = 0;
  }
  result.tasks.log_likelihood = notes.log_likelihood;
  result.loop_seconds = notes.seconds;
  return result;
}

bool is_complete(const models::EvaluationResult& known) {
  const auto is_unknown = [](double value) { return std::isnan(value); };
  return std::ranges::none_of(known.scores.negative_log_likelihood, is_unknown) &&
         std::ranges::none_of(known.tasks.log_likelihood, is_unknown);
}

std::string score_line(const char* when, const models::Score& score) {
  const models::Metric& metric = score.headline();
  return fmt::format("{} {}: {:.4e}", metric.name, when, metric.value);
}

}  // namespace

Workbench::Workbench(const CompressionJob& what, const parallel::Communicator& ranks,
                     const run::RunControl& run_control, const SaveResult& save_it)
    : job(what),
      options(what.options),
      world(ranks),
      control(run_control),
      save_result(save_it),
      teams(ranks, static_cast<int>(what.options.scoring.parallel.teams)),
      model(timed("read model", result.seconds.load, [&] { return read_model(); })),
      stages(ranks, control.options.directory,
             control.options.directory.empty() ? 0 : models::checksum(model), control.values) {
  for (const NamedShape& weight : job.selected) names.push_back(weight.name);
}

models::LanguageModel Workbench::read_model() const { return read_model(options.scoring.model); }

models::LanguageModel Workbench::read_model(const models::ModelOptions& which) const {
  return models::read_language_model(world, teams.team(), which);
}

std::optional<models::Score> Workbench::score(const char* when) const {
  if (!job.scoring.has_scores()) return std::nullopt;
  const auto scored = score_windows({});
  const models::Score score = scored.score(job.scoring);
  log().info("{} ({})", score_line(when, score), format_duration(scored.loop_seconds));
  return score;
}

models::EvaluationResult Workbench::score_windows(models::EvaluationControl how) const {
  how.between_windows = [this](const parallel::Communicator& team) { control.stop.check(team); };
  return models::score_model(job.scoring, world, teams, model, how);
}

models::Score Workbench::score_changed() const {
  double loss = std::numeric_limits<double>::infinity();
  try {
    const auto scored = score_windows({.scored = models::Scored::windows});
    if (world.rank() == 0) loss = scored.score(job.scoring).loss;
  } catch (const NumericalError& error) {  // on all ranks alike
    log().info("no finite loss: {}", error.what());
  }
  world.broadcast(std::span(&loss, 1), 0);
  return models::score_of_loss(loss);
}

std::optional<models::Score> Workbench::score_original() const {
  // Comparison with a reference model is not kept.
  if (!stages.is_wanted() || !job.scoring.has_scores() || job.scoring.reference_config)
    return score("before compression");
  const run::Stage stage = scores_stage(job);
  const auto keep = [&](const models::EvaluationResult& scored) {
    stages.complete(stage,
                    ScoreNotes{scored.scores.negative_log_likelihood, scored.tasks.log_likelihood,
                               scored.loop_seconds},
                    run::Holds::notes);
  };
  const auto earlier = stages.restore<ScoreNotes>(stage, [&](const ScoreNotes& notes) {
    if (notes.negative_log_likelihood.size() != job.scoring.plan.windows.size() ||
        notes.log_likelihood.size() != job.scoring.tasks.choices())
      throw InputError("its scores are not those of the windows");
    return result_of(notes);
  });
  models::EvaluationResult known = earlier.value_or(models::EvaluationResult{});
  if (!earlier || !is_complete(known)) {
    try {
      known = score_windows({.known = known.scores,
                             .known_tasks = known.tasks,
                             .save = [&](const auto& so_far) { known = so_far; }});
    } catch (const Stopped&) {  // on all ranks; rank 0 knows what all have scored
      keep(known);
      throw;
    }
    keep(known);
  }
  const models::Score score = known.score(job.scoring);
  log().info(
      "{} ({})", score_line("before compression", score),
      earlier && is_complete(*earlier) ? "of an earlier run" : format_duration(known.loop_seconds));
  return score;
}

}  // namespace rankine::compress
