// FermiGrad's gradient from a language model: the loss of a window by the masks of all weights.
#pragma once

#include <vector>

#include "compress/allocation/fermi.hpp"
#include "compress/allocation/masked_weight.hpp"
#include "compress/decomposition/weighted_decomposition.hpp"
#include "models/language/language_model.hpp"
#include "parallel/teams.hpp"

namespace rankine::compress {

using TokenWindows = std::vector<std::vector<std::int64_t>>;

/// Puts masked weights into a model while it lives.
class MaskedModel {
 public:
  /// Collective over `world`, as the other methods are.
  MaskedModel(models::LanguageModel& model, const parallel::Communicator& world,
              const parallel::Teams& teams, const std::vector<WeightFactors>& factors);

  /// Derivatives of the mean next-token loss of `windows` by the masks; each team takes one of them
  /// a step, in turn.
  Components gradient(std::int64_t step, const Components& masks, const TokenWindows& windows);

 private:
  double add_gradient(const std::vector<std::int64_t>& ids);

  models::LanguageModel& model_;
  const parallel::Communicator& world_;
  const parallel::Teams& teams_;
  models::TemporaryWeights in_model_;
  std::vector<std::shared_ptr<MaskedWeight>> weights_;
};

}  // namespace rankine::compress
