// FermiGrad's gradient from a model: the loss of a window by the masks of all weights.
#pragma once

#include <vector>

#include "compress/allocation/fermi.hpp"
#include "compress/allocation/masked_weight.hpp"
#include "compress/decomposition/weighted_decomposition.hpp"
#include "models/network.hpp"
#include "parallel/teams.hpp"
#include "train/objective.hpp"

namespace rankine::compress {

/// Puts masked weights into a model while it lives.
class MaskedModel {
 public:
  /// Each team takes one of the batches a step, in turn. Collective over `world`, as the other
  /// methods are; what is given by reference outlives it.
  MaskedModel(models::Network& model, const parallel::Communicator& world,
              const parallel::Teams& teams, const std::vector<WeightFactors>& factors,
              std::vector<models::Batch> batches);

  /// Derivatives of the mean loss of the step's batches, on all teams, by the masks.
  Components gradient(std::int64_t step, const Components& masks);

 private:
  models::TemporaryWeights in_model_;
  std::vector<std::shared_ptr<MaskedWeight>> weights_;
  train::Objective objective_;
};

}  // namespace rankine::compress
