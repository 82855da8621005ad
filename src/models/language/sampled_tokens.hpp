// Next tokens drawn from a model's own predictions.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "models/language/language_model.hpp"

namespace rankine::models {

/// One token for every row of `hidden` (tokens x width), with the probabilities the model gives it:
/// int64, the same on all ranks and, up to rounding of the logits, for any number of them. `stream`
/// tells draws apart. By the Gumbel-max method, so no rank holds the logits of another. Collective
/// over the team.
torch::Tensor sample_tokens(const LanguageModel& model, const torch::Tensor& hidden,
                            std::uint64_t stream);

}  // namespace rankine::models
