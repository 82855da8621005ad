// Exact one-dimensional K-means by dynamic programming on a histogram.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rankine::weights {

/// A value and how much it counts.
struct WeightedValue {
  double value = 0;
  double weight = 1;  ///< >= 0
};

struct Clusters {
  std::vector<double> centroids;   ///< ascending: the weighted means of the clusters
  std::vector<std::int64_t> ends;  ///< cluster k holds the values [ends[k - 1], ends[k])
  double cost = 0;                 ///< sum of weight (value - centroid)^2, the least possible
};

/// The best partition of `values` (ascending, distinct) into at most `clusters` groups; one for
/// each value where that is enough. Optimal groups are intervals, and the best last cut moves to
/// the right with the end of the range, so every layer of the dynamic programme is solved by divide
/// and conquer: O(clusters D log D) for D values. Of equally good cuts the leftmost is taken.
Clusters optimal_clusters(std::span<const WeightedValue> values, std::int64_t clusters);

}  // namespace rankine::weights
