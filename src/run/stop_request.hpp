// Whether a run shall stop: a signal, a stop file, the end of its time.
#pragma once

#include <filesystem>
#include <string>

#include "core/timer.hpp"
#include "parallel/communicator.hpp"
#include "parallel/notice.hpp"

namespace rankine::run {

struct StopLimits {
  std::filesystem::path file = {};  ///< the run stops when it appears; empty for none
  double seconds = 0;               ///< from now on; 0 for no limit
};

/// Signals may reach any rank (core/stop_signal.hpp); file and clock are watched by rank 0 of the
/// world. What one rank notices all others hear without waiting, and those that look together
/// agree.
class StopRequest {
 public:
  /// Collective over `world`, which outlives it. A stop file that is there already is removed: it
  /// was meant for an earlier run.
  StopRequest(const parallel::Communicator& world, StopLimits limits);

  /// Why the run shall stop ("SIGTERM", "the stop file x.stop", ...), the same on all of `ranks`
  /// (the world or a team of it); empty if it shall go on. Collective over `ranks`. Called between
  /// pieces of work: the time limit leaves room for one more piece like the longest so far.
  std::string reason(const parallel::Communicator& ranks);

  /// Throws Stopped with the reason on all of `ranks` if there is one. Collective.
  void check(const parallel::Communicator& ranks);

 private:
  enum class Cause : int { none, terminate, interrupt, user, file, time };
  Cause noticed();
  bool is_out_of_time();
  bool is_file_there();
  std::string text_of(Cause cause) const;

  const parallel::Communicator& world_;
  StopLimits limits_;
  parallel::Notice notice_;
  Stopwatch since_start_;
  double last_look_ = 0;
  double longest_piece_ = 0;
  double last_file_look_ = 0;
};

}  // namespace rankine::run
