// A weight with few shared values: each entry names its cluster, each cluster has a value.
#pragma once

#include <memory>

#include "weights/forms/weight.hpp"
#include "weights/storage/outliers.hpp"

namespace rankine::weights {

/// Centroids and outliers are the same on all ranks, codes lie in the row blocks of W. A stored
/// code takes ceil(log2 clusters) bits; each row of codes begins at a byte.
class Clustered final : public MaterialisedWeight {
 public:
  /// `own_codes`: split.count(rank) x inputs, integers in [0, centroids.size(0)).
  Clustered(const parallel::Communicator& team, RowSplit split, torch::Tensor centroids,
            torch::Tensor own_codes, Outliers outliers);

  Form form() const override { return Form::clustered; }
  std::int64_t kept_rank() const override { return clusters(); }
  std::int64_t inputs() const override { return codes_.size(1); }
  /// "centroids", ascending after make_clustered, and "outliers", if there are any. The gradient of
  /// a centroid is the sum over its members.
  std::vector<Parameter> parameters() const override;
  std::vector<Parameter> indices() const override;
  /// Shared values; no more than there are distinct ones.
  std::int64_t clusters() const { return centroids_.size(0); }
  /// Which centroid each own entry has: split.count(rank) x inputs, int64. Outliers have one too,
  /// and do not use it.
  torch::Tensor own_codes() const;
  const Outliers& outliers() const { return outliers_; }

 private:
  torch::Tensor compute_rows() const override;

  torch::Tensor centroids_;
  torch::Tensor codes_;
  Outliers outliers_;
};

/// Bits of a stored code.
int bits_per_code(std::int64_t clusters);

std::unique_ptr<Weight> read_clustered(const parallel::Communicator& team,
                                       const DenseSource& source, const StoredTensors& tensors);

}  // namespace rankine::weights
