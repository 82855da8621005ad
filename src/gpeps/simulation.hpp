// Simulates one point of a sweep on one team of ranks: the main loop of rankine-simulate.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gpeps/job/forecast.hpp"
#include "gpeps/job/options.hpp"
#include "gpeps/measurement/measurement_plan.hpp"
#include "parallel/communicator.hpp"

namespace rankine::gpeps {

/// What one point gives; every vector has one entry per measured step.
struct PointResult {
  std::vector<std::vector<double>> observables;  ///< [observable][measured step]
  std::vector<std::vector<double>>
      uncertainty;  ///< [observable][measured step], of the loop error: 0 where no loop is left
                    ///< out, NaN where no estimate was affordable
  std::vector<std::vector<double>>
      site_z;  ///< [measured step][site], when the magnetization is measured
  std::vector<double> discarded_weight;  ///< sum over bond updates; the largest of the runs the
                                         ///< step was read from (state vectors discard nothing)
  std::vector<double> fidelity;  ///< product of (1 - discarded weight); the smallest of those runs
  std::vector<double>
      bond_dimension;  ///< the largest reached in those runs; 1 when all are state vectors
  double seconds = 0;
};

/// All a team needs to simulate a point; the same for all points of one bond dimension but for the
/// angle.
struct Job {
  const SimulateOptions& options;
  const lattice::Graph& graph;
  const circuit::ParametricCircuit& circuit;
  const MeasurementPlan& plan;
};

/// What the simulation tells while it runs. `fraction_done` counts the forecast work of the point.
using Report = std::function<void(double fraction_done, const std::string& text)>;

/// Collective over `team`. Errors of Evolution and of the observables, on all ranks of the team.
PointResult simulate_point(const Job& job, const Point& point, const parallel::Communicator& team,
                           const Report& report);

/// Forecast of a point, over all of its runs.
Forecast forecast_point(const Job& job, const Point& point);

}  // namespace rankine::gpeps
