// The kicked Ising circuit and the transformations of circuits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "../../kicked_ising.hpp"
#include "circuit/circuit.hpp"
#include "core/errors.hpp"
#include "lattice/lattices.hpp"

namespace rankine::circuit {
namespace {

constexpr double half_pi = std::numbers::pi / 2;

TEST(Gate, RotationsAreExponentials) {
  const auto op = rzz(0.4);
  EXPECT_TRUE(op->is_diagonal());
  EXPECT_NEAR(std::abs((*op)(0, 0) - std::polar(1.0, -0.2)), 0, 1e-15);
  EXPECT_NEAR(std::abs((*op)(1, 1) - std::polar(1.0, 0.2)), 0, 1e-15);
  EXPECT_NEAR(std::abs((*rx(0.4))(0, 1) - Complex(0, -std::sin(0.2))), 0, 1e-15);
  EXPECT_FALSE(rx(0.4)->is_diagonal());
}

TEST(Gate, ProductWithTheAdjointIsTheIdentity) {
  for (const auto& op : {rx(0.3), ry(1.2), rz(-2.0), rxx(0.3), ryy(0.7), rzz(0.1), fixed_gate("h"),
                         fixed_gate("s"), fixed_gate("t"), fixed_gate("cx"), fixed_gate("swap")})
    EXPECT_TRUE(product(*adjoint(*op), *op)->is_identity()) << op->name();
  EXPECT_FALSE(fixed_gate("x")->is_identity());
}

TEST(Gate, ExchangeSwapsControlAndTarget) {
  const auto flipped = exchanged(*fixed_gate("cx"));
  EXPECT_EQ((*flipped)(1, 3), Complex(1));  // |01> <-> |11>: the second site controls
  EXPECT_EQ((*flipped)(2, 2), Complex(1));
}

TEST(Gate, RefusesNumbersThatDoNotFit) {
  EXPECT_THROW(Operator("bad", 1, 2, {1, 0, 0}), InputError);
  EXPECT_THROW(Operator("bad", 1, 2, {1, 0, 0, std::nan("")}), InputError);
}

TEST(KickedIsing, KicksBeforeItCouples) {
  const std::vector<std::pair<int, int>> edges{{0, 1}};
  const Circuit circuit = rankine::testing::kicked_ising(
      {.steps = 2, .theta_h = 0.3, .final_rx_layer = true}, 2, edges);
  ASSERT_EQ(circuit.n_steps(), 2);
  EXPECT_EQ(circuit.steps[0].size(), 3u);
  EXPECT_EQ(circuit.steps[0][0].n_sites(), 1);
  EXPECT_EQ(circuit.steps[0][2].n_sites(), 2);
  EXPECT_EQ(circuit.steps[1].size(), 5u);
}

/// Sites and edges a step still touches.
std::pair<std::set<int>, int> touched(const Step& step) {
  std::set<int> kicked;
  int couplings = 0;
  for (const Gate& gate : step) {
    if (gate.n_sites() == 1)
      kicked.insert(gate.sites[0]);
    else
      ++couplings;
  }
  return {kicked, couplings};
}

TEST(CausalCone, OfOneSiteShrinksToIt) {
  const auto graph = lattice::eagle();
  const int steps = 9;
  const Circuit circuit = rankine::testing::kicked_ising({.steps = steps, .theta_h = 0.7},
                                                         graph.n_sites(), graph.pairs_by_colour());
  std::vector<std::vector<Demand>> measured(steps);
  measured.back().assign(graph.n_sites(), Demand::none);
  measured.back()[62] = Demand::diagonal;
  const Circuit cone = causal_cone(circuit, graph.n_sites(), measured);
  // RX on the ball of radius T - t, RZZ on edges that touch the ball of radius T - t - 1.
  std::set<int> ball{62};
  for (int s = steps - 1; s >= 0; --s) {
    const auto [kicked, couplings] = touched(cone.steps[s]);
    EXPECT_EQ(kicked, ball) << "step " << s;
    std::set<int> next = ball;
    for (const auto& edge : graph.edges())
      if (ball.contains(edge.a) || ball.contains(edge.b)) next.insert(edge.a), next.insert(edge.b);
    int expected = 0;
    if (s > 0)
      for (const auto& edge : graph.edges())
        expected += ball.contains(edge.a) || ball.contains(edge.b);
    if (s > 0) EXPECT_EQ(touched(cone.steps[s - 1]).second, expected) << "step " << s - 1;
    ball = next;
  }
  EXPECT_EQ(touched(cone.steps.back()).second, 0) << "the last coupling layer commutes with Z";
}

TEST(CausalCone, KeepsTheLastCouplingForOperatorsThatDoNotCommute) {
  const std::vector<std::pair<int, int>> edges{{0, 1}, {1, 2}, {2, 3}};
  const Circuit circuit = rankine::testing::kicked_ising({.steps = 1, .theta_h = 0.7}, 4, edges);
  const Circuit cone =
      causal_cone(circuit, 4, {{Demand::full, Demand::none, Demand::none, Demand::none}});
  EXPECT_EQ(touched(cone.steps[0]), std::pair(std::set<int>({0, 1}), 1));
}

TEST(Gate, ProductsAreTakenApart) {
  const double pi = std::numbers::pi;
  const auto cz = fixed_gate("cz"), swap = fixed_gate("swap");
  for (const auto& op : {rzz(0), rzz(pi), rzz(2 * pi), rxx(0), rxx(pi), ryy(-pi), ryy(2 * pi),
                         product(*cz, *cz), product(*swap, *swap), product(*rzz(pi), *rxx(pi))}) {
    const auto factors = product_factors(*op);
    ASSERT_TRUE(factors) << op->name();
    const auto& [a, b] = *factors;
    EXPECT_EQ(a->n_sites(), 1);
    if (op->is_diagonal()) EXPECT_TRUE(a->is_diagonal() && b->is_diagonal()) << op->name();
    EXPECT_TRUE(product(*adjoint(*a), *a)->is_identity()) << "a unitary stays one";
    for (int row = 0; row < 4; ++row)
      for (int column = 0; column < 4; ++column)
        EXPECT_NEAR(
            std::abs((*a)(row / 2, column / 2) * (*b)(row % 2, column % 2) - (*op)(row, column)), 0,
            1e-14)
            << op->name();
  }
  for (const auto& op : {rzz(0.3), rxx(half_pi), cz, fixed_gate("cx"), swap, rzz(1e-9)})
    EXPECT_FALSE(product_factors(*op)) << op->name();
}

TEST(Separated, KeepsStepsAndWhatJoinsSites) {
  const Circuit circuit{{{{rzz(0), {0, 1}}, {rzz(0.2), {1, 2}}},
                         {{rxx(2 * std::numbers::pi), {1, 0}}},
                         {{rzz(std::numbers::pi), {0, 1}}}}};
  const Circuit result = separated(circuit);
  ASSERT_EQ(result.n_steps(), 3);
  ASSERT_EQ(result.steps[0].size(), 1u) << "RZZ(0) is the identity";
  EXPECT_EQ(result.steps[0][0].sites, (std::array{1, 2}));
  EXPECT_TRUE(result.steps[1].empty());
  ASSERT_EQ(result.steps[2].size(), 2u) << "RZZ(pi) is Z on both sites";
  for (int site : {0, 1}) {
    const Gate& gate = result.steps[2][static_cast<std::size_t>(site)];
    EXPECT_EQ(gate.sites[0], site);
    EXPECT_TRUE(product(*gate.op, *fixed_gate("z"))->is_identity());
  }
}

TEST(Fused, SeparatesProductsThatComeOfFusing) {
  // RZZ(pi/2) twice is Z on both sites, which cancels the Z that follow.
  const Circuit circuit{{{{rzz(half_pi), {0, 1}}, {rzz(half_pi), {1, 0}}},
                         {{fixed_gate("z"), {0, -1}}, {fixed_gate("z"), {1, -1}}}}};
  const Circuit result = fused(circuit, 2);
  ASSERT_EQ(result.n_steps(), 2);
  EXPECT_TRUE(result.steps[0].empty());
  EXPECT_TRUE(result.steps[1].empty());
}

TEST(Fused, CancelsACircuitWithItsInverse) {
  const std::vector<std::pair<int, int>> edges{{0, 1}, {1, 2}};
  Circuit circuit{{{{rzz(0.3), {0, 1}}, {rzz(0.3), {1, 2}}},
                   {{rzz(-0.3), {1, 0}}, {rx(0.2), {2, -1}}, {rzz(-0.3), {1, 2}}}}};
  const Circuit result = fused(circuit, 3);
  ASSERT_EQ(result.n_steps(), 2);
  // Edge 0-1 cancels, written the other way round; on edge 1-2 the kick of site 2 stands between.
  EXPECT_EQ(result.steps[0].size(), 1u);
  EXPECT_EQ(result.steps[1].size(), 2u);
}

TEST(Fused, MultipliesInTheRightOrder) {
  Circuit circuit{{{{fixed_gate("h"), {0, -1}}, {rx(0.3), {0, -1}}},
                   {{fixed_gate("cx"), {0, 1}}, {fixed_gate("cx"), {1, 0}}}}};
  const Circuit result = fused(circuit, 2);
  ASSERT_EQ(result.steps[0].size(), 1u);
  ASSERT_EQ(result.steps[1].size(), 1u);
  EXPECT_TRUE(product(*adjoint(*product(*rx(0.3), *fixed_gate("h"))), *result.steps[0][0].op)
                  ->is_identity());
  const auto both = product(*exchanged(*fixed_gate("cx")), *fixed_gate("cx"));
  EXPECT_TRUE(product(*adjoint(*both), *result.steps[1][0].op)->is_identity());
}

TEST(Layers, HoldGatesThatShareNoSite) {
  const auto graph = lattice::eagle();
  const Circuit circuit =
      rankine::testing::kicked_ising({.steps = 1}, graph.n_sites(), graph.pairs_by_colour());
  std::size_t total = 0;
  for (const Step& layer : layers(circuit.steps[0], graph.n_sites())) {
    std::set<int> sites;
    std::size_t ends = 0;
    for (const Gate& gate : layer)
      for (int k = 0; k < gate.n_sites(); ++k) sites.insert(gate.sites[k]), ++ends;
    EXPECT_EQ(sites.size(), ends);
    total += layer.size();
  }
  EXPECT_EQ(total, circuit.steps[0].size());
}

TEST(CliffordRoute, ReducesTheStabilisersOfTheExperimentToOneLetter) {
  const auto graph = lattice::eagle();
  const auto edges = graph.pairs_by_colour();
  const auto string = [&](const char* text) { return parse_pauli_string(text, graph.n_sites()); };
  const Circuit five =
      rankine::testing::kicked_ising({.steps = 5, .theta_h = half_pi}, graph.n_sites(), edges);
  const Circuit extra = rankine::testing::kicked_ising(
      {.steps = 5, .theta_h = half_pi, .final_rx_layer = true}, graph.n_sites(), edges);
  const char* w10_text = "X13 X29 X31 Y9 Y30 Z8 Z12 Z17 Z28 Z32";
  const auto w10 = clifford_routes(five, string(w10_text));
  EXPECT_TRUE(w10.front().extension.steps.empty());
  EXPECT_EQ(w10.back().readout.support(), std::vector{13});
  const auto w17 = clifford_routes(
      five, string("X37 X41 X52 X56 X57 X58 X62 X79 Y75 Z38 Z40 Z42 Z63 Z72 Z80 Z90 Z91"));
  EXPECT_EQ(w17.back().readout.support(), std::vector{58});
  const auto modified = clifford_routes(
      extra, string("X37 X41 X52 X56 X57 X58 X62 X79 Y38 Y40 Y42 Y63 Y72 Y80 Y90 Y91 Z75"));
  EXPECT_EQ(modified.back().readout.support(), std::vector{58});
  // With RX after RZZ the string would not shrink: the order is tested.
  Circuit wrong = five;
  for (Step& step : wrong.steps)
    std::ranges::stable_partition(step, [](const Gate& gate) { return gate.n_sites() == 2; });
  EXPECT_GT(clifford_routes(wrong, string(w10_text)).back().readout.letters.size(), 1u);
  const Circuit generic =
      rankine::testing::kicked_ising({.steps = 5, .theta_h = 0.3}, graph.n_sites(), edges);
  EXPECT_EQ(clifford_routes(generic, string("Z62 Z63")).size(), 2u)
      << "RX(0.3) is no Clifford gate";
}

}  // namespace
}  // namespace rankine::circuit
