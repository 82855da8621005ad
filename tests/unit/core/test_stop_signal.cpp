// What a program that is asked to stop says and remembers: in processes of their own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "core/stop_signal.hpp"

namespace rankine {
namespace {

TEST(StopSignalDeathTest, TheFirstIsRememberedAndTold) {
  const auto ask = [](int signal) {
    catch_stop_signals(StopWords::said);
    std::raise(signal);
    _exit(stop_signal() == signal ? 7 : 1);
  };
  EXPECT_EXIT(ask(SIGTERM), testing::ExitedWithCode(7),
              "^asked to stop by SIGTERM: .* a second signal ends it at once\n$");
  EXPECT_EXIT(ask(SIGUSR1), testing::ExitedWithCode(7), "^asked to stop by SIGUSR1: ");
  EXPECT_EXIT(ask(SIGINT), testing::ExitedWithCode(7), "^asked to stop by SIGINT: ");
}

TEST(StopSignalDeathTest, TheSecondSaysWhatIsKeptAndEnds) {
  const auto litter = std::filesystem::path(testing::TempDir()) /
                      ("rankine_stop_" + std::to_string(getpid()) + ".lock");
  std::ofstream(litter) << "lock";
  const auto stop = [&](int signal, const char* text, StopWords words) {
    catch_stop_signals(words);
    set_stop_notice("an earlier text");
    set_stop_notice(text, litter);
    std::raise(SIGUSR1);
    std::raise(signal);
  };
  EXPECT_EXIT(stop(SIGTERM, "kept 3 of 8 points in x.partial", StopWords::said),
              testing::KilledBySignal(SIGTERM),
              "at once\nstopped by SIGTERM: kept 3 of 8 points in x.partial\n$");
  EXPECT_FALSE(std::filesystem::exists(litter));
  EXPECT_EXIT(stop(SIGINT, "nothing was saved yet", StopWords::unsaid),
              testing::KilledBySignal(SIGINT), "^$");
}

TEST(StopSignalDeathTest, IgnoredOnesStayIgnored) {
  EXPECT_EXIT(
      {
        std::signal(SIGINT, SIG_IGN);
        catch_stop_signals(StopWords::said);
        std::raise(SIGINT);
        _exit(stop_signal() == 0 ? 7 : 1);
      },
      testing::ExitedWithCode(7), "^$");
}

}  // namespace
}  // namespace rankine
