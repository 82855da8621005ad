#include "weights/forms/weight_rank.hpp"

#include <algorithm>

#include "weights/forms/form.hpp"

namespace rankine::weights {

std::int64_t rank_of(const Weight& weight) {
  if (weight.form() == "dense") return std::min(weight.outputs(), weight.inputs());
  std::int64_t rank = 0;
  for (const Parameter& parameter : weight.parameters()) {
    const auto shape = whole_shape(parameter);
    if (parameter.name == "left" || parameter.name == "columns" || parameter.name == "centroids")
      rank = shape.back();
    else if (parameter.name == "basis")
      rank = shape.front();
    else if (parameter.name.starts_with("core"))
      rank = std::max(rank, shape.back());
  }
  return rank;
}

}  // namespace rankine::weights
