#include "parallel/mpi_call.hpp"

#include <fmt/core.h>

#include <array>
#include <string_view>

#include "core/errors.hpp"

namespace rankine::parallel {

void check_mpi(int code, const char* call, std::source_location where) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw LibraryError(fmt::format("MPI failed in {} ({}). Look for a message of the MPI library "
                                 "above, or for a rank that ended before this one.",
                                 call, std::string_view(text.data(), static_cast<size_t>(length))),
                     where);
}

}  // namespace rankine::parallel
