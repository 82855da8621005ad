#include "weights/making/moment_norm.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "weights/rows/axis_product.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

Tensor MomentNorm::weigh(const Tensor& error) const {
  const Tensor right = inputs.defined() ? times_transposed(error, inputs) : error;
  return outputs.defined() ? times(outputs, right) : right;
}

double MomentNorm::squared(const Tensor& error) const {
  return std::max(0.0, (error * weigh(error)).sum().item<double>());
}

namespace {

constexpr int rounds = 8;
/// Of the mean diagonal of a factor, added to its diagonal.
constexpr double ridge = 1e-5;

Tensor with_ridge(Tensor factor) {
  factor.diagonal().add_(ridge * factor.diagonal().mean().item<double>() + 1e-300);
  return factor;
}

/// Entry (i_1 i_2 .., j_1 j_2 ..) at ((i_1 j_1), (i_2 j_2), ..): an axis for each leg.
Tensor paired_axes(const Tensor& moment, const std::vector<std::int64_t>& legs) {
  std::vector<std::int64_t> shape = legs, order, paired;
  shape.insert(shape.end(), legs.begin(), legs.end());
  const std::int64_t sites = std::ssize(legs);
  for (std::int64_t k = 0; k < sites; ++k) {
    order.insert(order.end(), {k, sites + k});
    paired.push_back(legs[static_cast<std::size_t>(k)] * legs[static_cast<std::size_t>(k)]);
  }
  return moment.reshape(shape).permute(order).reshape(paired);
}

/// Contracts every axis but `site` with its factor; those of length 1 are 1.
Tensor all_but_one(const Tensor& axes, const std::vector<Tensor>& factors, std::size_t site) {
  const auto is_one = [&](std::size_t k) { return factors[k].numel() == 1; };
  Tensor rest = axes;
  for (std::size_t k = factors.size(); k-- > site + 1;)
    if (!is_one(k)) rest = rest.reshape({-1, factors[k].numel()}).mv(factors[k].flatten());
  for (std::size_t k = 0; k < site; ++k)
    if (!is_one(k)) rest = rest.reshape({factors[k].numel(), -1}).t().mv(factors[k].flatten());
  return rest.reshape(factors[site].sizes());
}

/// The Kronecker product of the transposed factors, applied to the axes from `first` on.
Tensor along_sites(Tensor axes, std::int64_t first, const std::vector<Tensor>& factors) {
  for (const Tensor& factor : factors) axes = along_axis(axes, first++, factor.t());
  return axes;
}

std::vector<Tensor> cholesky_factors(const std::vector<Tensor>& moments) {
  std::vector<Tensor> factors;
  for (const Tensor& moment : moments) factors.push_back(torch::linalg_cholesky(moment));
  return factors;
}

}  // namespace

std::vector<Tensor> likeliest_product(const Tensor& moment, const std::vector<std::int64_t>& legs) {
  std::vector<Tensor> factors, inverses;
  if (!moment.defined()) return factors;
  RANKINE_EXPECTS(moment.scalar_type() == torch::kFloat64, "moments are float64");
  const Tensor axes = paired_axes(moment, legs);
  for (const std::int64_t leg : legs) factors.push_back(torch::eye(leg, moment.options()));
  if (moment.size(0) == 1) factors.front() = with_ridge(moment.clone());
  inverses = factors;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t k = 0; k < legs.size(); ++k) {
      if (legs[k] == 1) continue;  // what it would be is in the other factors
      const double others = static_cast<double>(moment.size(0) / legs[k]);
      const Tensor expected = all_but_one(axes, inverses, k) / others;
      factors[k] = with_ridge((expected + expected.t()) / 2);
      inverses[k] = at::cholesky_inverse(torch::linalg_cholesky(factors[k]));
    }
  return factors;
}

SiteNorm::SiteNorm(const MomentNorm& norm, const std::vector<std::int64_t>& row_legs,
                   const std::vector<std::int64_t>& column_legs)
    : rows_(likeliest_product(norm.outputs, row_legs)),
      columns_(likeliest_product(norm.inputs, column_legs)),
      row_factors_(cholesky_factors(rows_)),
      column_factors_(cholesky_factors(columns_)) {}

Tensor SiteNorm::whiten(const Tensor& w) const {
  std::vector<std::int64_t> axes;
  for (const Tensor& factor : row_factors_) axes.push_back(factor.size(0));
  const std::int64_t first = std::max<std::int64_t>(1, std::ssize(axes));
  if (axes.empty()) axes.push_back(w.size(0));
  for (const Tensor& factor : column_factors_) axes.push_back(factor.size(0));
  if (column_factors_.empty()) axes.push_back(w.size(1));
  const Tensor whitened_rows = along_sites(w.reshape(axes), 0, row_factors_);
  return along_sites(whitened_rows, first, column_factors_).reshape(w.sizes());
}

Tensor SiteNorm::unwhiten_core(const Tensor& core, std::size_t site) const {
  Tensor result = core;
  if (!row_factors_.empty())  // R^{-T} on the row leg
    result = torch::einsum("aijb,ik->akjb", {result, torch::inverse(row_factors_[site])});
  if (!column_factors_.empty())  // L^{-1} on the column leg, from the right
    result = torch::einsum("aijb,jk->aikb", {result, torch::inverse(column_factors_[site])});
  return result.contiguous();
}

}  // namespace rankine::weights
