// Tells one model from another by its numbers.
#pragma once

#include <cstdint>

#include "models/language/language_model.hpp"

namespace rankine::models {

/// A 64-bit checksum of all stored numbers with their places, the same for any number of ranks.
/// Collective over the model's team.
std::uint64_t checksum(const LanguageModel& model);

}  // namespace rankine::models
