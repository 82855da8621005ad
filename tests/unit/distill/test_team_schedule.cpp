// Slices on teams: who trains what, and what other numbers of ranks would take.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "distill/team_schedule.hpp"

namespace rankine::distill {
namespace {

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// The least time of so many teams: every assignment is tried.
double optimum(const std::vector<double>& costs, std::vector<double> loads, std::size_t next = 0) {
  if (next == costs.size()) return *std::ranges::max_element(loads);
  double best = sum(costs);
  for (double& load : loads) {
    load += costs[next];
    best = std::min(best, optimum(costs, loads, next + 1));
    load -= costs[next];
  }
  return best;
}

std::vector<double> drawn_costs(std::size_t count, std::mt19937_64& engine) {
  std::uniform_real_distribution<double> cost(0.1, 3);
  std::vector<double> costs;
  for (std::size_t s = 0; s < count; ++s) costs.push_back(cost(engine));
  return costs;
}

TEST(TeamSchedule, IsNearTheOptimum) {
  std::mt19937_64 engine(5);
  for (const std::size_t slices : {1, 2, 5, 7})
    for (const int teams : {1, 2, 3, 4})
      for (int repeat = 0; repeat < 5; ++repeat) {
        const std::vector<double> costs = drawn_costs(slices, engine);
        const double best = optimum(costs, std::vector(static_cast<std::size_t>(teams), 0.0));
        const double found = TeamSchedule(costs, teams, 1).largest_load();
        EXPECT_GE(found, best * (1 - 1e-12));
        EXPECT_LE(found, best * 4 / 3) << slices << " slices, " << teams << " teams";
      }
}

TEST(TeamSchedule, EverySliceIsTrainedOnceTheLongestFirst) {
  std::mt19937_64 engine(6);
  for (const int teams : {1, 3, 9})
    for (const int waves : {1, 2, 3, 20}) {
      const std::vector<double> costs = drawn_costs(8, engine);
      const TeamSchedule schedule(costs, teams, waves);
      std::vector<int> times(costs.size(), 0);
      for (int team = 0; team < teams; ++team) {
        double before = 1e300;
        for (int wave = 0; wave < schedule.waves(); ++wave)
          for (const std::size_t slice : schedule.slices(team, wave)) {
            EXPECT_EQ(schedule.team_of(slice), team);
            EXPECT_LE(costs[slice], before);
            before = costs[slice];
            ++times[slice];
          }
      }
      EXPECT_EQ(times, std::vector<int>(costs.size(), 1)) << teams << " teams, " << waves;
    }
}

TEST(TeamSchedule, FinishedSlicesAreNotTrained) {
  const TeamSchedule schedule({0, 2, 0, 1}, 3, 1);
  std::vector<std::size_t> trained;
  for (int team = 0; team < 3; ++team)
    for (const std::size_t slice : schedule.slices(team, 0)) trained.push_back(slice);
  std::ranges::sort(trained);
  EXPECT_EQ(trained, (std::vector<std::size_t>{1, 3}));
  EXPECT_DOUBLE_EQ(schedule.largest_load(), 2);
  EXPECT_DOUBLE_EQ(TeamSchedule({0, 0}, 2, 1).largest_load(), 0);
}

/// Slices of a residual network: their costs differ by a factor of two.
std::vector<double> uneven_slices(std::size_t count) {
  std::vector<double> seconds;
  for (std::size_t s = 0; s < count; ++s) seconds.push_back(1 + 0.5 * std::sin(double(s)));
  return seconds;
}

TEST(Simulation, OneRankTakesTheSumAndMoreNeverTakeLonger) {
  for (const std::int64_t batch_size : {1, 60, 64}) {
    const SimulatedWork work{uneven_slices(27), 3, batch_size};
    const SimulatedTeams found = simulate(work, 48);
    ASSERT_EQ(found.teams.size(), 48u);
    EXPECT_EQ(found.teams.front(), 1);
    EXPECT_EQ(found.teams.back(), 48);
    EXPECT_NEAR(found.seconds.front(), sum(work.slices) + 3, 1e-12);
    for (std::size_t ranks = 1; ranks < 48; ++ranks) {
      EXPECT_LE(found.seconds[ranks], found.seconds[ranks - 1] * (1 + 1e-12));
      EXPECT_GE(found.seconds[ranks] * double(ranks + 1), found.seconds[0] * (1 - 1e-12))
          << "no more than all ranks at work";
    }
  }
}

TEST(Simulation, RanksBeyondTheSlicesShareBatches) {
  for (const std::size_t slices : {27, 30}) {
    const SimulatedTeams found = simulate({uneven_slices(slices), 3, 48}, 48);
    EXPECT_GE(found.seconds[0] / (48 * found.seconds[47]), 0.9) << slices << " slices";
  }
  // A batch of one sample divides no further: the longest slice counts.
  const SimulatedTeams alone = simulate({{4, 1, 1}, 0, 1}, 8);
  EXPECT_DOUBLE_EQ(alone.seconds[7], 4);
  // Of 3 samples two ranks take 2 and 1.
  EXPECT_DOUBLE_EQ(simulate({{3}, 0, 3}, 2).seconds[1], 2);
}

}  // namespace
}  // namespace rankine::distill
