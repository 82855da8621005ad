// The same matrix in row blocks and in column blocks over a team, and the way between the two: no
// rank ever holds more than its blocks.
//
// Collective over the team (in the backward pass too); blocks may be empty.
#pragma once

#include <torch/types.h>

#include "parallel/communicator.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::weights {

/// Own columns (rows.total() x columns.count(rank)) become own rows (rows.count(rank) x
/// columns.total()). Differentiable.
torch::Tensor rows_of_columns(const parallel::Communicator& team, const torch::Tensor& own_columns,
                              const RowSplit& rows, const RowSplit& columns);

/// The way back, without gradients.
torch::Tensor columns_of_rows(const parallel::Communicator& team, const torch::Tensor& own_rows,
                              const RowSplit& rows, const RowSplit& columns);

}  // namespace rankine::weights
