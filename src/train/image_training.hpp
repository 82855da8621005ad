// Training of image networks: the images of a step are dealt out to the ranks, gradients and the
// statistics of batch norms are those of the whole batch.
#pragma once

#include <cstdint>
#include <functional>

#include "models/image/image_batch.hpp"
#include "models/image/image_network.hpp"
#include "parallel/teams.hpp"
#include "train/training_loop.hpp"

namespace rankine::train {

struct ImageTraining {
  std::int64_t epochs = 1;
  std::int64_t batch_size = 64;  ///< images of a step, over all ranks
  double learning_rate = 1e-3;
  double weight_decay = 0;  ///< of kernels; of Tucker kernels, of their cores
  std::uint64_t seed = 1;   ///< of the order of the images and of augmentation
  models::Augmentation augmentation = {};
  /// Whose predictions are learnt in place of labels (Hinton, Vinyals and Dean, arXiv:1503.02531).
  const models::ImageNetwork* teacher = nullptr;
};

/// Steps of an epoch: the images in as many parts as batches of this size need, as even as can be.
std::int64_t steps_per_epoch(std::int64_t images, std::int64_t batch_size);

/// The loss of a step is the mean over its images. After every epoch factors of Tucker kernels are
/// made orthonormal again, and `score` is asked how good the network is. Collective over `world`;
/// `alone` makes each rank a team. Throws like train::run.
State train_images(models::ImageNetwork& network, const models::ImageSet& images,
                   const ImageTraining& how, const parallel::Communicator& world,
                   const parallel::Teams& alone,
                   const std::function<double(std::int64_t epochs)>& score, Keeper& keeper,
                   run::StopRequest& stop);

}  // namespace rankine::train
