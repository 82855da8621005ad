// How far the predictions of a language model move when one of its weights is another.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "models/language/language_model.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"

namespace rankine::compress {

/// Weights are asked for in the order of the model's stages: the activations of the model stand in
/// front of one stage at a time, so that a changed weight costs a pass from its own stage on.
class ChangedPredictions {
 public:
  /// Teams take the batches in turn; there is one at least. What is given outlives this. Collective
  /// over `world`.
  ChangedPredictions(models::LanguageModel& model, const parallel::Communicator& world,
                     const parallel::Teams& teams, const std::vector<models::Batch>& batches);

  /// The mean over all targets of KL(model || changed) of their predictions, in nat, where `weight`
  /// is in `slot`, which is of no earlier stage than the last one asked for; the model has its own
  /// weight again afterwards. The same on all ranks; not finite where activations overflow.
  /// Collective over `world`.
  double divergence(const std::string& slot, std::shared_ptr<weights::Weight> weight);

 private:
  void advance_to(const std::string& slot);

  models::LanguageModel& model_;
  const parallel::Communicator& world_;
  const parallel::Teams& teams_;
  std::vector<models::Stage> stages_;
  std::size_t stage_ = 0;
  std::vector<torch::Tensor> fronts_;  ///< of this team's batches, in front of that stage
  std::vector<torch::Tensor> hidden_;  ///< that predict the targets
  double targets_ = 0;                 ///< of all batches
};

}  // namespace rankine::compress
