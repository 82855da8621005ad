// States are due when their interval has passed, which grows with what writing them takes.
#include <gtest/gtest.h>

#include "../../mpi_world.hpp"
#include "../../sleep.hpp"
#include "run/cadence.hpp"

namespace rankine::run {
namespace {

TEST(Cadence, IsDueWhenTheIntervalHasPassed) {
  const Stopwatch since;
  Cadence cadence(0.05);
  while (!cadence.is_due(world())) sleep_seconds(0.01);
  if (world().rank() == 0) EXPECT_GE(since.seconds(), 0.05);
  Cadence hour(3600);
  EXPECT_FALSE(hour.is_due(world()));
}

TEST(Cadence, GrowsWhereWritingTakesLong) {
  Cadence cadence(0.001);
  cadence.while_writing([] { sleep_seconds(0.02); });
  const Stopwatch since;
  while (!cadence.is_due(world())) sleep_seconds(0.01);
  if (world().rank() == 0) EXPECT_GE(since.seconds(), 0.99) << "fifty times what writing took";
}

TEST(Cadence, OfNothingIsAlwaysDue) {
  Cadence cadence(0);
  cadence.while_writing([] { sleep_seconds(0.02); });
  EXPECT_TRUE(cadence.is_due(world()));
}

}  // namespace
}  // namespace rankine::run
