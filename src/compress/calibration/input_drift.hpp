// What weights of a changed network read beside what they read in the original, on the same
// batches.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "compress/calibration/moments.hpp"

namespace rankine::compress {

/// Of weights W with inputs x in the original and x' in the changed network, sums over batches.
struct InputDrift {
  std::vector<SecondMoment> moments = {};   ///< of x'
  std::vector<torch::Tensor> changes = {};  ///< W (x - x') x'^T, outputs x inputs, float64
};

/// Of the weights `names`, in their order, and this rank's batches: both networks are whole on
/// every rank, as `alone` says, and the original's weights are dense. Not collective. The weights
/// are observed meanwhile.
InputDrift measure_drift(models::Network& original, models::Network& changed,
                         const parallel::Communicator& alone, const std::vector<std::string>& names,
                         const std::vector<models::Batch>& batches);

}  // namespace rankine::compress
