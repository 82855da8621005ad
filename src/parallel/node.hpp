// How the ranks lie on nodes.
#pragma once

#include "parallel/communicator.hpp"

namespace rankine::parallel {

/// Collective. The largest number of ranks of `ranks` that share a node.
int ranks_per_node(const Communicator& ranks);

/// Processor cores this process may run on (its CPU affinity).
int cores_of_process();

}  // namespace rankine::parallel
