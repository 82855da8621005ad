// When the next state of a long computation is due.
#pragma once

#include <algorithm>

#include "core/timer.hpp"
#include "parallel/communicator.hpp"

namespace rankine::run {

class Cadence {
 public:
  /// `interval` in seconds, from now on; 0 makes every moment due.
  explicit Cadence(double interval) : interval_(interval), wait_(interval) {}

  /// Whether the interval has passed by the clock of rank 0; the same on all ranks. Collective.
  bool is_due(const parallel::Communicator& ranks) const {
    return ranks.max(ranks.rank() == 0 && since_.seconds() >= wait_ ? 1 : 0) > 0;
  }

  /// A state is written by `write`. The next interval is longer where that takes more than 2 % of
  /// it.
  template <class Write>
  void while_writing(Write&& write) {
    const Stopwatch clock;
    write();
    if (interval_ > 0) wait_ = std::max(interval_, 50 * clock.seconds());
    since_.restart();
  }

 private:
  double interval_;
  double wait_;
  Stopwatch since_;
};

}  // namespace rankine::run
