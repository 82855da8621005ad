// Forecasts bound what a run really does.
#include <gtest/gtest.h>

#include <cmath>

#include "gpeps/job/forecast.hpp"
#include "kicked_ising.hpp"
#include "lattice/lattices.hpp"

namespace rankine::gpeps {
namespace {

TEST(Forecast, GrowsByTheRankOfTheGateUpToTheLimit) {
  const auto graph = lattice::infinite_heavy_hex();
  const auto circuit = rankine::testing::kicked_ising({.steps = 4, .theta_h = 0.5}, graph.n_sites(),
                                                      graph.pairs_by_colour());
  const Forecast free = forecast(graph, circuit, 1000), limited = forecast(graph, circuit, 6);
  EXPECT_EQ(free.bond_dimension, 16);
  EXPECT_EQ(free.site_elements[0], 2 * 16 * 16 * 16);
  EXPECT_EQ(free.site_elements[2], 2 * 16 * 16);
  EXPECT_EQ(limited.bond_dimension, 6);
  EXPECT_EQ(free.step_flops.size(), 4u);
  EXPECT_LT(limited.step_flops.back(), free.step_flops.back());
}

TEST(Forecast, KnowsWhatEndsOfTheLatticeCanCarry) {
  const lattice::Graph chain("chain", 3, {{0, 1, 0}, {1, 2, 1}});
  const auto circuit =
      rankine::testing::kicked_ising({.steps = 6, .theta_h = 0.5}, 3, chain.pairs_by_colour());
  EXPECT_EQ(forecast(chain, circuit, 64).bond_dimension, 2);
}

TEST(Forecast, OfAStarOfManyLegsKnowsNoLargestNumber) {
  for (const int degree : {30, 70, 1000}) {
    std::vector<lattice::Edge> edges;
    for (int site = 1; site <= degree; ++site) edges.push_back({0, site});
    lattice::colour_greedily(degree + 1, edges);
    const lattice::Graph star("star", degree + 1, edges);
    const auto circuit = rankine::testing::kicked_ising({.steps = 2, .theta_h = 0.5}, degree + 1,
                                                        star.pairs_by_colour());
    const Forecast f = forecast(star, circuit, 16);
    EXPECT_EQ(f.site_elements[0], std::min(std::ldexp(1.0, degree + 1), 1e200)) << degree;
    EXPECT_TRUE(std::isfinite(total_flops(f)));
    const auto bytes = bytes_per_rank(f, std::vector<int>(degree + 1, 0), 1, 16);
    EXPECT_GE(bytes[0], 32 * f.site_elements[0]);
    EXPECT_TRUE(std::isfinite(bytes[0]));
  }
}

TEST(Forecast, MemoryBelongsToTheOwner) {
  const auto graph = lattice::infinite_heavy_hex();
  const auto circuit = rankine::testing::kicked_ising({.steps = 4, .theta_h = 0.5}, graph.n_sites(),
                                                      graph.pairs_by_colour());
  const Forecast f = forecast(graph, circuit, 16);
  const auto bytes = bytes_per_rank(f, {0, 1, 1, 1, 1}, 3, 16);
  EXPECT_GE(bytes[0], 16.0 * 2 * f.site_elements[0]);
  EXPECT_EQ(bytes[2], 0) << "a rank without sites needs nothing";
}

TEST(Forecast, OfSeveralRunsAddsWorkAndKeepsTheLargerMemory) {
  const auto graph = lattice::infinite_heavy_hex();
  const auto circuit = rankine::testing::kicked_ising({.steps = 3, .theta_h = 0.5}, graph.n_sites(),
                                                      graph.pairs_by_colour());
  const Forecast one = forecast(graph, circuit, 4), other = forecast(graph, circuit, 8);
  Forecast total = one;
  merge(total, other);
  EXPECT_EQ(total.step_flops.size(), 6u);
  EXPECT_EQ(total.site_elements, other.site_elements);
  EXPECT_DOUBLE_EQ(total.site_flops[0], one.site_flops[0] + other.site_flops[0]);
}

}  // namespace
}  // namespace rankine::gpeps
