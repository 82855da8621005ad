#include "models/evaluation/image_evaluation.hpp"

#include <fmt/format.h>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/progress.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "models/image/image_network_reader.hpp"
#include "models/image/image_scoring.hpp"
#include "parallel/agreement.hpp"
#include "parallel/teams.hpp"

namespace rankine::models {

namespace {

double threshold_of(const ImageNetwork& network, const ImageSet& validation,
                    const EvaluateOptions& options, const parallel::Communicator& world) {
  if (validation.size() == 0) return even_threshold;
  const auto logits = score_images(network, validation, options.images.batch_size, world);
  return parallel::agree_on_failure(world, [&] {
    return threshold_for(
        defect_scores({network.plan().classes, logits}, validation.labels, options.data.good_class),
        options.images.target_escape);
  });
}

}  // namespace

ImageScores score_network(const ImageNetwork& network, const ImageData& data,
                          const EvaluateOptions& options, const parallel::Communicator& world,
                          const BetweenImages& between) {
  ImageScores scores{
      .logits = score_images(network, data.test, options.images.batch_size, world, between)};
  const Logits logits{network.plan().classes, scores.logits};
  scores.classification =
      parallel::agree_on_failure(world, [&] { return classify(logits, data.test.labels); });
  if (options.data.has_good_class())
    scores.inspection = inspect(defect_scores(logits, data.test.labels, options.data.good_class),
                                threshold_of(network, data.validation, options, world));
  return scores;
}

ImageEvaluationResult evaluate_images(const ImageEvaluationJob& job,
                                      const parallel::Communicator& world,
                                      const BetweenImages& between) {
  ImageEvaluationResult result;
  const parallel::Teams alone(world, world.size());
  const Stopwatch load;
  const ImageNetwork network =
      read_image_network(world, alone.team(), job.model, job.options.model.precision);
  result.load_seconds = world.max(load.seconds());
  log().info("weights loaded in {}", format_duration(result.load_seconds));
  const Stopwatch loop;
  ProgressLine progress(world.rank() == 0 ? Output::shown : Output::silent);
  result.scores = score_network(network, job.data, job.options, world, [&](double fraction_done) {
    progress.update(fraction_done, counted(job.data.test.size(), "image"));
    between(fraction_done);
  });
  result.loop_seconds = world.max(loop.seconds());
  result.peak_bytes_largest_rank = world.max(peak_resident_bytes());
  return result;
}

}  // namespace rankine::models
