// The small Python file with which PyTorch runs an exported image network.
#pragma once

#include <string>

namespace rankine::models {

inline constexpr const char* image_module_file_name = "rankine_network.py";

/// Source of `load(folder)`, which builds a torch.nn.Module from network.json and
/// model.safetensors.
std::string image_module_source();

}  // namespace rankine::models
