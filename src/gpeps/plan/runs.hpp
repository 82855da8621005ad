// The runs of one point: which circuit to evolve, and what to read off after which step.
#pragma once

#include <vector>

#include "gpeps/job/forecast.hpp"
#include "gpeps/plan/measurement_plan.hpp"

namespace rankine::gpeps {

/// One evolution from the product state. `reads[s]` lists what to read after step s (0-based).
struct Run {
  circuit::Circuit circuit;
  std::vector<std::vector<Read>> reads;
  std::vector<int> sites = {};  ///< of a state vector; empty for a tensor network

  bool is_vector() const { return !sites.empty(); }
};

/// The circuit itself for all that is read off directly, and one more run for every value that
/// needs one of its own; state vectors come last. Gates outside the causal cone of what is read are
/// already left out, if the deck wants that. The same runs for every point of a sweep, but for the
/// numbers of their gates.
std::vector<Run> plan_runs(const MeasurementPlan& plan, const SimulateOptions& options,
                           const lattice::Graph& graph, const circuit::Circuit& circuit);

/// Forecast of one run, with what its readings cost.
Forecast forecast_run(const MeasurementPlan& plan, const lattice::Graph& graph, const Run& run,
                      std::int64_t max_bond_dimension);

}  // namespace rankine::gpeps
