// The shortest of several times.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/timer.hpp"

namespace rankine::bench {

template <class Work>
double shortest_time(std::int64_t repeats, const Work& work) {
  double best = std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < repeats; ++k) {
    const Stopwatch watch;
    work();
    best = std::min(best, watch.seconds());
  }
  return best;
}

}  // namespace rankine::bench
