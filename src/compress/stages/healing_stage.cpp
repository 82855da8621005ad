#include "compress/stages/healing_stage.hpp"

#include <fmt/format.h>
#include <torch/optim/adamw.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "compress/stages/healing_state.hpp"
#include "core/errors.hpp"
#include "models/language/losses.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::compress {

using models::LanguageModel;
using parallel::Communicator;
using torch::Tensor;
using weights::Parameter;

namespace {

/// The trained tensors of this rank; they want gradients while it lives.
class Trained {
 public:
  Trained(const LanguageModel& model, const std::vector<std::string>& names) {
    for (const std::string& name : names)
      for (Parameter& parameter : weight_of(model, name)->parameters()) {
        parameter.name = name + "." + parameter.name;
        parameter.values.requires_grad_(true);
        parameters_.push_back(std::move(parameter));
      }
  }
  Trained(const Trained&) = delete;
  Trained& operator=(const Trained&) = delete;
  ~Trained() {
    for (Parameter& parameter : parameters_) {
      parameter.values.mutable_grad() = Tensor();
      parameter.values.requires_grad_(false);
    }
  }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::vector<Tensor> tensors() const {
    std::vector<Tensor> all;
    for (const Parameter& parameter : parameters_) all.push_back(parameter.values);
    return all;
  }

  /// Whether all numbers of this rank are finite, and their squares too: products of factors are,
  /// then.
  bool are_moderate() const {
    return std::ranges::all_of(tensors(), [](const Tensor& tensor) {
      return tensor.detach().to(torch::kFloat32).square().sum().isfinite().item<bool>();
    });
  }

  /// Means over the teams, the same on all ranks that hold the same rows.
  void average(const Communicator& peers) const {
    for (const Tensor& tensor : tensors()) {
      if (!tensor.grad().defined()) tensor.mutable_grad() = torch::zeros_like(tensor);
      if (peers.size() > 1) {
        weights::sum_in_place(peers, {tensor.grad()});
        tensor.grad().div_(peers.size());
      }
    }
  }

 private:
  std::vector<Parameter> parameters_;
};

/// Steps beyond the largest float, which libtorch refuses, diverge as those of the largest rate do.
void set_learning_rate(torch::optim::AdamW& optimizer, double rate) {
  constexpr double largest = 1e30;
  rate = std::min(rate, largest);
  for (torch::optim::OptimizerParamGroup& group : optimizer.param_groups())
    static_cast<torch::optim::AdamWOptions&>(group.options()).lr(rate);
}

/// On all ranks.
[[noreturn]] void refuse_diverged(const char* what, std::int64_t step, int n_ranks) {
  throw known_to_all(
      n_ranks, NumericalError(fmt::format("the {} of healing step {} is not finite (the training "
                                          "diverged). Lower heal.learning_rate.",
                                          what, step + 1)));
}

void require_teams_of_one_size(const Workbench& bench) {
  const int ranks = bench.world.size(), teams = bench.teams.count();
  if (ranks % teams == 0) return;
  throw known_to_all(ranks,
                     InputError(fmt::format("parallel.teams = {} does not divide {} ranks (healing "
                                            "averages gradients over teams that "
                                            "hold the same rows). Choose a divisor.",
                                            teams, ranks)));
}

/// One rank's part of the training.
class Healing {
 public:
  Healing(Workbench& bench, const std::vector<std::string>& names)
      : bench_(bench),
        options_(bench.options.heal),
        peers_(bench.world.split(bench.teams.team().rank(), bench.world.rank())),
        trained_(bench.model, names),
        optimizer_(
            trained_.tensors(),
            torch::optim::AdamWOptions(options_.learning_rate).betas({0.9, 0.95}).weight_decay(0)) {
    if (options_.loss == HealingLoss::distillation) original_.emplace(bench.read_model());
  }

  std::vector<double> run() {
    HealingKeeper keeper(bench_, trained_.parameters(), optimizer_);
    HealingState state = keeper.restore();
    ProgressLine progress(bench_.progress());
    while (state.steps < options_.steps) {
      state.losses.push_back(take_step(state.steps));
      ++state.steps;
      progress.update(static_cast<double>(state.steps) / static_cast<double>(options_.steps),
                      fmt::format("healing: step {} of {} | loss {:.4f}", state.steps,
                                  options_.steps, state.losses.back()));
      keeper.keep(state);
    }
    return std::move(state.losses);
  }

 private:
  /// The mean loss over all windows of the step.
  double take_step(std::int64_t step) {
    const parallel::Teams& teams = bench_.teams;
    const TokenWindows& windows = bench_.job.healing_windows;
    optimizer_.zero_grad();
    double own_loss = 0;
    for (std::int64_t w = 0; w < options_.windows_per_step; ++w) {
      const auto number = static_cast<std::size_t>(
          (step * options_.windows_per_step + w) * teams.count() + teams.index());
      own_loss += add_gradient(windows[number % windows.size()],
                               1.0 / static_cast<double>(options_.windows_per_step));
    }
    const double loss = bench_.world.sum(teams.leads() ? own_loss : 0.0) / teams.count();
    if (!std::isfinite(loss)) refuse_diverged("loss", step, bench_.world.size());
    trained_.average(peers_);
    set_learning_rate(optimizer_, options_.learning_rate * learning_rate_factor(options_, step));
    optimizer_.step();
    if (bench_.world.max(trained_.are_moderate() ? 0 : 1) > 0)
      refuse_diverged("result", step, bench_.world.size());
    return loss;
  }

  /// Adds the gradient of the mean loss of a window, `weight` times; returns that.
  double add_gradient(const std::vector<std::int64_t>& ids, double weight) {
    const LanguageModel& model = bench_.model;
    const std::int64_t targets = std::ssize(ids) - 1;
    const Tensor sequence = torch::tensor(ids, torch::kInt64);
    const Tensor states = model.run_layers(model.embed(sequence)).narrow(0, 0, targets);
    const Tensor losses = original_
                              ? divergences(sequence, states)
                              : models::token_losses(model, states, sequence.narrow(0, 1, targets));
    const Tensor loss = losses.mean() * weight;
    loss.backward();
    return loss.item<double>();
  }

  Tensor divergences(const Tensor& sequence, const Tensor& states) const {
    const Tensor expected = [&] {
      const torch::NoGradGuard no_gradients;
      return original_->hidden_states(sequence).narrow(0, 0, states.size(0));
    }();
    return models::token_divergences(bench_.model, states, *original_, expected);
  }

  Workbench& bench_;
  const HealOptions& options_;
  Communicator peers_;  ///< ranks of other teams that hold the same rows
  Trained trained_;
  torch::optim::AdamW optimizer_;
  std::optional<LanguageModel> original_;  ///< to distil from
};

}  // namespace

double learning_rate_factor(const HealOptions& options, std::int64_t step) {
  const auto warm_up = std::max(1.0, options.warm_up * static_cast<double>(options.steps));
  const auto done = static_cast<double>(step);
  if (done + 1 < warm_up) return (done + 1) / warm_up;
  const double fraction =
      (done + 1 - warm_up) / std::max(1.0, static_cast<double>(options.steps) - warm_up);
  return 0.1 + 0.9 * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, fraction)));
}

std::vector<double> heal(Workbench& bench, const std::vector<std::string>& names) {
  require_teams_of_one_size(bench);
  return Healing(bench, names).run();
}

}  // namespace rankine::compress
