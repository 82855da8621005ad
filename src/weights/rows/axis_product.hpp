// A matrix on one axis of a tensor.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace rankine::weights {

/// The tensor with `axis`, as long as the matrix has columns, replaced by one as long as it has
/// rows: entries along the axis are multiplied by the matrix. An undefined matrix is the identity.
/// Differentiable in both.
torch::Tensor along_axis(const torch::Tensor& tensor, std::int64_t axis,
                         const torch::Tensor& matrix);

}  // namespace rankine::weights
