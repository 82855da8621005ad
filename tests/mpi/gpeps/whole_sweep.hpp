// All points of a job, without anything that stops or saves them.
#pragma once

#include <vector>

#include "../../mpi_world.hpp"
#include "gpeps/sweep.hpp"

namespace rankine::gpeps {

/// The results on rank 0. Collective.
inline std::vector<PointResult> whole_sweep(const Job& job) {
  const run::RunOptions options;
  run::StopRequest stop(world(), {});
  const run::RunControl control{.options = options, .stop = stop, .values = {}, .save = [] {}};
  std::vector<PointResult> results(sweep_points(job.options).size());
  run_sweep(job, world(), control, results);
  return results;
}

}  // namespace rankine::gpeps
