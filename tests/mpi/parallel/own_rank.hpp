// The rank of this process among all of the test program, and their number.
#pragma once

#include "../../mpi_world.hpp"

namespace rankine::parallel {

inline int rank() { return world().rank(); }
inline int size() { return world().size(); }

}  // namespace rankine::parallel
