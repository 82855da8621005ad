// A stop that one rank notices is agreed on by all, between pieces of work.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "../../mpi_world.hpp"
#include "../../sleep.hpp"
#include "core/errors.hpp"
#include "core/stop_signal.hpp"
#include "parallel/agreement.hpp"
#include "parallel/teams.hpp"
#include "run/stop_request.hpp"

namespace rankine::run {
namespace {

namespace fs = std::filesystem;

fs::path stop_file() {
  return fs::path(testing::TempDir()) /
         ("rankine_stop_" + world().broadcast(std::to_string(getpid()), 0));
}

class Stop : public testing::Test {
 protected:
  ~Stop() override { forget_stop_signal(); }
};

TEST_F(Stop, IsNotAskedForWithoutReason) {
  StopRequest stop(world(), {.file = stop_file(), .seconds = 1000});
  for (int look = 0; look < 3; ++look) EXPECT_EQ(stop.reason(world()), "");
}

TEST_F(Stop, SignalOfTheLastRankIsHeardByAll) {
  catch_stop_signals(StopWords::unsaid);
  StopRequest stop(world(), {});
  EXPECT_EQ(stop.reason(world()), "");
  if (world().rank() == world().size() - 1) std::raise(SIGUSR1);
  EXPECT_EQ(stop.reason(world()), "SIGUSR1");
  EXPECT_EQ(stop.reason(world()), "SIGUSR1") << "and stays";
  EXPECT_THROW(stop.check(world()), Stopped);
}

/// Teams look at different times, and only one has the rank that was told.
TEST_F(Stop, ReachesOtherTeams) {
  catch_stop_signals(StopWords::unsaid);
  const parallel::Teams teams(world(), std::min(2, world().size()));
  StopRequest stop(world(), {});
  const auto work = [&] {
    if (world().rank() == world().size() - 1) std::raise(SIGTERM);
    for (int piece = 0; piece < 10000; ++piece) {
      stop.check(teams.team());
      sleep_seconds(1e-3);
    }
  };
  EXPECT_THROW(parallel::agree_between_teams(world(), teams.team(), work), Stopped);
}

TEST_F(Stop, FileIsNoticedAndRemoved) {
  const fs::path file = stop_file();
  if (world().rank() == 0) std::ofstream(file) << "";
  StopRequest stop(world(), {.file = file});
  EXPECT_EQ(stop.reason(world()), "") << "one of an earlier run";
  if (world().rank() == 0) std::ofstream(file) << "";
  sleep_seconds(0.6);
  EXPECT_EQ(stop.reason(world()), "the stop file " + file.string());
  world().barrier();
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(Stop, ComesBeforeTheTimeIsOver) {
  StopRequest stop(world(), {.seconds = 1});
  EXPECT_EQ(stop.reason(world()), "");
  sleep_seconds(0.4);
  EXPECT_EQ(stop.reason(world()), "") << "0.4 s more fit";
  sleep_seconds(0.2);
  EXPECT_EQ(stop.reason(world()), "the limit of 1 s of wall time");
}

}  // namespace
}  // namespace rankine::run
