// The one training loop: a step takes the gradient of an objective, and AdamW moves the parameters
// at the rate of a schedule. It can be stopped after any step and goes on as if it had not been.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/stop_request.hpp"
#include "train/adamw.hpp"
#include "train/objective.hpp"
#include "train/schedule.hpp"

namespace rankine::train {

/// What is known after some steps, beside the arrays of the optimiser.
struct State {
  std::int64_t steps = 0;
  std::vector<double> losses = {};  ///< of each of them
};

/// Keeps states for a later run. All methods are collective.
class Keeper {
 public:
  enum class When {
    due,  ///< if enough time has passed since the last
    now,
  };

  virtual ~Keeper() = default;
  /// Puts the newest state with at most so many steps into the arrays; nothing, with no array
  /// changed, if there is none.
  virtual std::optional<State> restore(std::int64_t steps,
                                       const std::vector<Parameter>& arrays) = 0;
  virtual void keep(const State& state, const std::vector<Parameter>& arrays, When when) = 0;
};

struct Recipe {
  Schedule schedule;
  AdamWOptions optimiser = {};
  double largest_gradient = 0;    ///< norm to which larger gradients are scaled; 0 for none
  std::string name = "training";  ///< in messages
  std::string advice = "Lower the learning rate.";  ///< where it diverges
};

/// The mean loss of each step of schedule.steps, those of an earlier run first. Collective over the
/// world of the objective. Throws on all ranks: NumericalError where loss or parameters become
/// infinite; Stopped, after the state is kept, where `stop` says so.
std::vector<double> run(const std::vector<Parameter>& parameters, const Objective& objective,
                        const Recipe& recipe, Keeper& keeper, run::StopRequest& stop);

}  // namespace rankine::train
