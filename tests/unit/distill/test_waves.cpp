// In how many waves the borders of slices fit the memory of their teams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "distill/memory.hpp"

namespace rankine::distill {
namespace {

using testing::HasSubstr;

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
