// What to keep of a singular spectrum.
#pragma once

#include <cstdint>
#include <span>

namespace rankine::linalg {

/// At most `max_rank` singular values, and no more of them than needed to discard at most
/// `discarded_weight_max` (sum of squares, relative to all of them). At least one value is kept.
struct Truncation {
  std::int64_t max_rank = std::int64_t{1} << 40;
  double discarded_weight_max = 0;
  /// Values at or below this times the largest are dropped in any case; 0 drops none.
  double relative_threshold = 0;

  /// Whether every value is to be kept, however small.
  bool keeps_all(std::int64_t count) const {
    return max_rank >= count && discarded_weight_max <= 0 && relative_threshold <= 0;
  }
};

struct Cut {
  std::int64_t rank = 0;
  double discarded_weight = 0;  ///< relative to the sum of all squares
};

/// How many of the descending singular values `s` to keep, and what is then discarded.
/// `unseen_weight` is the sum of squares of values that are smaller still and not in `s`.
template <class R>
Cut choose_cut(std::span<const R> s, const Truncation& truncation, double unseen_weight = 0);

}  // namespace rankine::linalg
