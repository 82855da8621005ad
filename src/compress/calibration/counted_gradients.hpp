// What each token counts in the second moment of the gradients at the outputs of a weight: few loud
// ones would be most of it.
#pragma once

#include <torch/types.h>

#include "compress/calibration/loss_gradients.hpp"

namespace rankine::compress {

/// The rows of one batch (tokens x outputs, all outputs) times what they count: zeros at both ends,
/// and norms within bounds set by the mean norm of the others. That mean is one of this batch, so
/// that it is the same in whatever order and by whatever team batches are taken; rows below 1e-10
/// of the largest norm have no part in it and stay as they are.
torch::Tensor counted_gradients(const torch::Tensor& gradients, const LossGradients& how);

}  // namespace rankine::compress
