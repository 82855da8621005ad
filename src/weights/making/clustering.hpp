// From a matrix to shared values: outliers, histogram, exact K-means, codes.
#pragma once

#include <memory>
#include <optional>

#include "weights/forms/clustered.hpp"

namespace rankine::weights {

struct ClusterOptions {
  std::int64_t clusters = 16;
  std::int64_t outliers = 0;  ///< entries of the largest magnitudes, kept exact
  /// Weight of each own entry in the objective, split.count(rank) x inputs, not negative.
  std::optional<torch::Tensor> sensitivity = std::nullopt;
};

/// Clusters the entries of W by exact K-means (weights/making/optimal_clusters.hpp). Collective
/// over the team; the result does not depend on the number of ranks. Fewer distinct values than
/// clusters give fewer centroids. Throws on all ranks: InputError for less than one cluster or not
/// fewer outliers than entries, NumericalError for entries or sensitivities that are not finite.
std::unique_ptr<Clustered> make_clustered(const parallel::Communicator& team, const RowSplit& split,
                                          const torch::Tensor& own_rows,
                                          const ClusterOptions& options, torch::ScalarType type);

}  // namespace rankine::weights
