// Calls a template with the element type of a tensor: float or double, nothing else is computed
// with.
#pragma once

#include <torch/types.h>

#include "core/contracts.hpp"

namespace rankine::weights {

/// `work` is a generic callable that takes a value of the type, for the type's sake.
template <class Work>
void with_element_type(const torch::Tensor& tensor, Work&& work) {
  RANKINE_EXPECTS(
      tensor.scalar_type() == torch::kFloat32 || tensor.scalar_type() == torch::kFloat64,
      "computed with float32 or float64");
  if (tensor.scalar_type() == torch::kFloat64)
    work(double{});
  else
    work(float{});
}

}  // namespace rankine::weights
