#include "compress/images/image_bench.hpp"

#include <algorithm>

#include "core/log.hpp"
#include "core/text_format.hpp"
#include "models/checksum.hpp"
#include "models/image/image_blocks.hpp"
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
  if (!control.options.directory.empty()) original = models::checksum(network);
}

models::ImageScores ImageBench::score() const {
  return models::score_network(network, job.data, options.scoring, world,
                               [&](double) { control.stop.check(world); });
}

models::ImageScores ImageBench::score(const char* when) const {
  const Stopwatch clock;
  models::ImageScores found = score();
  log().info("accuracy {}: {:.2f} % ({})", when, 100 * found.classification.accuracy,
             format_duration(clock.seconds()));
  return found;
}

std::vector<models::Batch> ImageBench::own_calibration(std::int64_t images) const {
  const ImageSet& all = job.data.training;
  const std::int64_t count = images > 0 ? std::min(images, all.size()) : all.size();
  return models::own_blocks(all, count, options.scoring.images.batch_size, world,
                            network.number_type());
}

}  // namespace rankine::compress
