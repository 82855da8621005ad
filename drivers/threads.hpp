// How many threads a rank computes with.
#pragma once

namespace rankine {

struct ThreadChoice {
  int threads = 1;
  bool is_users = false;  ///< asked for by OPENBLAS_NUM_THREADS or OMP_NUM_THREADS
};

/// What the user asked for; else one thread for every core that no other rank of the node uses.
ThreadChoice threads_of_rank(int ranks_per_node);

}  // namespace rankine
