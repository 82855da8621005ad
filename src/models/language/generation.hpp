// Continues sequences, one token after the other, with cached keys and values.
#pragma once

#include <cstdint>
#include <vector>

#include "models/language/language_model.hpp"

namespace rankine::models {

struct Sampling {
  std::int64_t tokens = 32;  ///< how many to add, at most
  double temperature = 0;    ///< 0: the most likely token each time
  std::int64_t top_k = 0;    ///< only the k most likely tokens; 0: all
  std::uint64_t seed = 1;    ///< equal seeds give equal texts, at any number of ranks
};

/// The ids that follow `prompt` (not empty). Ends early with an end token of the model, which is
/// the last id then, or where the context is full. Collective over the team, with equal results on
/// all its ranks. Throws NumericalError on all of them if a logit is not finite.
std::vector<std::int64_t> continue_sequence(const LanguageModel& model,
                                            const std::vector<std::int64_t>& prompt,
                                            const Sampling& sampling);

/// Draws an id from the distribution softmax(logits / temperature) over the top_k most likely
/// (ties: lower ids first); `uniform` is in [0, 1).
std::int64_t draw(const std::vector<double>& logits, const Sampling& sampling, double uniform);

}  // namespace rankine::models
