// The distinct values of a matrix in row blocks and how often each occurs, the same for any number
// of ranks.
#pragma once

#include <span>
#include <vector>

#include "parallel/communicator.hpp"
#include "weights/making/optimal_clusters.hpp"

namespace rankine::weights {

struct ValueHistogram {
  std::vector<WeightedValue> values;  ///< ascending
  /// Fraction bits of float32 that tell two values apart; 23 when the values are the entries
  /// themselves, otherwise entries that agree in these bits count as the middle of their bin.
  int fraction_bits = 23;

  /// What `entry` counts as.
  double counted_value(float entry) const;
};

/// Distinct values beyond this are binned.
inline constexpr std::int64_t most_distinct_values = 65'536;

/// Collective. `entries`: this rank's, in any order, as float32; `sensitivities`: as many, or none
/// for counts. Counts and sensitivities (as multiples of 2^-32 of the largest) are summed as
/// integers, so the order of summation does not matter.
ValueHistogram value_histogram(const parallel::Communicator& ranks, std::span<const float> entries,
                               std::span<const float> sensitivities,
                               std::int64_t most_distinct = most_distinct_values);

/// The same of the entries of one rank alone.
ValueHistogram value_histogram(std::span<const float> entries, std::span<const float> sensitivities,
                               std::int64_t most_distinct = most_distinct_values);

}  // namespace rankine::weights
