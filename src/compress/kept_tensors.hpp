// Tensors that the ranks of a team share, in a safetensors folder of the checkpoint and back.
#pragma once

#include <filesystem>
#include <vector>

#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "weights/weight.hpp"

namespace rankine::compress {

/// Writes what the first team holds, in the types the tensors have. Collective over `world`.
/// Throws InputError or ResourceError on all ranks.
void write_tensors(const parallel::Communicator& world, const parallel::Teams& teams,
                   const std::filesystem::path& folder,
                   const std::vector<weights::Parameter>& tensors);

/// Reads this rank's part of each tensor in place. Collective over `world`. Throws InputError on
/// all ranks.
void read_tensors(const parallel::Communicator& world, const std::filesystem::path& folder,
                  const std::vector<weights::Parameter>& tensors);

}  // namespace rankine::compress
