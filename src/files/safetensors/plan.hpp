// How the tensors of a checkpoint to be written are shared out among shards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "files/safetensors/safetensors.hpp"

namespace rankine::files {

struct PlannedShard {
  std::string name;     ///< "model.safetensors" or "model-00001-of-00003.safetensors"
  std::string header;   ///< first bytes of the file
  std::uint64_t bytes;  ///< of the whole file
};

struct ShardPlan {
  std::vector<PlannedShard> shards;
  std::vector<TensorEntry> tensors;  ///< sorted by name
  std::string index;                 ///< text of the index; empty for one shard
};

/// Fills shards in the order of `tensors`: one ends where the next tensor would take its values
/// beyond `largest_shard` bytes. Throws InputError (messages name `folder`) for a name given twice,
/// a type that cannot be encoded or an impossible shape.
ShardPlan plan_shards(std::vector<TensorPlan> tensors, std::uint64_t largest_shard,
                      const std::filesystem::path& folder);

}  // namespace rankine::files
