// Where the time of a run goes: stages exclude each other, add up, and know what was counted.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <stdexcept>
#include <thread>

#include "core/profile.hpp"
#include "core/timer.hpp"

namespace rankine {
namespace {

void spend(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

std::map<std::string, StageProfile> by_name() {
  std::map<std::string, StageProfile> stages;
  for (const StageProfile& stage : profile()) stages[stage.name] = stage;
  return stages;
}

TEST(Profile, OfAStagePausesTheOneAroundItAndAllAddUp) {
  start_profile();
  const Stopwatch all;
  spend(5);
  {
    const ProfileStage outer("outer");
    spend(10);
    {
      const ProfileStage inner("inner");
      spend(20);
    }
    spend(10);
  }
  double sum = 0;
  auto stages = by_name();
  for (const auto& [name, stage] : stages) sum += stage.seconds;
  EXPECT_NEAR(sum, all.seconds(), 0.001);
  EXPECT_GE(stages.at("outer").seconds, 0.020);
  EXPECT_GE(stages.at("inner").seconds, 0.020);
  EXPECT_LT(stages.at("outer").seconds, all.seconds() - 0.024);
  EXPECT_GE(stages.at("other").seconds, 0.005);
}

TEST(Profile, CountsCallsButNoneOfAStageWithinItself) {
  start_profile();
  for (int call = 0; call < 3; ++call) {
    const ProfileStage stage("stage");
    const ProfileStage same("stage");
  }
  EXPECT_EQ(by_name().at("stage").calls, 3);
}

TEST(Profile, IsOneStageForEqualNames) {
  start_profile();
  static constexpr char one[] = "name", other[] = "name";
  { const ProfileStage stage(one); }
  { const ProfileStage stage(other); }
  EXPECT_EQ(profile().size(), 2u);
  EXPECT_EQ(by_name().at("name").calls, 2);
}

TEST(Profile, SaysOnlyOperationsThatAreAllCounted) {
  start_profile();
  {
    const ProfileStage stage("counted", Flops::counted);
    count_flops(3);
    count_bytes_sent(7);
    {
      const ProfileStage within("uncounted");
      count_flops(5);
    }
    count_flops(4);
  }
  {
    const ProfileStage stage("partly", Flops::counted);
    count_flops(3);
    count_unknown_flops();
  }
  const auto stages = by_name();
  EXPECT_EQ(stages.at("counted").flops, 7);
  EXPECT_EQ(stages.at("counted").bytes_sent, 7);
  EXPECT_TRUE(std::isnan(stages.at("uncounted").flops));
  EXPECT_TRUE(std::isnan(stages.at("partly").flops));
  EXPECT_TRUE(std::isnan(stages.at("other").flops));
}

TEST(Profile, LeavesAStageThatAnExceptionEnds) {
  start_profile();
  try {
    const ProfileStage stage("failing", Flops::counted);
    throw std::runtime_error("");
  } catch (const std::runtime_error&) {
  }
  count_bytes_sent(1);
  EXPECT_EQ(by_name().at("other").bytes_sent, 1);
}

TEST(Profile, IsOfTheThreadThatStartedIt) {
  start_profile();
  std::thread([] {
    const ProfileStage stage("elsewhere");
    count_flops(1);
    EXPECT_TRUE(profile().empty());
  }).join();
  EXPECT_FALSE(by_name().contains("elsewhere"));
}

}  // namespace
}  // namespace rankine
