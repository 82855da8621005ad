// Simulates one point of a sweep on one team of ranks: the main loop of rankine-simulate.
#pragma once

#include <functional>
#include <string>

#include "gpeps/plan/runs.hpp"
#include "gpeps/point_result.hpp"
#include "gpeps/state/state_arrays.hpp"
#include "parallel/communicator.hpp"

namespace rankine::gpeps {

/// All a team needs to simulate a point; the same for all points of one bond dimension but for the
/// parameters of the circuit.
struct Job {
  const SimulateOptions& options;
  const lattice::Graph& graph;
  const circuit::ParametricCircuit& circuit;
  const MeasurementPlan& plan;
};

/// What the simulation tells while it runs. `fraction_done` counts the forecast work of the point.
using Report = std::function<void(double fraction_done, const std::string& text)>;

/// A moment between two steps, at which a point may be stored or stopped.
struct Pause {
  const PointProgress& progress;
  /// Collective over the team: the arrays of the state after `progress.step` steps of its run; none
  /// when there is no state to keep. They go with the pause.
  std::function<StateArrays()> state_arrays;
};

/// How a point is gone on with, and what happens between its steps.
struct Continuation {
  /// Called by all ranks of the team after each step but the last one of the point. What it throws
  /// (rankine::Stopped) it throws on all of them.
  std::function<void(const Pause&)> between_steps = {};
  const PointProgress* from = nullptr;  ///< null to begin anew
  const ArraySource* state = nullptr;   ///< of `from`, when it has one; stored on any ranks
};

/// Collective over `team`. Errors of Evolution and of the observables, on all ranks of the team;
/// InputError when a continuation does not fit the point.
PointResult simulate_point(const Job& job, const Point& point, const parallel::Communicator& team,
                           const Report& report, const Continuation& continuation = {});

/// Forecast of a point, over all of its runs.
Forecast forecast_point(const Job& job, const Point& point);

}  // namespace rankine::gpeps
