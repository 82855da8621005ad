// The norm of an error E of a weight (outputs x inputs) that second moments give, and products over
// the sites of an operator that stand for it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace rankine::weights {

/// ||R^T E L||_F with L L^T = inputs and R R^T = outputs: symmetric positive semidefinite, float64,
/// on every rank. An undefined moment stands for the identity.
struct MomentNorm {
  torch::Tensor inputs;   ///< inputs x inputs
  torch::Tensor outputs;  ///< outputs x outputs

  bool is_plain() const { return !inputs.defined() && !outputs.defined(); }
  /// outputs E inputs, half the gradient of the squared norm.
  torch::Tensor weigh(const torch::Tensor& error) const;
  double squared(const torch::Tensor& error) const;
};

/// Factors A_k (legs_k x legs_k, positive definite) whose Kronecker product is the covariance of
/// the likeliest normal distribution of that form for vectors of this second moment, by fixing all
/// but one in turn (the flip-flop iteration for matrix normal distributions). Unlike the nearest
/// product it does not look at the few largest directions alone. Empty for an undefined moment.
std::vector<torch::Tensor> likeliest_product(const torch::Tensor& moment,
                                             const std::vector<std::int64_t>& legs);

/// A norm that is a product over sites: with W' = (R_1 x R_2 x ...)^T W (L_1 x L_2 x ...) it is the
/// Frobenius norm of W'.
class SiteNorm {
 public:
  /// The product that stands for `norm`; weak directions of each factor are raised so that it has
  /// an inverse.
  SiteNorm(const MomentNorm& norm, const std::vector<std::int64_t>& row_legs,
           const std::vector<std::int64_t>& column_legs);

  /// From W to W'.
  torch::Tensor whiten(const torch::Tensor& w) const;
  /// From a core of W' at `site` (bond x row leg x column leg x bond) to that of W.
  torch::Tensor unwhiten_core(const torch::Tensor& core, std::size_t site) const;

  /// Undefined for the identity: row_leg x row_leg, column_leg x column_leg.
  torch::Tensor row_moment(std::size_t site) const { return moment(rows_, site); }
  torch::Tensor column_moment(std::size_t site) const { return moment(columns_, site); }

 private:
  static torch::Tensor moment(const std::vector<torch::Tensor>& moments, std::size_t site) {
    return moments.empty() ? torch::Tensor() : moments[site];
  }

  std::vector<torch::Tensor> rows_, columns_;                ///< moments of the sites
  std::vector<torch::Tensor> row_factors_, column_factors_;  ///< lower triangular
};

}  // namespace rankine::weights
