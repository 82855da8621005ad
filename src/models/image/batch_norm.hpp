// Batch norm (Ioffe and Szegedy, arXiv:1502.03167) with exact statistics: of a whole batch over all
// ranks in training, of all calibration images for evaluation. There is no running average.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "parallel/communicator.hpp"

namespace rankine::models {

/// Whose mean and variance normalise a channel.
enum class NormStatistics {
  stored,
  batch,  ///< of the batch, over all ranks that take parts of it
};

/// Sums over images and pixels, from which mean and variance follow.
class ChannelSums {
 public:
  explicit ChannelSums(std::int64_t channels)
      : mean_(torch::zeros({channels}, torch::kFloat64)), squares_(torch::zeros_like(mean_)) {}

  /// x: images x channels x height x width, or images x channels.
  void add(const torch::Tensor& x);
  /// Sums over the ranks; each image was added on one of them. Collective.
  void reduce(const parallel::Communicator& ranks);

  torch::Tensor mean() const { return mean_; }
  /// Of all values, biased (divided by their number).
  torch::Tensor variance() const { return squares_ / count_; }

 private:
  void merge(double count, const torch::Tensor& mean, const torch::Tensor& squares);

  double count_ = 0;
  torch::Tensor mean_;     ///< float64
  torch::Tensor squares_;  ///< float64: sum of squared distances from the mean
};

/// The numbers of a batch norm; all have one number for each channel.
struct NormTensors {
  torch::Tensor weight, bias;
  torch::Tensor mean, variance;  ///< stored
};

/// x normalised by the statistics of the whole batch, of which each rank has a part, maybe an empty
/// one. Differentiable; the backward pass adds the gradients of all ranks' losses. Collective,
/// forward and backward.
torch::Tensor batch_norm_over_ranks(const parallel::Communicator& ranks, const torch::Tensor& x,
                                    const NormTensors& norm, double epsilon);

}  // namespace rankine::models
