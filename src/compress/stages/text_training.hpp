// Training of some numbers of a language model on a text while all others stay as they are: what
// healing and adapters share.
#pragma once

#include <string>
#include <vector>

#include "compress/job/workbench.hpp"
#include "train/training_loop.hpp"

namespace rankine::compress {

struct TextTraining {
  const TokenWindows& windows;  ///< the steps of all teams go through them in turn
  HealingLoss loss = HealingLoss::next_token;
  models::ModelOptions original;      ///< the model whose predictions are learnt
  std::int64_t windows_per_step = 1;  ///< of each team
  train::Recipe recipe;
  /// Their loss is the score of an epoch of the recipe, where it has any; spread over the teams.
  TokenWindows held_out = {};
  run::Stage stage;  ///< a series of states
};

/// Trains what the weights `names` have as parameters (train/training_loop.hpp). Returns the mean
/// loss of each step and, of held-out windows, that of each look at them, in nat. Goes on from
/// run.directory. Collective over the world. Throws on all ranks: NumericalError where the training
/// diverges, Stopped after a step that is kept.
train::State train_on_text(Workbench& bench, const std::vector<std::string>& names,
                           const TextTraining& how);

}  // namespace rankine::compress
