// The cores of a matrix-product operator that approximate W best in the norm of a whitening factor.
#pragma once

#include <torch/types.h>

#include <vector>

#include "parallel/communicator.hpp"
#include "weights/row_split.hpp"

namespace rankine::weights {

/// Minimises ||(W - W'(cores)) S||_F over one core at a time, `sweeps` times over all of them. The
/// error is quadratic in each core; preconditioned conjugate gradients from the present core lower
/// it without ever forming the normal matrix. Collective over the team; all float64; S: inputs x
/// any. Returns ||(W - W') S||_F before and after each sweep; it never rises.
std::vector<double> optimise_cores(const parallel::Communicator& team, const RowSplit& split,
                                   const torch::Tensor& own_rows, const torch::Tensor& whitening,
                                   int sweeps, std::vector<torch::Tensor>& cores);

}  // namespace rankine::weights
