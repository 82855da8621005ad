// Losses of tokens from hidden states, in chunks of tokens: the matrix of all logits is never
// whole, and no rank holds the columns of another.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "models/language/language_model.hpp"
#include "models/language/logit_parts.hpp"

namespace rankine::models {

/// For every row of `hidden` (tokens x width) the merged LogitPart of all ranks, without
/// gradients; `targets` is empty or holds one id for each row. Collective over the team.
std::vector<LogitPart> score_tokens(const LanguageModel& model, const torch::Tensor& hidden,
                                    std::span<const std::int64_t> targets);

/// Scores beside a reference model that stands on the same team and has the same vocabulary.
struct ComparedTokens {
  std::vector<LogitPart> model;
  std::vector<ComparisonPart> reference;
};
ComparedTokens compare_tokens(const LanguageModel& model, const torch::Tensor& hidden,
                              const LanguageModel& reference, const torch::Tensor& reference_hidden,
                              std::span<const std::int64_t> targets);

/// Negative log-likelihood of each target (int64, one for each row): float64, the same on all
/// ranks, differentiable in `hidden` and in the head's parameters. The backward pass makes the
/// logits of a chunk anew; observers of the head's output gradients see, chunk by chunk, their root
/// mean squares over targets that the model itself draws. Collective over the team, forward and
/// backward.
torch::Tensor token_losses(const LanguageModel& model, const torch::Tensor& hidden,
                           const torch::Tensor& targets);

/// KL(reference || model) of the next token at each position, in nat: float64, the same on all
/// ranks, differentiable in `hidden` and in the head's parameters of `model`; the gradient by a
/// logit is the difference of the probabilities. As compare_tokens asks; both models outlive the
/// backward pass. Collective over the team, forward and backward.
torch::Tensor token_divergences(const LanguageModel& model, const torch::Tensor& hidden,
                                const LanguageModel& reference,
                                const torch::Tensor& reference_hidden);

}  // namespace rankine::models
