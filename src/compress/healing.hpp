// Short training of the compressed weights, so that they make up for each other's errors.
#pragma once

#include <string>
#include <vector>

#include "compress/moments.hpp"
#include "compress/options.hpp"
#include "models/language_model.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"

namespace rankine::compress {

/// Trains the parameters of the weights `names` on the next-token loss by AdamW (betas 0.9, 0.95,
/// no decay) under a learning rate that rises linearly and falls as a cosine to a tenth. Each team
/// takes options.windows_per_step windows a step, in turn; gradients are averaged over the teams.
/// Returns the mean loss of each step, in nat. Collective over `world`, whose teams are of one
/// size. NumericalError on all ranks where the loss is not finite.
std::vector<double> heal(models::LanguageModel& model, const parallel::Communicator& world,
                         const parallel::Teams& teams, const std::vector<std::string>& names,
                         const TokenWindows& windows, const HealOptions& options);

/// The learning rate of step `step`, in units of the largest.
double learning_rate_factor(const HealOptions& options, std::int64_t step);

}  // namespace rankine::compress
