// Rows of a matrix in row blocks, looked up by their numbers.
#pragma once

#include <torch/types.h>

namespace rankine::weights {

/// The rows `ids` (int64) where they are among the rows from `first` on, zeros elsewhere: ids x
/// columns. Differentiable.
torch::Tensor look_up_rows(const torch::Tensor& own_rows, std::int64_t first,
                           const torch::Tensor& ids);

}  // namespace rankine::weights
