// Starts SLEPc and PETSc in a program that uses them, and ends them.
#pragma once

#include <string>

#include "parallel/communicator.hpp"

namespace rankine::linalg {

/// Lives in main, inside the MPI session. PETSc gets no command line and no environment of ours.
class SlepcSession {
 public:
  /// Collective over `world`. LibraryError when SLEPc does not start.
  explicit SlepcSession(const parallel::Communicator& world);
  SlepcSession(const SlepcSession&) = delete;
  SlepcSession& operator=(const SlepcSession&) = delete;
  ~SlepcSession();
};

/// Whether a session is alive in a build of SLEPc that takes real, or complex, numbers.
enum class Numbers { real, complex };
bool slepc_takes(Numbers numbers);

/// LibraryError, the same on all `n_ranks` ranks, when no session is alive.
void require_slepc_session(int n_ranks);

/// "SLEPc 3.18.2 (real)", for provenance.
std::string slepc_version();

}  // namespace rankine::linalg
