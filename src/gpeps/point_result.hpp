// What one point of a sweep gives, complete or in progress.
#pragma once

#include <span>
#include <vector>

#include "gpeps/plan/measurement_plan.hpp"

namespace rankine::gpeps {

/// Vectors over measured steps have one entry for each of them.
struct PointResult {
  std::vector<std::vector<std::vector<Value>>> parts;  ///< [observable][measured step][part]
  std::vector<std::vector<double>> observables;        ///< [observable][measured step]
  std::vector<std::vector<double>>
      uncertainty;  ///< [observable][measured step], of the loop error: 0 where no loop is left
                    ///< out, NaN where no estimate was affordable
  std::vector<double> discarded_weight;  ///< sum over bond updates; the largest of the runs the
                                         ///< step was read from (state vectors discard nothing)
  std::vector<double> fidelity;  ///< product of (1 - discarded weight); the smallest of those runs
  std::vector<double>
      bond_dimension;  ///< the largest reached in those runs; 1 when all are state vectors
  double seconds = 0;
};

/// Whether the point has been computed; a default result has not.
inline bool is_done(const PointResult& result) { return !result.fidelity.empty(); }

/// Nothing of it has been read.
PointResult empty_result(const MeasurementPlan& plan);

/// The values of a reading become parts of observables.
void enter(const MeasurementPlan& plan, const Read& read, const std::vector<Value>& values,
           PointResult& result);
bool is_entered(const MeasurementPlan& plan, const Read& read, const PointResult& result);

/// The values of the observables, from their parts.
void combine_parts(const MeasurementPlan& plan, PointResult& result);

/// A point between two steps: with the state of the run that is under way, all that it takes to go
/// on from there. The same on all ranks of a team.
struct PointProgress {
  int run = 0;   ///< the first run that is not finished; state vectors may be, in any order
  int step = 0;  ///< how many of its steps are done; without any there is no state to keep
  PointResult result;
};

/// A result as plain numbers, to travel between ranks or be stored, and back. InputError: numbers
/// that are no result of this plan.
std::vector<double> packed(const PointResult& result);
PointResult unpacked(std::span<const double> numbers, const MeasurementPlan& plan);
std::vector<double> packed(const PointProgress& progress);
PointProgress unpacked_progress(std::span<const double> numbers, const MeasurementPlan& plan);

}  // namespace rankine::gpeps
