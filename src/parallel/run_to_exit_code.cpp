#include "parallel/run_to_exit_code.hpp"

#include "core/log.hpp"
#include "parallel/agreement.hpp"

namespace rankine::parallel {

int exit_code_of_failure(const Communicator& world, const std::exception_ptr& exception) {
  const Failure failure = describe_failure(exception);
  const int exit_code = static_cast<int>(failure.code);
  if (failure.agreed_by == world.size()) {
    const bool is_stop = failure.code == ExitCode::stopped;
    if (world.rank() == 0)
      log().log(is_stop ? spdlog::level::info : spdlog::level::err, "{}", failure.message);
    return exit_code;
  }
  log().error("{} [noticed by rank {} of {} alone; all ranks are aborted]", failure.message,
              world.rank(), world.size());
  MPI_Abort(world.handle(), exit_code);
  return exit_code;
}

}  // namespace rankine::parallel
