// Weighted singular value decompositions of the weights of a model, whole matrices on single ranks.
//
// The norm of an error E of W (m x n) is ||R^T E L||_F with L L^T = G, the second moment of the
// inputs (or its diagonal, or 1), and R R^T = C, that of the output gradients (or 1). With the SVD
// R^T W L = U S V^T the best matrix of rank r is R^{-T} U_r U_r^T R^T W: no inverse of L is needed.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compress/moments.hpp"
#include "models/language_model.hpp"
#include "parallel/communicator.hpp"

namespace rankine::compress {

/// W ~ left[:, :r] right[:r, :] for every r. The bases are on rank `owner` alone.
struct WeightFactors {
  std::string name;
  int owner = 0;
  torch::Tensor left;                        ///< m x k, R^{-T} U; of the model's type
  torch::Tensor right;                       ///< k x n, U^T R^T W
  std::vector<double> singular_values = {};  ///< k, descending, on every rank
};

enum class InputWeighting { none, diagonal, full };

/// How errors are weighted; moments are released while they are used.
struct ErrorNorm {
  InputWeighting inputs = InputWeighting::none;
  InputMoments input_moments = {};                ///< empty for `none`
  std::vector<SecondMoment> output_moments = {};  ///< empty for a one-sided norm
  double ridge = 0.1;                             ///< added to C, times its mean diagonal
  /// What the squared error of each weight counts when ranks are allocated; empty for 1.
  std::vector<double> error_weights = {};
};

/// Collective over `world`. Weights that share their inputs are decomposed by one rank, one after
/// the other; such groups are dealt out by cost to all threads of all ranks. NumericalError on all
/// ranks where a moment is not finite or an SVD does not converge.
std::vector<WeightFactors> decompose(const models::LanguageModel& model,
                                     const parallel::Communicator& world,
                                     const parallel::Teams& teams,
                                     const std::vector<std::string>& names, ErrorNorm norm);

/// The first `rank` columns of left and rows of right on every rank. Collective over `world`.
struct RankFactors {
  torch::Tensor left;
  torch::Tensor right;
};
RankFactors broadcast_factors(const parallel::Communicator& world, const WeightFactors& factors,
                              std::int64_t rows, std::int64_t columns, std::int64_t rank,
                              torch::ScalarType type);

}  // namespace rankine::compress
