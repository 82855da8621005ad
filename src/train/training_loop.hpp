// The one training loop: a step takes the gradient of an objective, and AdamW moves the parameters
// at the rate of a schedule. It can be stopped after any step and goes on as if it had not been.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/progress.hpp"
#include "run/stop_request.hpp"
#include "train/adamw.hpp"
#include "train/objective.hpp"
#include "train/schedule.hpp"
#include "train/state.hpp"

namespace rankine::train {

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

/// What happens after every so many steps; 0 for nothing.
struct Epochs {
  std::int64_t steps = 0;
  /// On all ranks, before a state is kept: may change parameters, and gives a finite number that is
  /// to be known of the network after so many epochs.
  std::function<double(std::int64_t epochs)> finish = {};
  /// Epochs in a row that may pass without a lower score before the training ends; 0 to go on to
  /// the last step. Where it counts, `finish(0)` is the first score, and the parameters in the end
  /// are those of the lowest.
  std::int64_t patience = 0;
};

struct Recipe {
  Schedule schedule;
  AdamWOptions optimiser = {};
  std::vector<Coordinates> coordinates = {};  ///< of each parameter; none for its own numbers
  double largest_gradient = 0;    ///< norm to which larger gradients are scaled; 0 for none
  std::string name = "training";  ///< in messages
  std::string advice = "Lower the learning rate.";  ///< where it diverges
  Epochs epochs = {};
  Output progress = Output::shown;  ///< on the first rank
};

/// The state after schedule.steps, or where patience has ended, with the mean loss of each, those
/// of an earlier run first. Collective over the world of the objective. Throws on all ranks:
/// NumericalError where loss or parameters become infinite; Stopped, after the state is kept, where
/// `stop` says so.
State run(const std::vector<Parameter>& parameters, const Objective& objective,
          const Recipe& recipe, Keeper& keeper, run::StopRequest& stop);

}  // namespace rankine::train
