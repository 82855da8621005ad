// Two thin factors in row blocks over a team, and what can be told of their product L R without any
// rank holding all of R.
#pragma once

#include <torch/types.h>

#include "parallel/communicator.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::weights {

struct FactorRows {
  torch::Tensor left;    ///< own rows of L, count x r
  torch::Tensor right;   ///< own rows of R, right_split.count(rank) x n
  RowSplit right_split;  ///< of the r rows of R
};

/// Own rows of L R. Collective over the team; R travels in pieces of a few hundred columns.
torch::Tensor multiply(const parallel::Communicator& team, const FactorRows& factors);

/// ||L R - exact||_F / ||exact||_F, where `exact` is a product of as many own rows; 0 if both
/// are zero. Collective over the team, in pieces likewise.
double relative_distance(const parallel::Communicator& team, const FactorRows& factors,
                         const FactorRows& exact);

}  // namespace rankine::weights
