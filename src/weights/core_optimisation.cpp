#include "weights/core_optimisation.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <span>

#include "weights/matrix_product.hpp"
#include "weights/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

constexpr int most_steps_per_core = 24;
/// A step that lowers the squared error by less than this part of it is the last one.
constexpr double smallest_gain = 1e-4;

double sum_of_products(const Tensor& a, const Tensor& b) { return (a * b).sum().item<double>(); }

/// The least-squares problem of one core with the others fixed.
class CoreProblem {
 public:
  CoreProblem(const parallel::Communicator& team, const RowSplit& split, const Tensor& gram,
              const std::vector<Tensor>& cores, std::size_t site)
      : team_(team), split_(split), gram_(gram), cores_(cores), site_(site) {}

  /// The normal operator: gradient of ||W'(core) S||^2 / 2.
  Tensor normal(const Tensor& core) const {
    return pull_back(core, [](const Tensor& rows) { return rows; });
  }
  /// Minus the gradient of the error at `core`.
  Tensor residual(const Tensor& core, const Tensor& own_rows) const {
    return pull_back(core, [&](const Tensor& rows) { return own_rows - rows; });
  }

 private:
  /// Gradient of <W'(core), f(W') S S^T> with respect to the core, f(W') held fixed.
  template <class RowsFrom>
  Tensor pull_back(const Tensor& core, RowsFrom&& rows_from) const {
    const torch::AutoGradMode gradients(true);
    const Tensor leaf = core.detach().requires_grad_(true);
    std::vector<Tensor> chain = cores_;
    chain[site_] = leaf;
    const Tensor rows =
        contract_rows(chain, split_.first(team_.rank()), split_.count(team_.rank()));
    const Tensor outer = times_transposed(rows_from(rows.detach()), gram_).detach();
    const Tensor gradient = torch::autograd::grad({rows}, {leaf}, {outer})[0].contiguous();
    team_.sum(std::span(gradient.data_ptr<double>(), static_cast<std::size_t>(gradient.numel())));
    return gradient;
  }

  const parallel::Communicator& team_;
  const RowSplit& split_;
  const Tensor& gram_;  ///< S S^T
  const std::vector<Tensor>& cores_;
  std::size_t site_;
};

/// S S^T in the column legs of each site, the others traced out.
std::vector<Tensor> site_grams(const Tensor& gram, const std::vector<Tensor>& cores) {
  std::vector<Tensor> grams;
  std::int64_t before = 1, after = gram.size(0);
  for (const Tensor& core : cores) {
    const std::int64_t leg = core.size(2);
    after /= leg;
    grams.push_back(gram.view({before, leg, after, before, leg, after})
                        .diagonal(0, 0, 3)
                        .diagonal(0, 1, 3)
                        .sum(at::IntArrayRef{2, 3}));
    before *= leg;
  }
  return grams;
}

/// Inverse of a positive semidefinite matrix, weak directions held back.
Tensor damped_inverse(const Tensor& matrix) {
  const double ridge = 1e-6 * matrix.diagonal().mean().item<double>() + 1e-300;
  return at::cholesky_inverse(
      at::linalg_cholesky(matrix + ridge * torch::eye(matrix.size(0), matrix.options())));
}

/// The inverse of the normal operator as it would be if S S^T were a product over the sites: then
/// it is one over the left bond, the column leg and the right bond.
class Preconditioner {
 public:
  Preconditioner(const std::vector<Tensor>& grams, const std::vector<Tensor>& cores,
                 std::size_t site) {
    Tensor left = torch::ones({1, 1}, torch::kFloat64), right = left;
    for (std::size_t k = 0; k < site; ++k)
      left = torch::einsum("aijb,ac,jk,cikd->bd", {cores[k], left, grams[k], cores[k]});
    for (std::size_t k = cores.size() - 1; k > site; --k)
      right = torch::einsum("aijb,bd,jk,cikd->ac", {cores[k], right, grams[k], cores[k]});
    left_ = damped_inverse(left);
    leg_ = damped_inverse(grams[site]);
    right_ = damped_inverse(right);
  }

  Tensor apply(const Tensor& residual) const {
    return torch::einsum("aijb,ac,jk,bd->cikd", {residual, left_, leg_, right_}).contiguous();
  }

 private:
  Tensor left_;
  Tensor leg_;
  Tensor right_;
};

/// Conjugate gradients; every step lowers the squared error, wherever they end.
void improve_core(const CoreProblem& problem, const Preconditioner& preconditioner,
                  const Tensor& own_rows, Tensor& core, double& squared_error) {
  Tensor residual = problem.residual(core, own_rows);
  Tensor gain_direction = preconditioner.apply(residual);
  Tensor direction = gain_direction;
  double product = sum_of_products(residual, gain_direction);
  for (int step = 0; step < most_steps_per_core && product > 0; ++step) {
    const Tensor image = problem.normal(direction);
    const double curvature = sum_of_products(direction, image);
    if (!(curvature > 0)) break;
    const double length = product / curvature;
    core = core + direction * length;
    residual = residual - image * length;
    const double gain = length * product;
    squared_error -= gain;
    if (!(gain > smallest_gain * squared_error)) break;
    gain_direction = preconditioner.apply(residual);
    const double next = sum_of_products(residual, gain_direction);
    direction = gain_direction + direction * (next / product);
    product = next;
  }
}

}  // namespace

std::vector<double> optimise_cores(const parallel::Communicator& team, const RowSplit& split,
                                   const Tensor& own_rows, const Tensor& whitening, int sweeps,
                                   std::vector<Tensor>& cores) {
  const Tensor gram = times_transposed(whitening, whitening);
  const std::vector<Tensor> grams = site_grams(gram, cores);
  const auto squared_error = [&] {
    const Tensor rest =
        own_rows - contract_rows(cores, split.first(team.rank()), split.count(team.rank()));
    return team.sum(times_transposed(rest, whitening.t()).square().sum().item<double>());
  };
  double squared = squared_error();
  std::vector<double> errors{std::sqrt(squared)};
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::size_t site = 0; site < cores.size(); ++site)
      improve_core(CoreProblem(team, split, gram, cores, site), Preconditioner(grams, cores, site),
                   own_rows, cores[site], squared);
    squared = squared_error();
    errors.push_back(std::sqrt(squared));
  }
  return errors;
}

}  // namespace rankine::weights
