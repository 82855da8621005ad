// A weight with few shared values: each entry names its cluster, each cluster has a value, in the
// whole matrix or in every few rows of it.
#pragma once

#include <memory>

#include "weights/forms/weight.hpp"
#include "weights/storage/outliers.hpp"

namespace rankine::weights {

/// Centroids and outliers are the same on all ranks, codes lie in the row blocks of W. A stored
/// code takes ceil(log2 clusters) bits; each row of codes begins at a byte. Centroids are K for the
/// matrix, or books x K, where all books serve as many rows in turn (the last one maybe fewer).
class Clustered final : public MaterialisedWeight {
 public:
  /// `own_codes`: split.count(rank) x inputs, integers in [0, K).
  Clustered(const parallel::Communicator& team, RowSplit split, torch::Tensor centroids,
            torch::Tensor own_codes, Outliers outliers);

  Form form() const override { return Form::clustered; }
  std::int64_t kept_rank() const override { return clusters(); }
  std::int64_t inputs() const override { return codes_.size(1); }
  /// "centroids" and "outliers", if there are any. The gradient of a centroid is the sum over its
  /// members.
  std::vector<Parameter> parameters() const override;
  /// Codes, and the places of outliers as gaps: each is so many entries behind the one before.
  std::vector<Parameter> indices() const override;
  /// Of the rows that are asked for alone, unless the numbers are trained.
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  /// Shared values of a book.
  std::int64_t clusters() const { return centroids_.size(-1); }
  std::int64_t rows_per_book() const;
  /// Which centroid each own entry has: split.count(rank) x inputs, int64. Outliers have one too,
  /// and do not use it.
  torch::Tensor own_codes() const;
  const Outliers& outliers() const { return outliers_; }

 private:
  torch::Tensor compute_rows() const override;
  /// Own rows `local` (int64), differentiable in the centroids; outliers are not in them.
  torch::Tensor shared_values(const torch::Tensor& centroids, const torch::Tensor& local) const;

  torch::Tensor centroids_;
  torch::Tensor codes_;
  Outliers outliers_;
};

/// Bits of a stored code.
int bits_per_code(std::int64_t clusters);

std::unique_ptr<Weight> read_clustered(const parallel::Communicator& team,
                                       const DenseSource& source, const StoredTensors& tensors);

}  // namespace rankine::weights
