// A network that says what an image shows. Every rank holds it whole; images are dealt out.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "models/image/image_layers.hpp"
#include "models/image/network_plan.hpp"
#include "models/network.hpp"

namespace rankine::models {

/// Inputs are images x channels x height x width, normalised; outputs images x classes, the logits;
/// targets are labels.
class ImageNetwork final : public Network {
 public:
  /// `team` is a single rank and outlives the network.
  ImageNetwork(const parallel::Communicator& team, NetworkPlan plan, ImageLayers layers);

  const NetworkPlan& plan() const { return plan_; }
  const ImageLayers& layers() const { return layers_; }
  const parallel::Communicator& team() const override { return *team_; }
  std::vector<Stage> stages() const override;
  torch::Tensor losses(const torch::Tensor& logits, const torch::Tensor& labels) const override;
  torch::Tensor sample_targets(const torch::Tensor& logits, std::int64_t count,
                               std::uint64_t stream) const override;
  using Network::losses;
  /// Of the layers; statistics of batch norms are not trained.
  std::vector<weights::Parameter> parameters() const override;

  /// images x classes.
  torch::Tensor logits(const torch::Tensor& images) const {
    return forward_through(layers_, images);
  }

  /// float32 or float64.
  torch::ScalarType number_type() const;

  const std::vector<BatchNorm*>& norms() const { return parts_.norms; }
  /// `ranks` take parts of one batch; for stored statistics they may be left out.
  void use(NormStatistics statistics, const parallel::Communicator* ranks = nullptr);
  /// Stored numbers that are trained.
  std::int64_t stored_numbers() const;

 private:
  const parallel::Communicator* team_;
  NetworkPlan plan_;
  ImageLayers layers_;
  LayerParts parts_;
};

/// Batch norms normalise by the statistics of batches while it lives.
class BatchStatistics {
 public:
  /// Both outlive it.
  BatchStatistics(ImageNetwork& network, const parallel::Communicator& ranks) : network_(network) {
    network_.use(NormStatistics::batch, &ranks);
  }
  BatchStatistics(const BatchStatistics&) = delete;
  BatchStatistics& operator=(const BatchStatistics&) = delete;
  ~BatchStatistics() { network_.use(NormStatistics::stored); }

 private:
  ImageNetwork& network_;
};

/// The exact statistics of what reaches each batch norm from all images. `own` are this rank's
/// images; others have theirs. One pass, whose result does not depend on how they are cut into
/// batches, but for rounding. Collective over `ranks`.
std::vector<ChannelMoments> measure_norm_statistics(ImageNetwork& network,
                                                    const parallel::Communicator& ranks,
                                                    std::vector<torch::Tensor> own);

/// Stores these statistics in each batch norm, those of the norms before it being stored already.
/// Collective over `ranks`, as above.
void restore_norm_statistics(ImageNetwork& network, const parallel::Communicator& ranks,
                             std::vector<torch::Tensor> own);

/// The same for a network that was changed: the stored statistics change as those that these images
/// have did, by which `before` were measured. What a network has learnt from other images, shifted
/// and mirrored ones, stays.
void shift_norm_statistics(ImageNetwork& network, const parallel::Communicator& ranks,
                           std::vector<torch::Tensor> own,
                           const std::vector<ChannelMoments>& before);

}  // namespace rankine::models
