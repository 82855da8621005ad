// All points of a deck: checked against memory, spread over teams of ranks, saved as they come.
#pragma once

#include <string>
#include <vector>

#include "gpeps/results.hpp"
#include "gpeps/simulation.hpp"
#include "parallel/communicator.hpp"
#include "run/machine.hpp"
#include "run/run_control.hpp"

namespace rankine::gpeps {

/// What a deck needs on a number of ranks, found without computing anything.
struct ResourcePlan {
  int ranks_per_team = 1;
  std::vector<int> idle_ranks;  ///< of a team: ranks that own no site
  double bytes_largest_rank =
      0;  ///< forecast (an upper bound) for the rank that needs most, program included
  double vector_bytes = 0;          ///< of the largest state vector, on any rank
  double bytes_allowed = 0;         ///< per rank; 0 when unknown
  double flops = 0;                 ///< of all points
  std::int64_t bond_dimension = 1;  ///< the largest the gates can reach
  bool is_single_precision = false;
  int ranks_advised = 0;  ///< a team with enough memory; 0 when there is none, or no need

  bool vector_is_too_large() const;
  std::vector<std::string> lines() const;  ///< for people
};

/// A rank may use its share of the machine's node, unless the deck sets a limit. InputError: more
/// teams than ranks.
ResourcePlan plan_resources(const Job& job, const run::Machine& machine);

/// ResourceError when the forecast exceeds what a rank may use; says how many ranks or which bond
/// dimension would do.
void require_memory(const ResourcePlan& plan);

/// Collective over `world`. Computes all points of the deck that rank 0 has no results of, and puts
/// theirs into `results` there, which are saved after every round of the teams. Errors of
/// PointStates::simulate and of `control.save`, on all ranks.
void run_sweep(const Job& job, const parallel::Communicator& world, const run::RunControl& control,
               std::vector<PointResult>& results);

/// "3 of 8 points"; empty when none is done.
std::string finished_points(const std::vector<PointResult>& results);

}  // namespace rankine::gpeps
