// The kernels of an image network get their forms: moments, ranks, fits.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "compress/images/image_bench.hpp"

namespace rankine::compress {

/// Replaces the selected kernels and reports each. A network that is to be trained from random
/// weights keeps the norm of every kernel. Collective over the world.
void replace_kernels(ImageBench& bench);

/// Fits the kernels that were replaced once more, all at once and at the same ranks, to make of
/// their patches in the network as it is what those of `original` make of theirs. Collective over
/// the world.
void refit_kernels(ImageBench& bench, models::ImageNetwork& original);

/// The forms of the kernels of `original` in the plain norm, at the ranks of those that were
/// replaced, by name. Collective over the world.
std::map<std::string, std::shared_ptr<weights::Weight>> plain_kernels(
    const ImageBench& bench, const models::ImageNetwork& original);

/// The statistics of batch norms change as those of the calibration images have, from `before`, the
/// network as it was read. Collective over the world.
void shift_statistics(ImageBench& bench, const std::vector<models::ChannelMoments>& before);

/// Those of a network that was trained, from calibration images shifted and mirrored as it has seen
/// them. Collective over the world.
void restore_statistics_of_training(ImageBench& bench);

/// Those of the network as it is. Collective over the world.
std::vector<models::ChannelMoments> measure_statistics(ImageBench& bench);

}  // namespace rankine::compress
