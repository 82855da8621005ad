// Forms that are made of a weight itself, not of its factors: matrix-product operators and
// clusters.
#pragma once

#include <torch/types.h>

#include <memory>

#include "compress/bond_dimension.hpp"
#include "compress/factors.hpp"
#include "compress/options.hpp"
#include "parallel/communicator.hpp"
#include "weights/weight.hpp"

namespace rankine::compress {

/// What a weight met on the calibration text, on every rank; undefined where nothing is weighted.
struct WeightMoments {
  torch::Tensor inputs;   ///< n x n
  torch::Tensor outputs;  ///< m x m
};

struct DirectForm {
  std::shared_ptr<weights::Weight> weight;
  std::int64_t rank = 0;      ///< bond dimension, or number of centroids
  double weighted_error = 0;  ///< relative, in the norm the form was made in
};

/// Collective over the team. Weighting none, diagonal or full: alternating least squares in the
/// norm of the inputs.
DirectForm make_matrix_product_form(const CompressOptions& options,
                                    const parallel::Communicator& team,
                                    const weights::Weight& dense, const WeightMoments& moments);

/// Collective over the team. Weighting none, diagonal or two-sided: squared errors of entry (i, j)
/// count G_jj times, or C_ii G_jj times.
DirectForm make_clustered_form(const CompressOptions& options, const parallel::Communicator& team,
                               const weights::Weight& dense, const WeightMoments& moments);

}  // namespace rankine::compress
