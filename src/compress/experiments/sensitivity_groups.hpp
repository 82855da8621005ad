// Which weights of a model a sensitivity profile looks at together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rankine::compress {

/// Some of the selected weights.
struct WeightGroup {
  std::string by;    ///< "layer", "kind" or "weight"
  std::string name;  ///< "layer 3", "self_attn.q_proj", or the name of the weight
  std::vector<std::size_t> weights;
};

/// Every layer, every kind of matrix (what stands behind the number of the layer in a name) or
/// every weight, in this order as far as `by` names them; in each the order of the names.
std::vector<WeightGroup> group_weights(const std::vector<std::string>& names,
                                       const std::vector<std::string>& by);

}  // namespace rankine::compress
