// A stored tensor of a weight, of which each rank of a team holds its part.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "files/safetensors/safetensors.hpp"

namespace rankine::weights {

/// What a rank holds of a stored tensor.
enum class Placement {
  rows,  ///< rows of its own
  copy,  ///< all of it, as every rank of the team does; so is its gradient
};

/// `name` tells the tensor from the others of the weight: "weight".
struct Parameter {
  std::string name;
  torch::Tensor values;  ///< what this rank holds
  Placement placement = Placement::rows;
  std::int64_t first_row = 0;   ///< of `values` in the whole tensor
  std::int64_t total_rows = 0;  ///< of the whole tensor
};

/// Of the whole tensor of which a rank holds `parameter`.
std::vector<std::int64_t> whole_shape(const Parameter& parameter);
std::int64_t whole_numel(const Parameter& parameter);
std::int64_t whole_bytes(const Parameter& parameter);

/// Writes this rank's part of a tensor (integers and floating-point numbers alike).
void write_parameter(files::SafetensorsWriter& writer, const std::string& name,
                     const Parameter& parameter, int rank);

}  // namespace rankine::weights
