// The cores of a matrix-product operator that approximate W best in the norm of second moments.
#pragma once

#include <torch/types.h>

#include <vector>

#include "weights/making/moment_norm.hpp"

namespace rankine::weights {

/// Minimises ||W - W'(cores)|| in `norm` over one core at a time, `sweeps` times over all of them.
/// The error is quadratic in each core; conjugate gradients from the present core, preconditioned
/// with the same problem in `sites`, lower it without ever forming the normal matrix. On one rank;
/// all float64. Returns the error before and after each sweep; it never rises.
std::vector<double> optimise_cores(const torch::Tensor& w, const MomentNorm& norm,
                                   const SiteNorm& sites, int sweeps,
                                   std::vector<torch::Tensor>& cores);

}  // namespace rankine::weights
