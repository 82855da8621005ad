// Turns the return code of an MPI call into a LibraryError.
#pragma once

#include <mpi.h>

#include <source_location>

namespace rankine::parallel {

/// Throws LibraryError with MPI's own explanation unless `code` is MPI_SUCCESS.
void check_mpi(int code, const char* call,
               std::source_location where = std::source_location::current());

}  // namespace rankine::parallel
