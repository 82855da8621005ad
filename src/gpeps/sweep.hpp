// All points of a deck: checked against memory, spread over teams of ranks, saved as they come.
#pragma once

#include <string>
#include <vector>

#include "files/hdf5/result_file.hpp"
#include "gpeps/results.hpp"
#include "gpeps/simulation.hpp"
#include "parallel/communicator.hpp"

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

/// `node_bytes`: memory of a node that its `ranks_per_node` ranks share, used when the deck sets no
/// limit (0: unknown). InputError: more teams than ranks.
ResourcePlan plan_resources(const Job& job, int n_ranks, int ranks_per_node, double node_bytes);

/// ResourceError when the forecast exceeds what a rank may use; says how many ranks or which bond
/// dimension would do.
void require_memory(const ResourcePlan& plan);

/// Collective over `world`. Computes all points of the deck and puts them into `file` (null on all
/// ranks but 0) after every round of the teams. Returns the results on rank 0. Errors of
/// simulate_point and of ResultFile::save, on all ranks.
std::vector<PointResult> run_sweep(const Job& job, const parallel::Communicator& world,
                                   files::ResultFile* file);

}  // namespace rankine::gpeps
