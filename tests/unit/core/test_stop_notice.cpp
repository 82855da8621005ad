// What a stopped program says: in a process of its own, which a signal ends.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "core/stop_notice.hpp"

namespace rankine {
namespace {

TEST(StopNoticeDeathTest, SaysWhatIsKeptAndEndsByTheSignal) {
  const auto litter = std::filesystem::path(testing::TempDir()) /
                      ("rankine_stop_" + std::to_string(getpid()) + ".lock");
  std::ofstream(litter) << "lock";
  const auto stop = [&](int signal, const char* text) {
    announce_stops();
    set_stop_notice("an earlier text");
    set_stop_notice(text, litter);
    std::raise(signal);
  };
  EXPECT_EXIT(stop(SIGTERM, "kept 3 of 8 points in x.partial"), testing::KilledBySignal(SIGTERM),
              "^stopped by SIGTERM: kept 3 of 8 points in x.partial\n$");
  EXPECT_FALSE(std::filesystem::exists(litter));
  EXPECT_EXIT(stop(SIGINT, "nothing was saved yet"), testing::KilledBySignal(SIGINT),
              "^stopped by SIGINT: nothing was saved yet\n$");
  EXPECT_EXIT(stop(SIGTERM, ""), testing::KilledBySignal(SIGTERM), "^$");
}

TEST(StopNoticeDeathTest, LeavesIgnoredSignalsIgnored) {
  EXPECT_EXIT(
      {
        std::signal(SIGINT, SIG_IGN);
        announce_stops();
        std::raise(SIGINT);
        _exit(7);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace rankine
