// Pieces of work on a machine: sums, limits and orders that hold whatever the numbers.
#include <gtest/gtest.h>

#include <algorithm>

#include "run/pace.hpp"

namespace rankine::run {
namespace {

MachineModel cluster() {
  MachineModel model;
  model.node = {.nodes = 16, .cores = 8, .memory = 64, .core_bandwidth = 10, .bandwidth = 40};
  return model;
}

Pace pace_of(const MachineModel& model, int ranks, int threads = 1) {
  return {model, place(model, ranks, threads)};
}

TEST(Place, FillsNodesAndThenSharesCores) {
  const MachineModel model = cluster();
  EXPECT_EQ(place(model, 4, 1).ranks_per_node, 4);
  EXPECT_EQ(place(model, 64, 1).ranks_per_node, 8);
  EXPECT_EQ(place(model, 64, 4).ranks_per_node, 4) << "two of them on a node would leave it idle";
  EXPECT_EQ(place(model, 256, 1).ranks_per_node, 16) << "more ranks than cores";
  EXPECT_EQ(place(model, 2, 0).threads, 4) << "cores are shared out";
  EXPECT_EQ(place(model, 2, 0).node_bytes, std::uint64_t{64} << 30);
}

TEST(Pace, WorkTakesTimeInProportion) {
  const MachineModel model = cluster();
  const Pace pace = pace_of(model, 4);
  EXPECT_DOUBLE_EQ(pace.product(2e9, 64, Numbers::float64),
                   2 * pace.product(1e9, 64, Numbers::float64));
  EXPECT_DOUBLE_EQ(pace.memory(2e9), 2 * pace.memory(1e9));
  EXPECT_DOUBLE_EQ(pace.operations(20), 2 * pace.operations(10));
}

TEST(Pace, RatesLieBetweenThoseOfTheSizesAround) {
  const MachineModel model = cluster();
  const Pace pace = pace_of(model, 1);
  double before = pace.product(1e9, 1, Numbers::complex128);
  EXPECT_DOUBLE_EQ(before, pace.product(1e9, 4, Numbers::complex128)) << "as at the ends beyond";
  for (double size = 4; size < 4096; size *= 1.5) {
    const double seconds = pace.product(1e9, size, Numbers::complex128);
    EXPECT_LE(seconds, before);
    before = seconds;
  }
  EXPECT_DOUBLE_EQ(pace.product(1e9, 4096, Numbers::complex128), 1 / 45.0);
}

TEST(Pace, MemoryIsSharedByTheRanksOfANode) {
  const MachineModel model = cluster();
  EXPECT_DOUBLE_EQ(pace_of(model, 4).memory(1e9), pace_of(model, 1).memory(1e9));
  EXPECT_DOUBLE_EQ(pace_of(model, 8).memory(1e9), 2 * pace_of(model, 1).memory(1e9));
}

TEST(Pace, CoresThatAreSharedAreSlowerByTheRanksOnThem) {
  MachineModel model = cluster();
  model.node.nodes = 1;
  EXPECT_DOUBLE_EQ(pace_of(model, 16).product(1e9, 64, Numbers::float32),
                   2 * pace_of(model, 8).product(1e9, 64, Numbers::float32));
  EXPECT_GT(pace_of(model, 16).message(0, 16), pace_of(model, 8).message(0, 8));
}

TEST(Pace, ThreadsHelpNoMoreThanTheirEfficiency) {
  const MachineModel model = cluster();
  const double one = pace_of(model, 1, 1).product(1e9, 64, Numbers::float64),
               four = pace_of(model, 1, 4).product(1e9, 64, Numbers::float64);
  EXPECT_DOUBLE_EQ(one / four, 1 + 3 * model.node.thread_efficiency);
}

TEST(Pace, OneRankSendsNothing) {
  const MachineModel model = cluster();
  const Pace pace = pace_of(model, 1);
  EXPECT_EQ(pace.message(1e9, 1), 0);
  EXPECT_EQ(pace.sum(1e9, 1), 0);
  EXPECT_EQ(pace.gather(1e9, 1), 0);
}

TEST(Pace, CollectiveCallsGrowWithTheLogarithmOfTheRanks) {
  const MachineModel model = cluster();
  const double four = pace_of(model, 4).sum(0, 4), eight = pace_of(model, 8).sum(0, 8);
  EXPECT_DOUBLE_EQ(eight / four, 1.5);
  EXPECT_GT(pace_of(model, 64).sum(1e6, 64), pace_of(model, 8).sum(1e6, 8));
}

TEST(Dealt, IsNeverLessThanAnEvenShareNorTheLongestPiece) {
  const std::vector<double> pieces{5, 3, 3, 2, 2, 1};
  for (int ranks = 1; ranks <= 8; ++ranks) {
    const double longest = dealt(pieces, ranks);
    EXPECT_GE(longest, std::max(5.0, 16.0 / ranks));
    EXPECT_LE(longest, 16.0 / ranks + 5);
  }
  EXPECT_DOUBLE_EQ(dealt(pieces, 1), 16);
}

TEST(StageCost, LinesAddUpToTheTotal) {
  const std::vector<StageCost> stages{{.stage = "start", .seconds = 1}, {.stage = "work", .seconds = 2.5}};
  EXPECT_DOUBLE_EQ(total_seconds(stages), 3.5);
  const auto text = lines(stages, place(cluster(), 4, 1));
  ASSERT_EQ(text.size(), 3u);
  EXPECT_NE(text[0].find("predicted 3.5 s on 4 ranks"), std::string::npos) << text[0];
}

}  // namespace
}  // namespace rankine::run
