// Wall-clock time that never runs backwards.
#pragma once

#include <chrono>

namespace rankine {

/// Runs from its construction.
class Stopwatch {
 public:
  /// Wall-clock seconds since construction or the last restart.
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  void restart() { start_ = std::chrono::steady_clock::now(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace rankine
