// Short training of the compressed weights, so that they make up for each other's errors.
#pragma once

#include <string>
#include <vector>

#include "compress/job/options.hpp"
#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Trains the parameters of the weights `names` by AdamW (betas 0.9, 0.95, no decay) on the
/// next-token loss, or on the divergence from the original model's predictions, under a learning
/// rate that rises linearly and falls as a cosine to a tenth. Each team takes
/// heal.windows_per_step windows a step, in turn; gradients are averaged over the teams. Returns
/// the mean loss of each step, in nat. Continues from the checkpoint. Collective over the world,
/// whose teams are of one size. NumericalError on all ranks where the loss is not finite.
std::vector<double> heal(Workbench& bench, const std::vector<std::string>& names);

/// The learning rate of step `step`, in units of the largest.
double learning_rate_factor(const HealOptions& options, std::int64_t step);

}  // namespace rankine::compress
