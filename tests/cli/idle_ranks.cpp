// Preloaded into the programs under test: ranks that wait for others sleep in place of asking for
// work again and again. Open MPI only yields, which on a machine with fewer cores than ranks gives
// a test beside them a time slice for every message; with this they are done two to three times as
// soon.
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <thread>

extern "C" int sched_yield() noexcept {
  using Clock = std::chrono::steady_clock;
  using std::chrono::microseconds;
  static thread_local Clock::time_point began, last;
  const auto now = Clock::now();
  if (now - last > microseconds(20)) began = now;  // there was work in between
  const bool waits = now - began > microseconds(50);
  if (waits) std::this_thread::sleep_for(microseconds(50));
  const long done = waits ? 0 : syscall(SYS_sched_yield);
  last = Clock::now();
  return static_cast<int>(done);
}
