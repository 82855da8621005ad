#include "linalg/svd/slepc_session.hpp"

#include <fmt/format.h>
#include <slepcsys.h>

#include <exception>

#include "core/errors.hpp"

namespace rankine::linalg {

SlepcSession::SlepcSession(const parallel::Communicator& world) {
  PETSC_COMM_WORLD = world.handle();
  PetscOptionsSetValue(nullptr, "-no_signal_handler", nullptr);
  PetscOptionsSetValue(nullptr, "-options_left", "no");  // we check our own
  const PetscErrorCode code = SlepcInitialize(nullptr, nullptr, nullptr, nullptr);
  if (world.max(static_cast<int>(code)) != 0)
    throw known_to_all(world.size(),
                       LibraryError(fmt::format("SLEPc did not start (code {}). Check that its "
                                                "libraries fit the MPI library of this program.",
                                                static_cast<int>(code))));
  // Errors come back as codes, which become exceptions; nothing is printed.
  PetscPushErrorHandler(PetscIgnoreErrorHandler, nullptr);
}

SlepcSession::~SlepcSession() {
  if (std::uncaught_exceptions() == 0) SlepcFinalize();
}

bool slepc_takes(Numbers numbers) {
  constexpr bool real_build = sizeof(PetscScalar) == sizeof(PetscReal);
  PetscBool alive = PETSC_FALSE;
  return SlepcInitialized(&alive) == 0 && alive == PETSC_TRUE &&
         (numbers == Numbers::real || !real_build);
}

void require_slepc_session(int n_ranks) {
  if (slepc_takes(Numbers::real)) return;
  throw known_to_all(n_ranks,
                     LibraryError("SLEPc has not been started. The program must hold a "
                                  "SlepcSession where it uses \"trlanczos\" or \"cross\"."));
}

std::string slepc_version() {
  return fmt::format("SLEPc {}.{}.{} ({})", SLEPC_VERSION_MAJOR, SLEPC_VERSION_MINOR,
                     SLEPC_VERSION_SUBMINOR,
                     sizeof(PetscScalar) == sizeof(PetscReal) ? "real" : "complex");
}

}  // namespace rankine::linalg
