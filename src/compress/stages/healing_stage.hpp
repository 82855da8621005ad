// Short training of the compressed weights, so that they make up for each other's errors.
#pragma once

#include <string>
#include <vector>

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Trains the parameters of the weights `names` (train/training_loop.hpp) on the next-token loss,
/// or on the divergence from the original model's predictions. Each team takes
/// heal.windows_per_step windows a step, in turn. Returns the mean loss of each step, in nat. Goes
/// on from run.directory. Collective over the world. Throws on all ranks: NumericalError where the
/// training diverges, Stopped after a step that is kept.
std::vector<double> heal(Workbench& bench, const std::vector<std::string>& names);

}  // namespace rankine::compress
