// The time of a stage that all ranks take part in.
#pragma once

#include <type_traits>

#include "core/profile.hpp"
#include "core/timer.hpp"
#include "parallel/communicator.hpp"

namespace rankine::compress {

/// Runs `work`, which is collective, as a stage of the profile, and adds the time of the slowest
/// rank.
template <class Work>
std::invoke_result_t<Work> timed(const parallel::Communicator& world, const char* stage,
                                 double& seconds, Work&& work) {
  const ProfileStage profile(stage);
  const Stopwatch clock;
  if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
    work();
    seconds += world.max(clock.seconds());
  } else {
    auto value = work();
    seconds += world.max(clock.seconds());
    return value;
  }
}

}  // namespace rankine::compress
