// Which slices a team trains, and in how many waves their borders fit its memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "distill/memory.hpp"

namespace rankine::distill {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::size_t> dealt(const TeamSchedule& schedule, int team, int wave = 0) {
  const auto slices = schedule.slices(team, wave);
  return {slices.begin(), slices.end()};
}

TEST(Teams, GetTheLongestSlicesFirst) {
  const TeamSchedule schedule({1, 5, 0, 3, 2, 5}, 2, 1);
  EXPECT_THAT(dealt(schedule, 0), ElementsAre(1, 3));
  EXPECT_THAT(dealt(schedule, 1), ElementsAre(5, 4, 0));
  EXPECT_EQ(schedule.team_of(4), 1);
  EXPECT_EQ(schedule.largest_load(), 8);
  const TeamSchedule idle({1, 1}, 3, 1);
  EXPECT_THAT(dealt(idle, 1), ElementsAre(1));
  EXPECT_THAT(dealt(idle, 2), IsEmpty());
}

TEST(Teams, TrainEverySliceInOneWave) {
  const TeamSchedule schedule({1, 2, 3, 4, 5, 6, 7}, 2, 3);
  std::vector<std::size_t> all;
  for (int team = 0; team < 2; ++team)
    for (int wave = 0; wave < 3; ++wave)
      for (const std::size_t slice : dealt(schedule, team, wave)) all.push_back(slice);
  EXPECT_THAT(all, UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(Teams, OfSlicesOfOneLengthAreAllBusy) {
  const SimulatedWork work{.slices = std::vector<double>(48, 10.0), .teacher = 0, .batch_size = 64};
  const SimulatedTeams simulated = simulate(work, 48);
  ASSERT_EQ(simulated.seconds.size(), 48u);
  EXPECT_EQ(simulated.seconds[0], 480);
  EXPECT_EQ(simulated.seconds[23], 20);
  EXPECT_EQ(simulated.seconds[47], 10);
}

TEST(Waves, TakeEverySliceOnce) {
  for (const std::size_t count : {0u, 1u, 5u, 9u})
    for (int waves = 1; waves <= 4; ++waves) {
      std::size_t next = 0;
      for (int wave = 0; wave < waves; ++wave) {
        const auto [first, end] = TeamSchedule::part_of_wave(count, wave, waves);
        EXPECT_EQ(first, next);
        next = end;
      }
      EXPECT_EQ(next, count);
    }
}

TEST(Waves, AreTheFewestThatFit) {
  const std::vector<std::vector<double>> bytes{{4, 4, 4, 4}, {6, 6}};
  EXPECT_EQ(waves_that_fit(bytes, 16), 1);
  EXPECT_EQ(waves_that_fit(bytes, 15), 2);
  EXPECT_EQ(largest_wave(bytes, 2), 8);
  EXPECT_EQ(waves_that_fit(bytes, 7), 4);
  EXPECT_EQ(waves_that_fit(bytes, 0), 1) << "nobody knows how much there is";
  EXPECT_EQ(waves_that_fit({{}, {}}, 1), 1);
  try {
    waves_that_fit({{4096, 8192}}, 5000);
    FAIL() << "a slice does not fit";
  } catch (const ResourceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the borders of a single slice need 8.0 KiB on a rank"));
  }
}

TEST(Memory, IsPlannedWithItsWavesAndRefusedWithoutAWay) {
  const std::vector<StageLayout> stages{
      {.module = "a", .weights = {"a"}, .cost = 1, .parameters = 10, .inputs = 3, .outputs = 4},
      {.module = "b", .weights = {"b"}, .cost = 1, .parameters = 20, .inputs = 4, .outputs = 2}};
  const auto slices = plan_slices(stages, {});
  const SliceMemory rank{.bytes_of_number = 4, .samples = 100, .batch = 5};
  const auto planned = [&](double allowed, int teams) {
    DistillMemory memory{.compression = 1000, .allowed = allowed, .rank = rank};
    plan_waves(memory, stages, slices, teams);
    return memory;
  };
  EXPECT_EQ(training_bytes(stages, slices, rank), 4 * 5 * 20);
  const DistillMemory memory = planned(4900, 1);
  EXPECT_EQ(memory.waves, 2);
  EXPECT_EQ(memory.borders, 4 * 100 * 7);
  EXPECT_THAT(memory.border_line(), HasSubstr("in 2 waves"));
  EXPECT_NO_THROW(memory.require());
  const DistillMemory two_teams = planned(4900, 2);
  EXPECT_EQ(two_teams.waves, 1);
  EXPECT_THAT(two_teams.border_line(), HasSubstr("kept in memory"));
  EXPECT_THROW(planned(900, 1).require(), ResourceError);
}

}  // namespace
}  // namespace rankine::distill
