// What the gradients of a calibration are of, and what a token of them counts.
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

/// Gradients of the summed loss of a batch, one row for each of its tokens.
struct LossGradients {
  Targets targets = Targets::given;
  double trim = 0;  ///< the part of the rows at either end that does not count; below 1/2
  /// The norms of the other rows are brought to [1 / clip, clip] times their mean; 0: as they are.
  double clip = 0;

  bool are_all_alike() const { return trim == 0 && clip == 0; }
};

}  // namespace rankine::compress
