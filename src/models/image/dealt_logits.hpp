// The logits of many images, which are dealt out to the ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/image/image_data.hpp"
#include "models/image/image_network.hpp"

namespace rankine::models {

/// Images x classes, on every rank. Blocks of `batch_size` images go to the ranks in turn, so a
/// block has the same images, and an image the same logits, at any number of ranks. `between` is
/// called before each round of blocks, on all ranks. Collective over `ranks`.
std::vector<double> dealt_logits(const ImageNetwork& network, const ImageSet& set,
                                 std::int64_t batch_size, const parallel::Communicator& ranks,
                                 const std::function<void()>& between = [] {});

/// The blocks of the first `count` images in their order, as batches with labels; those of other
/// ranks are empty. For work that goes through a network stage by stage. Not collective.
std::vector<Batch> own_blocks(const ImageSet& set, std::int64_t count, std::int64_t batch_size,
                              const parallel::Communicator& ranks, torch::ScalarType type);

}  // namespace rankine::models
