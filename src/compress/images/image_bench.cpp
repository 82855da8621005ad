#include "compress/images/image_bench.hpp"

#include <numeric>
#include <span>

#include "core/log.hpp"
#include "core/text_format.hpp"
#include "models/image/dealt_logits.hpp"
#include "models/image/image_network_reader.hpp"

namespace rankine::compress {

using models::ImageNetwork;
using models::ImageSet;

namespace {

ImageNetwork network_of(const ImageJob& job, const parallel::Communicator& world,
                        const parallel::Communicator& alone) {
  const auto precision = job.options.scoring.model.precision;
  if (!job.is_trained_from_scratch())
    return models::read_image_network(world, alone, job.model, precision);
  return models::draw_image_network(alone, job.model.plan,
                                    static_cast<std::uint64_t>(job.options.train.seed), precision);
}

}  // namespace

ImageBench::ImageBench(const ImageJob& what, const parallel::Communicator& ranks,
                       const run::RunControl& run_control, const SaveImageResult& save_it)
    : job(what),
      options(what.options),
      world(ranks),
      control(run_control),
      save_result(save_it),
      alone(ranks, ranks.size()),
      network(timed(result.seconds.load, [&] { return network_of(what, ranks, alone.team()); })) {
  result.parameters_before = network.stored_numbers();
}

ImageScore ImageBench::score() const {
  const Stopwatch clock;
  const auto logits_of = [&](const ImageSet& set) {
    return models::dealt_logits(network, set, options.scoring.images.batch_size, world,
                                [&] { control.stop.check(world); });
  };
  const std::int64_t classes = network.plan().classes;
  const std::vector<double> logits = logits_of(job.data.test);
  ImageScore score{.classification = models::classify({classes, logits}, job.data.test.labels)};
  const auto& data = options.scoring.data;
  if (data.has_good_class()) {
    double threshold = models::even_threshold;
    if (job.data.validation.size() > 0) {
      const std::vector<double> seen = logits_of(job.data.validation);
      threshold = models::threshold_for(
          models::defect_scores({classes, seen}, job.data.validation.labels, data.good_class),
          options.scoring.images.target_escape);
    }
    score.inspection = models::inspect(
        models::defect_scores({classes, logits}, job.data.test.labels, data.good_class), threshold);
  }
  score.seconds = world.max(clock.seconds());
  return score;
}

ImageScore ImageBench::score(const char* when) const {
  ImageScore found = score();
  log().info("accuracy {}: {:.2f} % ({})", when, 100 * found.classification.accuracy,
             format_duration(found.seconds));
  return found;
}

std::vector<models::Batch> ImageBench::own_calibration(std::int64_t images) const {
  const ImageSet& all = job.data.training;
  const std::int64_t count = images > 0 ? std::min(images, all.size()) : all.size();
  return models::own_blocks(all, count, options.scoring.images.batch_size, world,
                            network.number_type());
}

}  // namespace rankine::compress
