// Images in blocks that are dealt out to the ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/image/image_data.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"

namespace rankine::models {

/// The blocks of these images in their order, as batches with labels; those of other ranks are
/// empty. For work that goes through a network stage by stage. Not collective.
std::vector<Batch> own_blocks(const ImageSet& set, std::span<const std::int64_t> numbers,
                              std::int64_t batch_size, const parallel::Communicator& ranks,
                              torch::ScalarType type);

}  // namespace rankine::models
