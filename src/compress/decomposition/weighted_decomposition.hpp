// Weighted singular value decompositions of the weights of a network.
//
// The norm of an error E of W (m x n) is ||R^T E L||_F with L L^T = G, the second moment of the
// inputs (or its diagonal, or 1), and R R^T = C, that of the output gradients (or 1), both with a
// ridge (weights/making/ridge.hpp). With the SVD R^T W L = U S V^T the best matrix of rank r is
// R^{-T} U_r U_r^T R^T W: no inverse of L is needed. Where G or C is zero every error is: the
// singular values are zeros, and the bases those without it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compress/calibration/moments.hpp"
#include "core/progress.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"
#include "weights/making/ridge.hpp"
#include "weights/rows/factor_rows.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::compress {

/// W ~ left[:, :r] right[:r, :] for every r, wherever the ranks keep them; of the model's type.
/// left: m x k, R^{-T} U; right: k x n, U^T R^T W. Methods are collective over the world; each rank
/// asks for the rows it wants.
class Bases {
 public:
  Bases() = default;
  Bases(const Bases&) = delete;
  Bases& operator=(const Bases&) = delete;
  virtual ~Bases() = default;

  /// Rows of left[:, :kept_rank].
  virtual torch::Tensor left_rows(weights::RowRange wanted, std::int64_t kept_rank) const = 0;
  /// Rows of right.
  virtual torch::Tensor right_rows(weights::RowRange wanted) const = 0;
};

struct WeightFactors {
  std::string name;
  std::shared_ptr<const Bases> bases = nullptr;
  std::vector<double> singular_values = {};  ///< k, descending, on every rank
};

enum class InputWeighting { none, diagonal, full };

/// How errors are weighted; moments are released while they are used.
struct ErrorNorm {
  InputWeighting inputs = InputWeighting::none;
  InputMoments input_moments = {};                ///< empty for `none`
  std::vector<SecondMoment> output_moments = {};  ///< empty for a one-sided norm
  /// Of inputs, tokens weighted by gradients (calibration/token_moments.hpp): `groups` for each
  /// weight, in place of `input_moments`; empty for none.
  std::vector<SecondMoment> token_moments = {};
  std::int64_t groups = 0;
  /// Added to C and G, times their mean diagonals; more where rounding asks for it.
  double ridge = 0.1;
  double input_ridge = weights::input_ridge;
  /// What the squared error of each weight counts when ranks are allocated; empty for 1.
  std::vector<double> error_weights = {};
};

/// Collective over `world`. Weights that share their inputs are decomposed together, whole by one
/// rank or over all ranks (compress/decomposition/decomposition_plan.hpp), which the log tells.
/// `bytes` is what a rank may use meanwhile, the same on all ranks; 0 if unknown. Moments are
/// finite. NumericalError on all ranks where an SVD does not converge. `between` is called between
/// weights on all ranks, which throw what it throws. `told` on rank 0: plan and progress.
std::vector<WeightFactors> decompose(
    const models::Network& network, const parallel::Communicator& world,
    const parallel::Teams& teams, const std::vector<std::string>& names, ErrorNorm norm,
    double bytes = 0, const std::function<void()>& between = [] {}, Output told = Output::shown);

/// The first `kept_rank` components over the ranks of the own team: rows of left by `split`, those
/// of right evenly. Collective over the world.
weights::FactorRows leading_factors(const parallel::Communicator& team,
                                    const WeightFactors& factors, const weights::RowSplit& split,
                                    std::int64_t kept_rank);

}  // namespace rankine::compress
