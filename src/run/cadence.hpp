// When the next state of a long computation is due.
#pragma once

#include "core/timer.hpp"
#include "parallel/communicator.hpp"

namespace rankine::run {

class Cadence {
 public:
  /// `interval` in seconds, from now on.
  explicit Cadence(double interval) : interval_(interval) {}

  /// Whether the interval has passed by the clock of rank 0; the same on all ranks. Collective.
  bool is_due(const parallel::Communicator& ranks) const {
    return ranks.max(ranks.rank() == 0 && since_.seconds() >= interval_ ? 1 : 0) > 0;
  }
  /// A state has been written.
  void restart() { since_.restart(); }

 private:
  double interval_;
  Stopwatch since_;
};

}  // namespace rankine::run
