#include "compress/stages/whitening.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "parallel/agreement.hpp"
#include "weights/making/ridge.hpp"
#include "weights/rows/broadcast_tensor.hpp"
#include "weights/rows/product.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::compress {

using parallel::Communicator;
using torch::Tensor;
using weights::Parameter;

namespace {

/// Factors of moments, dealt out to the ranks and then on all of them, of type `type`. Collective.
std::vector<Tensor> factors_of(const std::vector<SecondMoment>& moments, const Communicator& world,
                               torch::ScalarType type) {
  std::vector<Tensor> factors;
  const auto ranks = static_cast<std::size_t>(world.size());
  for (std::size_t first = 0; first < moments.size(); first += ranks) {
    const std::size_t end = std::min(moments.size(), first + ranks);
    Tensor mine;
    for (std::size_t i = first; i < end; ++i) {
      const int owner = static_cast<int>(i - first);
      const Tensor moment = moments[i].assemble_on(world, owner);
      if (world.rank() == owner) mine = moment;
    }
    const Tensor factor = parallel::agree_on_failure(world, [&] {
      return mine.defined() && !weights::is_zero(mine) ? whitening_factor(mine).to(type) : Tensor();
    });
    for (std::size_t i = first; i < end; ++i) {
      const Tensor of_root = factor.defined() ? factor : torch::empty({0}, type);
      Tensor whole = weights::broadcast_tensor(world, of_root, type, static_cast<int>(i - first));
      factors.push_back(whole.numel() > 0 ? std::move(whole) : Tensor());
    }
  }
  return factors;
}

/// Of A, in row blocks: A = K^T A~.
train::Coordinates of_left(const Communicator& team, const Parameter& left, const Tensor& k) {
  const weights::RowRange own{left.first_row, left.values.size(0)};
  if (k.dim() == 1) {
    const Tensor scale = k.narrow(0, own.first, own.count).unsqueeze(1);
    const auto scaled = [scale](const Tensor& x) { return x * scale; };
    return {scaled, scaled};
  }
  const Tensor rows = k.narrow(0, own.first, own.count).contiguous();
  const Tensor columns = k.narrow(1, own.first, own.count).contiguous();
  const auto whole = [&team, own, total = left.total_rows](const Tensor& part) {
    return weights::exchange_rows(team, part, own, {0, total});
  };
  return {[rows, whole](const Tensor& gradient) { return weights::times(rows, whole(gradient)); },
          [columns, whole](const Tensor& move) {
            return weights::transposed_times(columns, whole(move));
          }};
}

/// Of B, every row of which is whole: B = B~ K.
train::Coordinates of_right(const Tensor& k) {
  if (k.dim() == 1) {
    const auto scaled = [k](const Tensor& x) { return x * k; };
    return {scaled, scaled};
  }
  return {[k](const Tensor& gradient) { return weights::times_transposed(gradient, k); },
          [k](const Tensor& move) { return weights::times(move, k); }};
}

}  // namespace

Tensor whitening_factor(const Tensor& moment) {
  const Tensor diagonal = moment.dim() == 1 ? moment : moment.diagonal();
  const double mean = diagonal.mean().item<double>();
  // Numbers that are always zero would make the harmonic mean zero.
  const double typical = 1 / diagonal.clamp_min(1e-6 * mean).reciprocal().mean().item<double>();
  const Tensor lower = weights::add_ridge(moment, 0.1 * typical / mean);
  const auto n = static_cast<double>(moment.size(0));
  const Tensor inverse =
      moment.dim() == 1
          ? moment.rsqrt()
          : at::linalg_solve_triangular(lower, torch::eye(moment.size(0), moment.options()),
                                        /*upper=*/false);
  return inverse * (std::sqrt(n) / inverse.norm().item<double>());
}

Whitening::Whitening(const models::Network& network, const Communicator& world,
                     const std::vector<std::string>& names, const ErrorNorm& norm)
    : input_of_weight_(norm.input_moments.of_weight) {
  for (std::size_t w = 0; w < names.size(); ++w) place_[names[w]] = w;
  const auto type = weight_of(network, names.front())->own_rows().scalar_type();
  inputs_ = factors_of(norm.input_moments.moments, world, type);
  outputs_ = factors_of(norm.output_moments, world, type);
}

std::vector<train::Coordinates> Whitening::of(const models::Network& network,
                                              const std::vector<std::string>& names) const {
  std::vector<train::Coordinates> all;
  for (const std::string& name : names) {
    const auto weight = weight_of(network, name);
    const std::size_t w = place_.at(name);
    for (const Parameter& parameter : weight->parameters()) {
      train::Coordinates& coordinates = all.emplace_back();
      if (weight->form() != weights::Form::low_rank) continue;
      const bool is_left = parameter.name == "left";
      const Tensor k = !is_left           ? inputs_[input_of_weight_[w]]
                       : outputs_.empty() ? Tensor()
                                          : outputs_[w];
      if (!k.defined()) continue;
      coordinates = is_left ? of_left(network.team(), parameter, k) : of_right(k);
    }
  }
  return all;
}

}  // namespace rankine::compress
