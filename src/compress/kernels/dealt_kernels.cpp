#include "compress/kernels/dealt_kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <functional>
#include <numeric>
#include <span>

#include "core/errors.hpp"
#include "core/progress.hpp"
#include "parallel/agreement.hpp"
#include "weights/making/ridge.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::compress {

using parallel::Communicator;
using torch::Tensor;

namespace {

/// The most expensive first, each to the rank that has least to do.
std::vector<int> deal(const std::vector<Kernel>& kernels, int ranks) {
  const auto cost = [&](std::size_t k) {
    const auto columns = static_cast<double>(kernels[k].shape.columns());
    return columns * columns * (columns + static_cast<double>(kernels[k].shape.outputs));
  };
  std::vector<std::size_t> order(kernels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), cost);
  std::vector<double> loads(static_cast<std::size_t>(ranks), 0.0);
  std::vector<int> owners(kernels.size());
  for (const std::size_t k : order) {
    const auto least = std::ranges::min_element(loads);
    owners[k] = static_cast<int>(least - loads.begin());
    *least += cost(k);
  }
  return owners;
}

/// The moment, which is given up, with its ridge on its owner, against the rounding of the products
/// it is a sum of; undefined elsewhere, and where it says nothing.
Tensor assemble(SecondMoment& moment, const Communicator& world, int owner, double ridge,
                torch::ScalarType products) {
  const Tensor whole = moment.assemble_on(world, owner);
  moment.release();
  return world.rank() == owner ? weights::made_positive(whole, ridge, products) : Tensor();
}

/// In parts of the mean diagonal of a moment. Kernels before this one change with it: what it gains
/// from patches must not hang on directions that they hardly have.
constexpr double gain_ridge = 1e-2;

/// On its owner what a kernel has to gain to make the same of changed patches, whose moment is
/// `inputs`. Undefined elsewhere.
Tensor gain(const Tensor& change, const Tensor& inputs, const Communicator& world, int owner) {
  const bool is_owner = world.rank() == owner;
  const Tensor whole = weights::exchange_rows(world, change, {0, change.size(0)},
                                              {0, is_owner ? change.size(0) : 0});
  if (!is_owner) return {};
  if (!inputs.defined()) return torch::zeros_like(whole);
  Tensor held = inputs.clone();
  return at::cholesky_solve(whole.t(), weights::add_ridge(held, gain_ridge)).t();
}

/// The tensors of rank `root`, float64, on every rank.
std::vector<Tensor> share(const Communicator& world, std::vector<Tensor> tensors, int root) {
  std::vector<std::int64_t> shapes;  // number of tensors, then axes and lengths of each
  if (world.rank() == root) {
    shapes.push_back(std::ssize(tensors));
    for (const Tensor& tensor : tensors) {
      shapes.push_back(tensor.dim());
      shapes.insert(shapes.end(), tensor.sizes().begin(), tensor.sizes().end());
    }
  }
  std::int64_t length = std::ssize(shapes);
  world.broadcast(std::span(&length, 1), root);
  shapes.resize(static_cast<std::size_t>(length));
  world.broadcast(std::span(shapes), root);
  auto next = shapes.begin() + 1;
  tensors.resize(static_cast<std::size_t>(shapes.front()));
  for (Tensor& tensor : tensors) {
    const std::int64_t axes = *next++;
    const std::vector<std::int64_t> shape(next, next + axes);
    next += axes;
    tensor = world.rank() == root ? tensor.contiguous() : torch::empty(shape, torch::kFloat64);
    world.broadcast(std::span(tensor.data_ptr<double>(), static_cast<std::size_t>(tensor.numel())),
                    root);
  }
  return tensors;
}

/// Lines of a table of points, which all ranks get from `root`.
std::vector<KernelPoint> share(const Communicator& world, std::vector<KernelPoint> points,
                               int root) {
  std::vector<std::int64_t> integers;
  std::vector<double> errors;
  for (const KernelPoint& point : points) {
    integers.push_back(point.numbers);
    integers.insert(integers.end(), point.ranks.begin(), point.ranks.end());
    errors.push_back(point.squared_error);
  }
  std::array<std::int64_t, 2> sizes{std::ssize(integers), std::ssize(errors)};
  world.broadcast(std::span<std::int64_t>(sizes), root);
  integers.resize(static_cast<std::size_t>(sizes[0]));
  errors.resize(static_cast<std::size_t>(sizes[1]));
  world.broadcast(std::span(integers), root);
  world.broadcast(std::span(errors), root);
  points.clear();
  const std::int64_t line = errors.empty() ? 0 : sizes[0] / sizes[1];
  for (std::size_t p = 0; p < errors.size(); ++p) {
    const auto first = integers.begin() + static_cast<std::int64_t>(p) * line;
    points.push_back({KernelRanks(first + 1, first + line), *first, errors[p]});
  }
  return points;
}

}  // namespace

DealtKernels::DealtKernels(const models::Network& network, const Communicator& world,
                           const std::vector<Kernel>& kernels,
                           const std::vector<std::unique_ptr<KernelForm>>& forms,
                           KernelMoments moments)
    : network_(network),
      world_(world),
      kernels_(kernels),
      forms_(forms),
      owners_(deal(kernels, world.size())),
      problems_(kernels.size()) {
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    KernelProblem& problem = problems_[k];
    const Tensor rows = weight_of(network, kernels[k].name)->own_rows().detach();
    problem.products = rows.scalar_type();
    if (!moments.inputs.empty())
      problem.norm.inputs =
          assemble(moments.inputs[k], world, owners_[k], weights::input_ridge, problem.products);
    if (!moments.outputs.empty())
      problem.norm.outputs =
          assemble(moments.outputs[k], world, owners_[k], moments.output_ridge, problem.products);
    Tensor more;
    if (!moments.changes.empty())
      more = gain(moments.changes[k], problem.norm.inputs, world, owners_[k]);
    if (world.rank() != owners_[k]) continue;
    problem.matrix = rows.to(torch::kFloat64);
    if (more.defined()) problem.matrix = problem.matrix + more;
    problem.squared_norm = problem.norm.squared(problem.matrix);
  }
}

void DealtKernels::for_own(const char* what, const Work& work) const {
  const torch::NoGradGuard no_gradients;
  const auto own = std::ranges::count(owners_, world_.rank());
  ProgressLine progress(world_.rank() == 0 ? Output::shown : Output::silent);
  parallel::agree_on_failure(world_, [&] {
    std::int64_t done = 0;
    for (std::size_t k = 0; k < kernels_.size(); ++k) {
      if (owners_[k] != world_.rank()) continue;
      try {
        work(k);
      } catch (...) {  // errors of libtorch too
        const auto failure = parallel::describe_failure(std::current_exception());
        if (failure.code != ExitCode::numerical) throw;
        throw NumericalError(fmt::format("{}: {}", kernels_[k].name, failure.message));
      }
      progress.update(static_cast<double>(++done) / static_cast<double>(own),
                      fmt::format("{}: {}", what, kernels_[k].name));
    }
  });
}

std::vector<KernelCurve> DealtKernels::curves() const {
  std::vector<KernelCurve> curves(kernels_.size());
  for_own("errors of ranks", [&](std::size_t k) {
    curves[k] = {problems_[k].squared_norm, forms_[k]->points(problems_[k])};
  });
  for (std::size_t k = 0; k < kernels_.size(); ++k) {
    world_.broadcast(std::span(&curves[k].squared_norm, 1), owners_[k]);
    curves[k].points = share(world_, std::move(curves[k].points), owners_[k]);
  }
  return curves;
}

std::vector<DealtKernels::Made> DealtKernels::make(const std::vector<KernelRanks>& ranks) const {
  std::vector<Made> made(kernels_.size());
  for_own("kernels", [&](std::size_t k) {
    if (ranks[k].empty()) return;
    made[k].tensors = forms_[k]->make(problems_[k], ranks[k]);
    const auto weight = forms_[k]->weight(network_.team(), made[k].tensors, torch::kFloat64);
    made[k].squared_error = problems_[k].norm.squared(weight->own_rows() - problems_[k].matrix);
    made[k].squared_norm = problems_[k].squared_norm;
  });
  for (std::size_t k = 0; k < kernels_.size(); ++k) {
    made[k].tensors = share(world_, std::move(made[k].tensors), owners_[k]);
    std::array<double, 2> squares{made[k].squared_error, made[k].squared_norm};
    world_.broadcast(std::span<double>(squares), owners_[k]);
    made[k].squared_error = squares[0];
    made[k].squared_norm = squares[1];
  }
  return made;
}

}  // namespace rankine::compress
