// Cores and gates of a disentangled weight made better in the norm of second moments.
#pragma once

#include <torch/types.h>

#include <vector>

#include "weights/forms/disentangled.hpp"
#include "weights/making/moment_norm.hpp"

namespace rankine::weights {

struct WeightedDisentanglingOptions {
  int sweeps = 2;  ///< of alternating least squares over the cores, in each round
  int gradient_steps =
      20;  ///< of Adam on the generators of all gates, after each round of the cores
  int rounds = 2;
};

/// Changes the numbers of `weight`, which one rank has whole, in place: cores by alternating least
/// squares for the rotated matrix U_L^T W U_R^T in the rotated norm, then generators by gradient,
/// in turn. What is worse than before is not taken, so the error never rises. `w` is float64.
/// Returns the error ||W - U_L M U_R|| in the norm before and after each round.
std::vector<double> improve_in_norm(const torch::Tensor& w, const MomentNorm& norm,
                                    const WeightedDisentanglingOptions& options,
                                    const Disentangled& weight);

}  // namespace rankine::weights
