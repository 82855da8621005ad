// Exact values of the kicked Ising experiment on the heavy-hex lattices, on any number of ranks.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "../../mpi_world.hpp"
#include "deck/read.hpp"
#include "gpeps/sweep.hpp"
#include "whole_sweep.hpp"

namespace rankine::gpeps {
namespace {

/// Results of a deck, on rank 0; nothing elsewhere.
std::vector<PointResult> simulate(const std::string& text) {
  SimulateOptions options;
  deck::Schema schema;
  declare_keywords(schema, options);
  deck::read_text(schema, text + "\n[output]\nfile = \"unused.h5\"\n", "test.toml");
  const auto graph = lattice::make_lattice(options.lattice);
  const auto circuit =
      circuit::make_circuit(options.circuit, {}, graph.n_sites(), graph.pairs_by_colour());
  const auto plan = plan_measurements(schema, options, graph, circuit);
  return whole_sweep({options, graph, circuit, plan});
}

std::string kicked_ising(const std::string& lattice, const std::string& circuit,
                         const std::string& rest) {
  return "[lattice]\nname = \"" + lattice + "\"\n[circuit]\n" + circuit + "\n" + rest;
}

TEST(HeavyHex, MagnetizationAtFiveStepsIsExact) {
  const struct {
    const char* lattice;
    double at_06, at_pi_4;
  } cases[] = {{"eagle", 0.71823577085266, 0.45280386917345},
               {"osprey", 0.70948513676011, 0.44216026955378},
               {"infinite-heavy-hex", 0.69906634990348, 0.43119435930627}};
  for (const auto& [lattice, at_06, at_pi_4] : cases) {
    const auto results = simulate(kicked_ising(lattice, "theta_h = [0.6, 0.7853981633974483]",
                                               "[state]\nmax_bond_dimension = 16\n"));
    if (results.empty() || world().rank() != 0) continue;
    EXPECT_NEAR(results[0].observables[0].back(), at_06, 1e-13) << lattice;
    EXPECT_NEAR(results[1].observables[0].back(), at_pi_4, 1e-13) << lattice;
    EXPECT_EQ(results[0].bond_dimension.back(), 16);
  }
}

TEST(HeavyHex, BulkSiteAfterFourStepsFollowsTheClosedForm) {
  for (double theta : {0.2, 0.9}) {
    const auto results = simulate(
        kicked_ising("infinite-heavy-hex", "steps = 4\ntheta_h = " + std::to_string(theta), ""));
    if (world().rank() != 0) continue;
    const double c = std::cos(theta), s = std::sin(theta);
    EXPECT_NEAR(results[0].parts[0].back()[0].value,
                std::pow(c, 4) * (1 + 2 * s * s - 3 * c * c * std::pow(s, 10)), 1e-13);
  }
}

TEST(HeavyHex, SiteInTheMiddleOfEagle) {
  const auto results =
      simulate(kicked_ising("eagle", "theta_h = [0.6872233929727672, 1.5707963267948966]",
                            "[measure]\nobservables = [\"Z62\"]\n"));
  if (world().rank() != 0) return;
  EXPECT_NEAR(results[0].observables[0].back(), 0.655563050749, 1e-12);  // 7 pi / 32
  EXPECT_NEAR(results[1].observables[0].back(), 0, 1e-13);               // Clifford point
}

TEST(HeavyHex, StabiliserIsOneAtTheCliffordPointByBothRoutes) {
  // Weight 10 belongs to kicks before couplings; the other order would give another string.
  const std::string deck =
      kicked_ising("eagle", "theta_h = 1.5707963267948966",
                   "[state]\nmax_bond_dimension = 64\n[measure]\nevery = 5\nobservables = [\"X13 "
                   "X29 X31 Y9 Y30 Z8 Z12 Z17 Z28 Z32\"]\n");
  const auto clifford = simulate(deck), cluster = simulate(deck + "clifford_route = \"never\"\n");
  if (world().rank() != 0) return;
  EXPECT_NEAR(clifford[0].observables[0].back(), 1, 1e-12);
  EXPECT_NEAR(cluster[0].observables[0].back(), 1, 1e-12);
}

TEST(HeavyHex, TeamsGiveTheSameAsOneTeam) {
  const std::string deck = kicked_ising("infinite-heavy-hex", "theta_h = [0.3, 0.6, 0.9]",
                                        "[state]\nmax_bond_dimension = [4, 8]\n");
  const auto together = simulate(deck);
  const auto apart =
      simulate(deck + "[parallel]\nteams = " + std::to_string(world().size()) + "\n");
  if (world().rank() != 0) return;
  ASSERT_EQ(together.size(), 6u);
  for (std::size_t p = 0; p < 6; ++p)
    for (std::size_t step = 0; step < 5; ++step)
      EXPECT_NEAR(together[p].observables[0][step], apart[p].observables[0][step], 1e-12);
}

}  // namespace
}  // namespace rankine::gpeps
