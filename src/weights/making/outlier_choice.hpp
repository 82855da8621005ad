// Which entries of a matrix get values of their own beside its codebooks.
#pragma once

#include <cstdint>
#include <vector>

namespace rankine::weights {

struct ScoredEntry {
  double score = 0;
  std::int64_t place = 0;  ///< row * columns + column
};

/// Outliers beyond the wanted ones, at most, among so many entries: those that make all gaps short;
/// none where long gaps cost less.
std::int64_t most_added_outliers(std::int64_t entries, std::int64_t outliers);

/// The places of the `wanted` entries with the largest scores, of equals the first ones, and in
/// every gap too long for two bytes those that part it. `entries` are all of the matrix, and more
/// than are wanted.
std::vector<std::int64_t> outlier_places(std::vector<ScoredEntry> entries, std::int64_t wanted);

}  // namespace rankine::weights
