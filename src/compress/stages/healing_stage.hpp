// Short training of the compressed weights, so that they make up for each other's errors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compress/job/workbench.hpp"
#include "compress/stages/whitening.hpp"
#include "train/training_loop.hpp"

namespace rankine::compress {

/// Trains the parameters of the weights `names` (text_training.hpp) on the next-token loss, or on
/// the divergence from the original model's predictions. Returns the mean loss of each step and of
/// each look at the held-out windows, in nat. Factors are moved in the coordinates of `whitening`,
/// where there is one. Collective over the world.
train::State heal(Workbench& bench, const std::vector<std::string>& names,
                  const std::optional<Whitening>& whitening);

}  // namespace rankine::compress
