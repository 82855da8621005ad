// A tensor of one rank on every rank.
#pragma once

#include <torch/types.h>

#include "parallel/communicator.hpp"

namespace rankine::weights {

/// `mine` of rank `root`, of at most four axes, whose type all ranks know. Collective; where there
/// is no room for it on one rank all ranks throw.
torch::Tensor broadcast_tensor(const parallel::Communicator& ranks, const torch::Tensor& mine,
                               torch::ScalarType type, int root);

}  // namespace rankine::weights
