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

/// Stores the exact mean and variance of what reaches each batch norm from all images, those of the
/// norms before it being restored already, in one pass. `own` are this rank's images; others have
/// theirs. The result does not depend on how they are cut into batches, but for rounding.
/// Collective over `ranks`.
void restore_norm_statistics(ImageNetwork& network, const parallel::Communicator& ranks,
                             std::vector<torch::Tensor> own);

}  // namespace rankine::models
