// Tells one network from another by its numbers.
#pragma once

#include <cstdint>

#include "models/network.hpp"

namespace rankine::models {

/// A 64-bit checksum of all stored numbers with their places, the same for any number of ranks.
/// Collective over the network's team.
std::uint64_t checksum(const Network& network);

}  // namespace rankine::models
