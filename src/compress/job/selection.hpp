// The weights of a model that patterns select, from config.json and names alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compress/allocation/allocation.hpp"
#include "models/checkpoint/checkpoint_names.hpp"
#include "models/checkpoint/config.hpp"

namespace rankine::compress {

struct NamedShape {
  std::string name;  ///< of the slot (models/slot.hpp)
  MatrixShape shape;
  std::int64_t input = -1;  ///< weights with one number (not negative) read the same activation
};

/// Every weight of the layers, in the order of models::Network::slots().
std::vector<NamedShape> named_shapes(const models::ModelConfig& config,
                                     const models::CheckpointNames& names);

/// Those whose name matches one of the patterns (* and ? as in a shell), which are those of
/// `keyword`. Throws InputError for a pattern that matches none.
std::vector<NamedShape> select_weights(const std::vector<NamedShape>& all,
                                       const std::vector<std::string>& patterns,
                                       std::string_view keyword);

}  // namespace rankine::compress
