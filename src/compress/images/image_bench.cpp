#include "compress/images/image_bench.hpp"

#include <numeric>

#include "core/log.hpp"
#include "core/text_format.hpp"
#include "models/checksum.hpp"
#include "models/image/image_blocks.hpp"
#include "models/image/image_network_reader.hpp"
#include "models/image/image_split.hpp"

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
      network(timed("read model", result.seconds.load,
                    [&] { return network_of(what, ranks, alone.team()); })) {
  result.parameters_before = network.stored_numbers();
  if (!control.options.directory.empty()) original = models::checksum(network);
}

ImageNetwork ImageBench::read_network() const { return network_of(job, world, alone.team()); }

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
  // Files may be sorted by class, so that the first images would be of a few of them.
  models::ImageNumbers numbers(static_cast<std::size_t>(all.size()));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  if (images > 0 && images < all.size())
    numbers = models::draw_count(numbers, all.labels, images,
                                 static_cast<std::uint64_t>(options.scoring.data.split_seed),
                                 models::DrawnFor::calibration);
  return models::own_blocks(all, numbers, options.scoring.images.batch_size, world,
                            network.number_type());
}

}  // namespace rankine::compress
