// The outermost frame of a program: runs it, reports how it failed, gives the process exit code.
#pragma once

#include <exception>
#include <type_traits>
#include <utility>

#include "parallel/communicator.hpp"

namespace rankine::parallel {

/// Logs the error and returns its exit code if all of `world` know it; otherwise names this rank
/// and aborts all ranks with that exit code (does not return). Called with the caught exception.
int exit_code_of_failure(const Communicator& world, const std::exception_ptr& exception);

/// Runs `work` (returning nothing, ExitCode or int) and returns the exit code for main.
///
/// An error that all ranks agreed on is logged once, by rank 0. One that only some ranks know is
/// logged with the rank, and all ranks are aborted with its exit code.
template <class Work>
int run_to_exit_code(const Communicator& world, Work&& work) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
      std::forward<Work>(work)();
      return 0;
    } else {
      return static_cast<int>(std::forward<Work>(work)());
    }
  } catch (...) {
    return exit_code_of_failure(world, std::current_exception());
  }
}

}  // namespace rankine::parallel
