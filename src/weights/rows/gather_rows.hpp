// All rows of a matrix in row blocks, on every rank; without gradients.
#pragma once

#include <torch/types.h>

#include "parallel/communicator.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::weights {

/// own: split.count(rank) x columns, float32 or float64. Collective over the team.
torch::Tensor gather_rows(const parallel::Communicator& team, const torch::Tensor& own,
                          const RowSplit& split);

}  // namespace rankine::weights
