// What the stages of an image network's compression share: the job, the ranks, the network.
#pragma once

#include <string>
#include <utility>

#include "compress/images/image_job.hpp"
#include "compress/images/image_result.hpp"
#include "compress/job/timed_stage.hpp"
#include "models/image/image_batch.hpp"
#include "models/image/image_network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "run/run_control.hpp"

namespace rankine::compress {

struct ImageBench {
  const ImageJob& job;
  const CompressOptions& options;
  const parallel::Communicator& world;
  const run::RunControl& control;
  const SaveImageResult& save_result;
  parallel::Teams alone;  ///< every rank is a team
  ImageResult result;
  models::ImageNetwork network;
  std::uint64_t original = 0;  ///< checksum of the network as it began, where states are kept

  /// Collective over `world`: reads or draws the network. What is given outlives the bench.
  ImageBench(const ImageJob& job, const parallel::Communicator& world,
             const run::RunControl& control, const SaveImageResult& save);

  /// The network as it began once more. Collective over the world.
  models::ImageNetwork read_network() const;

  /// Of the network as it is, logged as the accuracy `when`. Collective over the world.
  models::ImageScores score(const char* when) const;
  /// The same without a word.
  models::ImageScores score() const;

  /// This rank's calibration images, in blocks.
  std::vector<models::Batch> own_calibration(std::int64_t images) const;

  /// Of training images.
  models::Augmentation augmentation() const {
    const TrainOptions& train = options.train;
    return {train.crop, train.flip, static_cast<std::uint64_t>(train.seed)};
  }

  void save() const { save_result(result); }

  /// As compress::timed, over the world.
  template <class Work>
  auto timed(const char* stage, double& seconds, Work&& work) const {
    return compress::timed(world, stage, seconds, std::forward<Work>(work));
  }
};

}  // namespace rankine::compress
