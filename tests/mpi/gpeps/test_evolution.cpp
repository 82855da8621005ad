// Evolution and observables against dense state vectors, on any number of ranks.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "gpeps/measurement/cluster_contraction.hpp"
#include "gpeps/measurement/contraction_cost.hpp"
#include "gpeps/measurement/site_expectations.hpp"
#include "kicked_ising.hpp"
#include "lattice/partition.hpp"
#include "state_vector.hpp"

namespace rankine::gpeps {
namespace {

using circuit::Circuit;
using circuit::Complex;
using circuit::Gate;
using rankine::testing::StateVector;

/// A tree of ten sites with degrees up to three.
lattice::Graph tree() {
  std::vector<lattice::Edge> edges{{0, 1}, {1, 2}, {1, 3}, {3, 4}, {4, 5},
                                   {4, 6}, {6, 7}, {7, 8}, {7, 9}};
  lattice::colour_greedily(10, edges);
  return {"tree", 10, edges};
}

/// Sites dealt out in turn, so that nearly every edge is cut; ranks beyond the sites stay idle.
std::vector<int> dealt_out(int n_sites, int n_ranks) {
  std::vector<int> owner;
  for (int site = 0; site < n_sites; ++site) owner.push_back(site % n_ranks);
  return owner;
}

template <class T>
void run(Evolution<T>& state, const Circuit& circuit) {
  for (const auto& step : circuit.steps)
    for (const auto& layer : circuit::layers(step, state.graph().n_sites())) state.apply(layer);
}

/// A unitary of the given size: the Q factor of a random matrix, by Gram-Schmidt.
std::vector<Complex> random_unitary(int n, std::mt19937& generator, bool real) {
  std::normal_distribution<double> normal;
  std::vector<Complex> u(n * n);
  for (int row = 0; row < n; ++row) {
    for (int k = 0; k < n; ++k) u[row * n + k] = {normal(generator), real ? 0 : normal(generator)};
    for (int before = 0; before < row; ++before) {
      Complex dot = 0;
      for (int k = 0; k < n; ++k) dot += std::conj(u[before * n + k]) * u[row * n + k];
      for (int k = 0; k < n; ++k) u[row * n + k] -= dot * u[before * n + k];
    }
    double norm = 0;
    for (int k = 0; k < n; ++k) norm += std::norm(u[row * n + k]);
    for (int k = 0; k < n; ++k) u[row * n + k] /= std::sqrt(norm);
  }
  return u;
}

Circuit random_circuit(const lattice::Graph& graph, int n_steps, int d, bool real) {
  std::mt19937 generator(11);
  Circuit circuit;
  for (int s = 0; s < n_steps; ++s) {
    circuit::Step step;
    for (int site = 0; site < graph.n_sites(); ++site)
      step.push_back(
          {std::make_shared<circuit::Operator>("u", 1, d, random_unitary(d, generator, real)),
           {site, -1}});
    for (const auto& edge : graph.edges())
      step.push_back(
          {std::make_shared<circuit::Operator>("v", 2, d, random_unitary(d * d, generator, real)),
           {edge.b, edge.a}});
    circuit.steps.push_back(std::move(step));
  }
  return circuit;
}

TEST(Evolution, OfKickedIsingOnATreeIsExact) {
  const auto graph = tree();
  const Circuit circuit = rankine::testing::kicked_ising(
      {.steps = 4, .theta_h = 0.7, .theta_j = -1.1}, 10, graph.pairs_by_colour());
  StateVector exact(10, 2);
  exact.apply(circuit);
  for (Route route : {Route::gram, Route::qr}) {
    Evolution<Complex> state(graph, dealt_out(10, world().size()), world(),
                             {{.max_rank = 1 << 10, .discarded_weight_max = 1e-28}, route});
    run(state, circuit);
    for (char letter : {'X', 'Y', 'Z'}) {
      const auto& op = circuit::pauli_operator(letter);
      const auto values = site_expectations(state, op);
      for (int site = 0; site < 10; ++site) {
        EXPECT_NEAR(values[site], exact.expectation(site, op), 1e-13) << letter << site;
        EXPECT_EQ(values[site], site_expectation(state, site, op));
      }
    }
    for (const char* text :
         {"Z0 Z1", "X4 Y6", "Y0 Z5 X9", "X2 Z8", "X0 X1 X2 X3 X4 X5 X6 X7 X8 X9"}) {
      const auto string = circuit::parse_pauli_string(text, 10);
      const auto cluster = lattice::smallest_cluster(graph, string.support());
      EXPECT_NEAR(cluster_expectation(state, cluster, string), exact.expectation(string), 1e-13)
          << text;
    }
  }
}

TEST(Evolution, OfAnyGatesAndPhysicalDimensionIsExact) {
  const auto graph = tree();
  const Circuit circuit = random_circuit(graph, 2, 3, false);
  StateVector exact(10, 3);
  exact.apply(circuit);
  Evolution<Complex> state(graph, dealt_out(10, world().size()), world(),
                           {{.discarded_weight_max = 1e-28}}, 3);
  run(state, circuit);
  const circuit::Operator op("op", 1, 3, {1, Complex(0, 2), 0, Complex(0, -2), 0, 3, 0, 3, -1});
  const auto values = site_expectations(state, op);
  for (int site = 0; site < 10; ++site)
    EXPECT_NEAR(values[site], exact.expectation(site, op), 1e-12) << site;
}

TEST(Evolution, OfRealGatesRunsOnRealTensors) {
  const auto graph = tree();
  const Circuit circuit = random_circuit(graph, 2, 2, true);
  StateVector exact(10, 2);
  exact.apply(circuit);
  Evolution<double> state(graph, dealt_out(10, world().size()), world(),
                          {{.discarded_weight_max = 1e-28}});
  run(state, circuit);
  const auto values = site_expectations(state, circuit::pauli_operator('X'));
  for (int site = 0; site < 10; ++site)
    EXPECT_NEAR(values[site], exact.expectation(site, circuit::pauli_operator('X')), 1e-13) << site;
}

TEST(Evolution, InSinglePrecisionLosesOnlyDigits) {
  const auto graph = tree();
  const Circuit circuit =
      rankine::testing::kicked_ising({.steps = 4, .theta_h = 0.7}, 10, graph.pairs_by_colour());
  StateVector exact(10, 2);
  exact.apply(circuit);
  Evolution<std::complex<float>> state(graph, dealt_out(10, world().size()), world(),
                                       {{.discarded_weight_max = 1e-12}});
  run(state, circuit);
  const auto values = site_expectations(state, circuit::pauli_operator('Z'));
  for (int site = 0; site < 10; ++site)
    EXPECT_NEAR(values[site], exact.expectation(site, circuit::pauli_operator('Z')), 2e-5) << site;
}

TEST(Evolution, OnARingMissesOnlyTheLoop) {
  // The ring of heavy hex: twelve sites. Exact until the light cone of a site closes around it.
  std::vector<lattice::Edge> edges;
  for (int site = 0; site < 12; ++site) edges.push_back({site, (site + 1) % 12});
  lattice::colour_greedily(12, edges);
  const lattice::Graph ring("ring", 12, edges);
  const auto error = [&](int steps) {
    const Circuit circuit = rankine::testing::kicked_ising({.steps = steps, .theta_h = 0.8}, 12,
                                                           ring.pairs_by_colour());
    StateVector exact(12, 2);
    exact.apply(circuit);
    Evolution<Complex> state(ring, dealt_out(12, world().size()), world(),
                             {{.discarded_weight_max = 1e-28}});
    run(state, circuit);
    const auto& z = circuit::pauli_operator('Z');
    return std::abs(site_expectation(state, 3, z) - exact.expectation(3, z));
  };
  EXPECT_LT(error(6), 1e-13);
  const double loop_error = error(8);
  EXPECT_GT(loop_error, 1e-8) << "a loop that is not seen cannot be exact";
  EXPECT_LT(loop_error, 0.05);
}

TEST(ClusterContraction, OfAllLoopsIsExact) {
  // Two rings of six that share an edge, with a tail: two loops to open.
  std::vector<lattice::Edge> edges{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 0},
                                   {3, 6}, {6, 7}, {7, 8}, {8, 9}, {9, 4}, {9, 10}};
  lattice::colour_greedily(11, edges);
  const lattice::Graph graph("two rings", 11, edges);
  const Circuit circuit = rankine::testing::kicked_ising(
      {.steps = 3, .theta_h = 0.8, .theta_j = -1.2}, 11, graph.pairs_by_colour());
  StateVector exact(11, 2);
  exact.apply(circuit);
  Evolution<Complex> state(graph, dealt_out(11, world().size()), world(),
                           {{.discarded_weight_max = 1e-28}});
  run(state, circuit);
  const auto dimensions = state.bond_dimensions();
  for (const char* text : {"Z3", "X0 Y8", "Z1 X2 Y3 Z10"}) {
    const auto string = circuit::parse_pauli_string(text, 11);
    const auto cluster = lattice::light_cone_cluster(graph, dimensions, string.support());
    ASSERT_TRUE(cluster);
    EXPECT_EQ(cluster->closing_edges.size(), 2u);
    const double value =
        cluster_expectation(state, cheapest_root(graph, *cluster, dimensions), string);
    EXPECT_NEAR(value, exact.expectation(string), 1e-12) << text;
  }
}

TEST(Evolution, WithTruncationDoesNotDependOnRanksOrPartition) {
  const auto graph = tree();
  const Circuit circuit =
      rankine::testing::kicked_ising({.steps = 5, .theta_h = 0.9}, 10, graph.pairs_by_colour());
  const parallel::Communicator alone = world().split(world().rank(), 0);
  const UpdateOptions options{{.max_rank = 3, .discarded_weight_max = 1e-15}};
  Evolution<Complex> reference(graph, std::vector<int>(10, 0), alone, options);
  run(reference, circuit);
  const auto expected = site_expectations(reference, circuit::pauli_operator('Z'));
  const auto record = reference.record();
  EXPECT_GT(record.discarded_weight, 1e-6) << "this test wants truncation";
  EXPECT_EQ(record.bond_dimension, 3);
  EXPECT_NEAR(record.fidelity, 1 - record.discarded_weight,
              record.discarded_weight * record.discarded_weight);
  for (const auto& owner : {dealt_out(10, world().size()),
                            lattice::partition(graph, world().size(), std::vector<double>(10, 1)),
                            std::vector<int>(10, world().size() - 1)}) {
    Evolution<Complex> state(graph, owner, world(), options);
    run(state, circuit);
    const auto values = site_expectations(state, circuit::pauli_operator('Z'));
    for (int site = 0; site < 10; ++site) EXPECT_NEAR(values[site], expected[site], 1e-12);
    EXPECT_NEAR(state.record().discarded_weight, record.discarded_weight, 1e-14);
  }
}

/// A tree of seven sites in which 1 has the neighbours 4 and 5.
lattice::Graph small_tree() {
  std::vector<lattice::Edge> edges{{0, 1}, {1, 4}, {1, 5}, {4, 2}, {5, 3}, {5, 6}};
  lattice::colour_greedily(7, edges);
  return {"small tree", 7, edges};
}

void expect_exact_values(const lattice::Graph& graph, const Circuit& circuit, int d, Route route) {
  StateVector exact(graph.n_sites(), d);
  exact.apply(circuit);
  Evolution<Complex> state(graph, dealt_out(graph.n_sites(), world().size()), world(),
                           {{.discarded_weight_max = 1e-28}, route}, d);
  run(state, circuit);
  std::vector<Complex> elements(static_cast<std::size_t>(d * d));
  for (int k = 0; k < d * d; ++k)
    elements[static_cast<std::size_t>(k)] = {1.0 / (1 + k / d + k % d), 0.25 * (k / d - k % d)};
  const circuit::Operator op("op", 1, d, elements);
  const auto values = site_expectations(state, op);
  for (int site = 0; site < graph.n_sites(); ++site)
    EXPECT_NEAR(values[static_cast<std::size_t>(site)], exact.expectation(site, op), 1e-12) << site;
}

TEST(Evolution, OfGatesThatJoinNothingIsExact) {
  // Their factors on a grown bond have more rows than columns, unless somebody sees to it.
  const double pi = std::numbers::pi;
  for (const Route route : {Route::gram, Route::qr})
    for (const auto& gate : {circuit::rxx(0), circuit::rzz(0), circuit::rzz(pi),
                             circuit::rzz(2 * pi), circuit::rxx(2 * pi)})
      for (const int other : {4, 5})
        expect_exact_values(small_tree(),
                            {{{{circuit::fixed_gate("h"), {5, -1}},
                               {circuit::rxx(1.57), {1, 4}},
                               {circuit::fixed_gate("swap"), {1, 5}},
                               {gate, {other, 1}},
                               {circuit::ry(0.4), {1, -1}},
                               {circuit::rzz(0.3), {1, other}}}}},
                            2, route);
}

TEST(Evolution, OfDiagonalGatesWithFewerTermsThanLevelsIsExact) {
  const auto graph = small_tree();
  Circuit circuit = random_circuit(graph, 1, 3, false);
  for (const double coupling : {0.0, 0.4}) {
    std::vector<Complex> elements(81);
    const auto sign = [](int level) { return level == 0 ? 1 : -1; };
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b)
        elements[static_cast<std::size_t>((3 * a + b) * 10)] =
            std::polar(1.0, 0.7 * a - 0.3 * b + coupling * sign(a) * sign(b));
    const auto gate = std::make_shared<circuit::Operator>("few", 2, 3, elements);
    EXPECT_EQ(decompose<Complex>(*gate).a.rank, coupling == 0 ? 1 : 2);
    circuit.steps.emplace_back();
    for (const auto& edge : graph.edges()) circuit.steps.back().push_back({gate, {edge.a, edge.b}});
  }
  for (const Route route : {Route::gram, Route::qr}) expect_exact_values(graph, circuit, 3, route);
}

TEST(Evolution, AtCliffordAnglesIsExact) {
  // All kept singular values are equal there: both halves of a cut bond must be of one SVD.
  const double half_pi = std::numbers::pi / 2;
  const auto graph = tree();
  for (const double theta_h : {half_pi, half_pi / 2}) {
    const Circuit circuit = rankine::testing::kicked_ising(
        {.steps = 4, .theta_h = theta_h, .theta_j = -half_pi}, 10, graph.pairs_by_colour());
    StateVector exact(10, 2);
    exact.apply(circuit);
    Evolution<Complex> state(graph, dealt_out(10, world().size()), world(),
                             {{.discarded_weight_max = 1e-28}});
    run(state, circuit);
    for (const char* text : {"Z0", "X4", "Z0 Y1 Z3", "X4 Y6", "X0 X1 X2 X3 X4 X5 X6 X7 X8 X9"}) {
      const auto string = circuit::parse_pauli_string(text, 10);
      const auto cluster = lattice::smallest_cluster(graph, string.support());
      EXPECT_NEAR(cluster_expectation(state, cluster, string), exact.expectation(string), 1e-12)
          << text;
    }
  }
}

TEST(Evolution, RefusesGatesBetweenSitesThatAreNoNeighbours) {
  const auto graph = tree();
  Evolution<Complex> state(graph, dealt_out(10, world().size()), world(), {});
  EXPECT_THROW(state.apply({{circuit::rzz(0.3), {0, 9}}}), InputError);
}

TEST(Evolution, TellsAllRanksOfAStateThatIsNotFinite) {
  const auto graph = tree();
  Evolution<Complex> state(graph, dealt_out(10, world().size()), world(), {});
  // A gate of enormous elements overflows on one site, which one rank owns.
  const auto huge =
      std::make_shared<circuit::Operator>("huge", 1, 2, std::vector<Complex>{1e200, 0, 0, 1});
  for (int k = 0; k < 2; ++k) state.apply({{huge, {4, -1}}});
  EXPECT_THROW(
      {
        state.apply({{circuit::rzz(0.3), {3, 4}}});
        state.record();
      },
      NumericalError);
}

}  // namespace
}  // namespace rankine::gpeps
