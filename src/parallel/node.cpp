#include "parallel/node.hpp"

#include <sched.h>

#include <thread>

#include "parallel/mpi_call.hpp"

namespace rankine::parallel {

int ranks_per_node(const Communicator& ranks) {
  MPI_Comm node = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(ranks.handle(), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node),
            "MPI_Comm_split_type");
  return ranks.max(Communicator(node).size());
}

int cores_of_process() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace rankine::parallel
