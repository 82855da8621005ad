// Tensors that the ranks of a team share, in a safetensors folder of the checkpoint and back.
#pragma once

#include <filesystem>
#include <vector>

#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "weights/storage/parameter.hpp"

namespace rankine::weights {

/// Writes what the first team holds, in the types the tensors have. Collective over `world`.
/// Throws InputError or ResourceError on all ranks.
void write_tensors(const parallel::Communicator& world, const parallel::Teams& teams,
                   const std::filesystem::path& folder, const std::vector<Parameter>& tensors);

/// Reads this rank's part of each tensor in place; they are all that the folder holds. Collective
/// over `world`. Throws InputError on all ranks, and no tensor is changed then.
void read_tensors(const parallel::Communicator& world, const std::filesystem::path& folder,
                  const std::vector<Parameter>& tensors);

/// Throws InputError, naming a tensor, unless `file` holds those of `plan` and no others, with
/// their types and shapes. Not collective; the same on all ranks.
void require_tensors(const files::SafetensorsReader& file,
                     const std::vector<files::TensorPlan>& plan);

}  // namespace rankine::weights
