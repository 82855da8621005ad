// What config.json says of rotary positions, in the keys of older files and of newer ones.
#pragma once

#include "models/checkpoint/config.hpp"
#include "models/checkpoint/config_keys.hpp"

namespace rankine::models {

/// Sets `rotary`, `local_rotary`, and for "longrope" the context, of a config whose sizes and
/// architecture are set.
void read_rotary(const ConfigSection& values, ModelConfig& config);

}  // namespace rankine::models
