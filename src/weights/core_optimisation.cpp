#include "weights/core_optimisation.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <span>

#include "weights/matrix_product.hpp"
#include "weights/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

constexpr int steps_per_core = 24;

/// The least-squares problem of one core with the others fixed. Its normal operator maps a core P
/// to the gradient of <W'(P) S, W'(P) S> / 2.
class CoreProblem {
 public:
  CoreProblem(const parallel::Communicator& team, const RowSplit& split, const Tensor& gram,
              std::vector<Tensor>& cores, std::size_t site)
      : team_(team), split_(split), gram_(gram), cores_(cores), site_(site) {}

  /// Own rows of W' with `core` at the site.
  Tensor rows_with(const Tensor& core) const {
    std::vector<Tensor> chain = cores_;
    chain[site_] = core;
    return contract_rows(chain, split_.first(team_.rank()), split_.count(team_.rank()));
  }

  /// Gradient of <W'(core), rows S S^T> with respect to the core, where `rows` may depend on W'.
  template <class Rows>
  Tensor pull_back(const Tensor& core, Rows&& rows_from) const {
    const Tensor leaf = core.detach().requires_grad_(true);
    Tensor gradient;
    {
      const torch::AutoGradMode gradients(true);
      const Tensor rows = rows_with(leaf);
      const Tensor outer = times_transposed(rows_from(rows.detach()), gram_).detach();
      gradient = torch::autograd::grad({rows}, {leaf}, {outer})[0].contiguous();
    }
    team_.sum(std::span(gradient.data_ptr<double>(), static_cast<std::size_t>(gradient.numel())));
    return gradient;
  }

  Tensor normal(const Tensor& core) const {
    return pull_back(core, [](const Tensor& rows) { return rows; });
  }
  /// Minus the gradient at `core`.
  Tensor residual(const Tensor& core, const Tensor& own_rows) const {
    return pull_back(core, [&](const Tensor& rows) { return own_rows - rows; });
  }

 private:
  const parallel::Communicator& team_;
  const RowSplit& split_;
  const Tensor& gram_;  ///< S S^T
  std::vector<Tensor>& cores_;
  std::size_t site_;
};

double sum_of_products(const Tensor& a, const Tensor& b) { return (a * b).sum().item<double>(); }

/// Conjugate gradients; every step lowers the error, wherever they end.
void improve_core(const CoreProblem& problem, const Tensor& own_rows, Tensor& core) {
  Tensor residual = problem.residual(core, own_rows);
  Tensor direction = residual;
  double squared = sum_of_products(residual, residual);
  const double enough = squared * 1e-24;
  for (int step = 0; step < steps_per_core && squared > enough; ++step) {
    const Tensor image = problem.normal(direction);
    const double curvature = sum_of_products(direction, image);
    if (!(curvature > 0)) break;
    core = core + direction * (squared / curvature);
    residual = residual - image * (squared / curvature);
    const double next = sum_of_products(residual, residual);
    direction = residual + direction * (next / squared);
    squared = next;
  }
}

}  // namespace

std::vector<double> optimise_cores(const parallel::Communicator& team, const RowSplit& split,
                                   const Tensor& own_rows, const Tensor& whitening, int sweeps,
                                   std::vector<Tensor>& cores) {
  const Tensor gram = times_transposed(whitening, whitening);
  const auto error = [&] {
    const Tensor rest =
        own_rows - contract_rows(cores, split.first(team.rank()), split.count(team.rank()));
    return std::sqrt(team.sum(times_transposed(rest, whitening.t()).square().sum().item<double>()));
  };
  std::vector<double> errors{error()};
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::size_t site = 0; site < cores.size(); ++site)
      improve_core(CoreProblem(team, split, gram, cores, site), own_rows, cores[site]);
    errors.push_back(error());
  }
  return errors;
}

}  // namespace rankine::weights
