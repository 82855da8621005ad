// The learning rate of each step of a training.
#pragma once

#include <cstdint>

namespace rankine::train {

/// Rises linearly in the first steps, and falls as a cosine to the last.
struct Schedule {
  std::int64_t steps = 0;
  double largest = 1e-3;   ///< learning rate
  double warm_up = 0.1;    ///< part of the steps in which it rises
  double last_part = 0.1;  ///< of the largest, at the last step

  /// Of step `step`, counted from 0.
  double rate(std::int64_t step) const { return largest * factor(step); }
  /// The same in units of the largest.
  double factor(std::int64_t step) const;
};

}  // namespace rankine::train
