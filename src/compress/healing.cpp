#include "compress/healing.hpp"

#include <fmt/format.h>
#include <torch/optim/adamw.h>

#include <cmath>
#include <numbers>

#include "compress/watched_weight.hpp"
#include "core/errors.hpp"
#include "core/progress.hpp"
#include "models/losses.hpp"
#include "weights/exchange.hpp"

namespace rankine::compress {

using models::LanguageModel;
using parallel::Communicator;
using parallel::Teams;
using torch::Tensor;

namespace {

/// The trained tensors of this rank; they want gradients while it lives.
class Trained {
 public:
  Trained(const LanguageModel& model, const std::vector<std::string>& names) {
    for (const std::string& name : names)
      for (const weights::Parameter& parameter : weight_of(model, name)->parameters())
        tensors_.push_back(parameter.values.requires_grad_(true));
  }
  Trained(const Trained&) = delete;
  Trained& operator=(const Trained&) = delete;
  ~Trained() {
    for (Tensor& tensor : tensors_) {
      tensor.mutable_grad() = Tensor();
      tensor.requires_grad_(false);
    }
  }
  const std::vector<Tensor>& tensors() const { return tensors_; }

  /// Means over the teams, the same on all ranks that hold the same rows.
  void average(const Communicator& peers) const {
    for (const Tensor& tensor : tensors_) {
      if (!tensor.grad().defined()) tensor.mutable_grad() = torch::zeros_like(tensor);
      if (peers.size() > 1) {
        weights::sum_in_place(peers, {tensor.grad()});
        tensor.grad().div_(peers.size());
      }
    }
  }

 private:
  std::vector<Tensor> tensors_;
};

/// Adds the gradient of the mean loss of a window, `weight` times; returns the loss.
double add_gradient(const LanguageModel& model, const std::vector<std::int64_t>& ids,
                    double weight) {
  const auto tokens = static_cast<std::int64_t>(ids.size());
  const Tensor sequence = torch::tensor(ids, torch::kInt64);
  const Tensor states = model.run_layers(model.embed(sequence));
  const Tensor loss = models::token_losses(model, states.narrow(0, 0, tokens - 1),
                                           sequence.narrow(0, 1, tokens - 1))
                          .mean();
  (loss * weight).backward();
  return loss.item<double>();
}

void set_learning_rate(torch::optim::AdamW& optimizer, double rate) {
  for (torch::optim::OptimizerParamGroup& group : optimizer.param_groups())
    static_cast<torch::optim::AdamWOptions&>(group.options()).lr(rate);
}

void require_finite(double loss, std::int64_t step, int n_ranks) {
  if (std::isfinite(loss)) return;
  throw known_to_all(n_ranks,
                     NumericalError(fmt::format(
                         "the loss of healing step {} is not finite (the training diverged). Lower "
                         "heal.learning_rate.",
                         step + 1)));
}

}  // namespace

double learning_rate_factor(const HealOptions& options, std::int64_t step) {
  const auto warm_up = std::max(1.0, options.warm_up * static_cast<double>(options.steps));
  const auto done = static_cast<double>(step);
  if (done + 1 < warm_up) return (done + 1) / warm_up;
  const double fraction =
      (done + 1 - warm_up) / std::max(1.0, static_cast<double>(options.steps) - warm_up);
  return 0.1 + 0.9 * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, fraction)));
}

std::vector<double> heal(LanguageModel& model, const Communicator& world, const Teams& teams,
                         const std::vector<std::string>& names, const TokenWindows& windows,
                         const HealOptions& options) {
  if (world.size() % teams.count() != 0)
    throw known_to_all(world.size(),
                       InputError(fmt::format("parallel.teams = {} does not divide {} ranks "
                                              "(healing averages gradients over teams that "
                                              "hold the same rows). Choose a divisor.",
                                              teams.count(), world.size())));
  const Communicator peers = world.split(teams.team().rank(), world.rank());
  const Trained trained(model, names);
  torch::optim::AdamW optimizer(
      trained.tensors(),
      torch::optim::AdamWOptions(options.learning_rate).betas({0.9, 0.95}).weight_decay(0));
  ProgressLine progress(world.rank() == 0 ? Output::shown : Output::silent);
  std::vector<double> losses;
  std::size_t next = static_cast<std::size_t>(teams.index());
  for (std::int64_t step = 0; step < options.steps; ++step) {
    optimizer.zero_grad();
    double own_loss = 0;
    for (std::int64_t w = 0; w < options.windows_per_step; ++w) {
      const double weight = 1.0 / static_cast<double>(options.windows_per_step);
      own_loss += weight * add_gradient(model, windows[next % windows.size()], weight);
      next += static_cast<std::size_t>(teams.count());
    }
    losses.push_back(world.sum(teams.leads() ? own_loss : 0.0) / teams.count());
    require_finite(losses.back(), step, world.size());
    trained.average(peers);
    set_learning_rate(optimizer, options.learning_rate * learning_rate_factor(options, step));
    optimizer.step();
    progress.update(static_cast<double>(step + 1) / static_cast<double>(options.steps),
                    fmt::format("healing: step {} of {} | loss {:.4f}", step + 1, options.steps,
                                losses.back()));
  }
  return losses;
}

}  // namespace rankine::compress
