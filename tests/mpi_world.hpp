// Gives the MPI tests the communicator of all ranks, which tests/mpi_main.cpp owns.
// From tests/mpi/<room>/: #include "../../mpi_world.hpp"
#pragma once

#include "parallel/communicator.hpp"

/// All ranks of the running test program.
const rankine::parallel::Communicator& world();
