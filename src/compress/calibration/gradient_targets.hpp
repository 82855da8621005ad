// Which targets the gradients of a calibration are of.
#pragma once

#include <array>

#include "core/named_values.hpp"

namespace rankine::compress {

/// The targets whose losses gradients are of: those of the batches, or targets drawn from the
/// network's predictions, whose second moments estimate the Fisher information without bias.
enum class Targets { given, sampled };

/// With their names in decks.
inline constexpr std::array gradient_target_names{Named<Targets>{Targets::given, "text"},
                                                  Named<Targets>{Targets::sampled, "sampled"}};

}  // namespace rankine::compress
