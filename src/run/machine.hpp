// Where a job runs.
#pragma once

#include <cstdint>

namespace rankine::run {

struct Machine {
  int ranks = 1;
  int ranks_per_node = 1;
  int threads = 1;                 ///< of each rank
  bool are_threads_asked = false;  ///< for by the user, and not a share of the node's cores
  std::uint64_t node_bytes = 0;    ///< what the ranks of a node may share; 0 when unknown
};

}  // namespace rankine::run
