// States of a point in run.directory: a point that was stopped goes on where it was, on any number
// of ranks.
#pragma once

#include <memory>
#include <optional>

#include "files/safetensors/safetensors.hpp"
#include "gpeps/simulation.hpp"
#include "run/cadence.hpp"
#include "run/run_control.hpp"
#include "run/state_series.hpp"

namespace rankine::gpeps {

class PointStates {
 public:
  /// Of one point of the job on one team. Collective over `team`, as all methods are; what is given
  /// outlives the object.
  PointStates(const Job& job, const Point& point, const parallel::Communicator& team,
              const run::RunControl& control);

  /// Simulates the point, from its newest whole state on if there is one. Between steps states are
  /// kept when they are due, and the run stops when it is asked to, with a state. Errors of
  /// simulate_point and of the disk, and Stopped, on all ranks of the team.
  PointResult simulate(const Report& report);

  /// The results are safe.
  void clear() { series_.clear(); }

 private:
  std::optional<PointProgress> restore();
  void between_steps(const Pause& pause);
  void write(const Pause& pause, const std::filesystem::path& folder) const;

  const Job& job_;
  const Point& point_;
  const parallel::Communicator& team_;
  const run::RunControl& control_;
  run::StageStore store_;
  run::StateSeries series_;
  run::Cadence cadence_;
  std::unique_ptr<files::SafetensorsReader> stored_;  ///< of the state that is gone on from
};

}  // namespace rankine::gpeps
