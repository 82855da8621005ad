// Tests of clocks and deadlines sleep for a fraction of a second.
#pragma once

#include <chrono>
#include <thread>

namespace rankine {

inline void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

}  // namespace rankine
