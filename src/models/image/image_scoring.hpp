// The logits that an image network has for the images of a set.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/image/image_data.hpp"
#include "models/image/image_network.hpp"
#include "parallel/communicator.hpp"

namespace rankine::models {

/// images x classes, on all ranks, and the same for any number of them: images are computed in
/// blocks of `batch_size`, dealt out in turns. `between(fraction done)` is called by all ranks
/// between two turns, and may throw on all of them. Collective over `world`, each rank of which has
/// the network and the set. Throws on all ranks: ResourceError.
std::vector<double> score_images(const ImageNetwork& network, const ImageSet& set,
                                 std::int64_t batch_size, const parallel::Communicator& world,
                                 const std::function<void(double)>& between = {});

}  // namespace rankine::models
