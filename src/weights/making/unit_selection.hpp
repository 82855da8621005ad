// Which hidden units of an MLP may go, and how the matrix that reads them makes up for them.
//
// Units leave in the order of what their loss costs once the others have made up for it as well as
// they can (optimal brain surgeon; of whole units as in ZipLM, arXiv:2302.04089).
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "weights/making/moment_norm.hpp"

namespace rankine::weights {

struct SelectedUnits {
  std::vector<std::int64_t> kept;  ///< ascending
  torch::Tensor w;                 ///< outputs x kept: the best in the norm that reads only these
  double error = 0;                ///< its norm, in units of that of W; 0 where that is 0
};

/// Leaves `count` of the columns of `w` (outputs x units, float64). `norm.inputs`, the second
/// moment of the units, is there and positive definite.
SelectedUnits select_units(const torch::Tensor& w, const MomentNorm& norm, std::int64_t count);

}  // namespace rankine::weights
