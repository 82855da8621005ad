// The entries of largest magnitude of a matrix in row blocks.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <limits>

#include "parallel/communicator.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::weights {

/// Entries of a matrix from one outlier to the next whose number takes two bytes.
inline constexpr std::int64_t longest_short_gap = std::numeric_limits<std::int16_t>::max();

/// Entries kept as they are, the same on all ranks, in the order of their places.
struct Outliers {
  torch::Tensor rows;     ///< int64, of the whole matrix
  torch::Tensor columns;  ///< int64
  torch::Tensor values;
};

/// The `count` entries of largest magnitude, values in float64; of equal ones the first. Collective
/// over the team.
Outliers largest_entries(const parallel::Communicator& team, const RowSplit& split,
                         const torch::Tensor& own_rows, std::int64_t count);

}  // namespace rankine::weights
