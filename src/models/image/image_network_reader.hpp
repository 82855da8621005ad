// Image networks from checkpoints, or drawn at random.
#pragma once

#include <cstdint>

#include "models/image/image_checkpoint.hpp"
#include "models/image/image_network.hpp"
#include "models/precision.hpp"

namespace rankine::models {

/// Collective over `world`, every rank of which holds the network; `team` is this rank alone and
/// outlives it. Throws the same error on all ranks: InputError (files, shapes) or NumericalError (a
/// number is not finite).
ImageNetwork read_image_network(const parallel::Communicator& world,
                                const parallel::Communicator& team, const ImageModel& model,
                                Precision precision);

/// With kernels from normal distributions of variance 2 / (inputs * height * width) (He et al.,
/// arXiv:1502.01852; 1 / inputs in linear layers), the same on all ranks; biases are zeros.
ImageNetwork draw_image_network(const parallel::Communicator& team, const NetworkPlan& plan,
                                std::uint64_t seed, Precision precision);

}  // namespace rankine::models
