#include "train/training_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "train/best_parameters.hpp"
#include "train/clipping.hpp"

namespace rankine::train {

using torch::Tensor;

namespace {

/// The parameters want gradients while it lives.
class WantedGradients {
 public:
  explicit WantedGradients(const std::vector<Parameter>& parameters) : parameters_(parameters) {
    for (const Parameter& parameter : parameters_) parameter.values.set_requires_grad(true);
  }
  WantedGradients(const WantedGradients&) = delete;
  WantedGradients& operator=(const WantedGradients&) = delete;
  ~WantedGradients() {
    for (const Parameter& parameter : parameters_) {
      parameter.values.mutable_grad() = Tensor();
      parameter.values.set_requires_grad(false);
    }
  }

 private:
  const std::vector<Parameter>& parameters_;
};

/// Whether all numbers of this rank are finite, and their squares too: products of factors are,
/// then.
bool are_moderate(const std::vector<Parameter>& parameters) {
  return std::ranges::all_of(parameters, [](const Parameter& parameter) {
    const Tensor values = parameter.values.detach().to(torch::kFloat32);
    return values.square().sum().isfinite().item<bool>();
  });
}

void require_finite(bool is_finite, const char* what, std::int64_t step, const Recipe& recipe,
                    const parallel::Communicator& world) {
  if (world.max(is_finite ? 0 : 1) == 0) return;
  throw known_to_all(
      world.size(),
      NumericalError(fmt::format("the {} of {} step {} is not finite (the training diverged). {}",
                                 what, recipe.name, step + 1, recipe.advice)));
}

/// Normalised activations keep parameters finite that have lost all sense. The loss is the same on
/// all ranks.
void require_sense(double loss, const State& state, const Recipe& recipe,
                   const parallel::Communicator& world) {
  constexpr double senseless = 1e6;
  if (state.losses.empty() || loss <= senseless * std::max(1.0, state.losses.front())) return;
  throw known_to_all(
      world.size(),
      NumericalError(fmt::format(
          "the loss of {} step {} is {:.3g}, after {:.3g} in the first (the training diverged). {}",
          recipe.name, state.steps + 1, loss, state.losses.front(), recipe.advice)));
}

/// Whether as many scores as there is patience for have passed since the lowest.
bool is_out_of_patience(const Epochs& epochs, const State& state) {
  if (epochs.patience == 0 || state.scores.empty()) return false;
  return state.scores.end() - std::ranges::min_element(state.scores) > epochs.patience;
}

bool is_over(const Recipe& recipe, const State& state) {
  return state.steps >= recipe.schedule.steps || is_out_of_patience(recipe.epochs, state);
}

/// The score is the same on all ranks.
void take_score(const Recipe& recipe, State& state, const std::optional<BestParameters>& best,
                const parallel::Communicator& world) {
  const double lowest = state.scores.empty() ? INFINITY : std::ranges::min(state.scores);
  state.scores.push_back(recipe.epochs.finish(state.steps / recipe.epochs.steps));
  require_finite(std::isfinite(state.scores.back()), "score", state.steps, recipe, world);
  if (best && state.scores.back() < lowest) best->take();
}

}  // namespace

State run(const std::vector<Parameter>& parameters, const Objective& objective,
          const Recipe& recipe, Keeper& keeper, run::StopRequest& stop) {
  const parallel::Communicator& world = objective.world();
  const Schedule& schedule = recipe.schedule;
  const WantedGradients wanted(parameters);
  AdamW optimiser(parameters, recipe.optimiser, recipe.coordinates);
  std::vector<Parameter> arrays = optimiser.arrays();
  std::optional<BestParameters> best;
  if (recipe.epochs.patience > 0) {
    best.emplace(parameters);
    std::ranges::copy(best->arrays(), std::back_inserter(arrays));
  }
  State state = keeper.restore(schedule.steps, arrays).value_or(State{});
  optimiser.set_steps(state.steps);
  if (state.steps > 0) log().info("{} goes on after step {}", recipe.name, state.steps);

  ProgressLine progress(world.rank() == 0 ? recipe.progress : Output::silent);
  if (best && state.scores.empty()) take_score(recipe, state, best, world);
  while (!is_over(recipe, state)) {
    const double loss = objective.gradient(state.steps, parameters);
    require_finite(std::isfinite(loss), "loss", state.steps, recipe, world);
    require_sense(loss, state, recipe, world);
    if (recipe.largest_gradient > 0) clip_gradients(objective, parameters, recipe.largest_gradient);
    optimiser.step(schedule.rate(state.steps));
    require_finite(are_moderate(parameters), "result", state.steps, recipe, world);
    state.losses.push_back(loss);
    ++state.steps;
    if (recipe.epochs.steps > 0 && state.steps % recipe.epochs.steps == 0)
      take_score(recipe, state, best, world);
    progress.update(static_cast<double>(state.steps) / static_cast<double>(schedule.steps),
                    fmt::format("{}: step {} of {} | loss {:.4f}", recipe.name, state.steps,
                                schedule.steps, loss));
    const std::string reason = stop.reason(world);
    const bool is_last = is_over(recipe, state) || !reason.empty();
    keeper.keep(state, arrays, is_last ? Keeper::When::now : Keeper::When::due);
    if (!reason.empty()) throw known_to_all(world.size(), Stopped(reason));
  }
  if (best) best->put_back();
  return state;
}

}  // namespace rankine::train
