// States that are stored and go on, on the same ranks bit for bit and on others to within rounding;
// and states that start from any product of site vectors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "gpeps/measurement/site_expectations.hpp"
#include "kicked_ising.hpp"
#include "lattice/partition.hpp"
#include "state_vector.hpp"
#include "stored_arrays.hpp"

namespace rankine::gpeps {
namespace {

using circuit::Circuit;
using circuit::Complex;
using rankine::testing::StoredArrays;

/// Two rings with a tail: sites of one to three legs.
lattice::Graph rings() {
  std::vector<lattice::Edge> edges{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 0},
                                   {3, 6}, {6, 7}, {7, 8}, {8, 9}, {9, 4}, {9, 10}};
  lattice::colour_greedily(11, edges);
  return {"two rings", 11, edges};
}

std::vector<int> dealt_to(int n_sites, int n_ranks) {
  std::vector<int> owner;
  for (int site = 0; site < n_sites; ++site) owner.push_back(site % n_ranks);
  return owner;
}

/// Kicked Ising with gates that are not diagonal, and steps that are not alike.
Circuit long_circuit(const lattice::Graph& graph) {
  Circuit circuit = rankine::testing::kicked_ising({.steps = 7, .theta_h = 0.8, .theta_j = -1.1},
                                                   graph.n_sites(), graph.pairs_by_colour());
  for (std::size_t s = 0; s < circuit.steps.size(); ++s)
    circuit.steps[s].push_back({circuit::rxx(0.3 + 0.1 * static_cast<double>(s)), {2, 3}});
  return circuit;
}

template <class T>
void apply_steps(Evolution<T>& state, const Circuit& circuit, int first, int end) {
  for (int s = first; s < end; ++s)
    for (const auto& layer :
         circuit::layers(circuit.steps[static_cast<std::size_t>(s)], state.graph().n_sites()))
      state.apply(layer);
}

const UpdateOptions truncating{{.max_rank = 3, .discarded_weight_max = 1e-15}};
constexpr int half_way = 4;

template <class T>
class StoredState : public ::testing::Test {};
using Scalars = ::testing::Types<std::complex<double>, std::complex<float>>;
TYPED_TEST_SUITE(StoredState, Scalars);

TYPED_TEST(StoredState, GoesOnBitForBitOnTheSameRanks) {
  using T = TypeParam;
  const auto graph = rings();
  const auto circuit = long_circuit(graph);
  const auto owner = dealt_to(11, world().size());
  Evolution<T> straight(graph, owner, world(), truncating);
  apply_steps(straight, circuit, 0, half_way);
  const StoredArrays stored(straight.arrays(), world());
  apply_steps(straight, circuit, half_way, circuit.n_steps());
  Evolution<T> again(graph, owner, world(), truncating, stored);
  EXPECT_EQ(StoredArrays(again.arrays(), world()), stored) << "nothing was lost";
  apply_steps(again, circuit, half_way, circuit.n_steps());
  EXPECT_EQ(StoredArrays(again.arrays(), world()), StoredArrays(straight.arrays(), world()));
  EXPECT_GT(straight.record().discarded_weight, 1e-6) << "this test wants truncation";
  EXPECT_EQ(again.record().discarded_weight, straight.record().discarded_weight);
  EXPECT_EQ(again.record().fidelity, straight.record().fidelity);
}

TYPED_TEST(StoredState, GoesOnOnOtherRanks) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 16 ? 1e-12 : 2e-4;
  const auto graph = rings();
  const auto circuit = long_circuit(graph);
  const auto& x = circuit::pauli_operator('X');
  Evolution<T> straight(graph, dealt_to(11, world().size()), world(), truncating);
  apply_steps(straight, circuit, 0, half_way);
  const StoredArrays stored(straight.arrays(), world());
  apply_steps(straight, circuit, half_way, circuit.n_steps());
  const auto expected = site_expectations(straight, x);
  const auto record = straight.record();
  const auto expect_same = [&](const std::vector<int>& owner, const parallel::Communicator& ranks) {
    Evolution<T> state(graph, owner, ranks, truncating, stored);
    apply_steps(state, circuit, half_way, circuit.n_steps());
    const auto values = site_expectations(state, x);
    for (std::size_t site = 0; site < 11; ++site)
      EXPECT_NEAR(values[site], expected[site], tolerance) << site << " on " << ranks.size();
    EXPECT_NEAR(state.record().discarded_weight, record.discarded_weight, tolerance);
    EXPECT_NEAR(state.record().fidelity, record.fidelity, tolerance);
    EXPECT_EQ(state.record().bond_dimension, record.bond_dimension);
  };
  expect_same(lattice::partition(graph, world().size(), std::vector<double>(11, 1)), world());
  expect_same(std::vector<int>(11, world().size() - 1), world());
  for (int fewer = 1; fewer < world().size(); ++fewer) {
    const auto part = world().split(world().rank() < fewer ? 0 : 1, 0);
    if (world().rank() < fewer) expect_same(dealt_to(11, fewer), part);
  }
}

TEST(StoredState, OfOneRankGoesOnOnMore) {
  const auto graph = rings();
  const auto circuit = long_circuit(graph);
  const auto& z = circuit::pauli_operator('Z');
  const auto alone = world().split(world().rank(), 0);
  Evolution<Complex> straight(graph, std::vector<int>(11, 0), alone, truncating);
  apply_steps(straight, circuit, 0, half_way);
  const StoredArrays stored(straight.arrays(), alone);
  apply_steps(straight, circuit, half_way, circuit.n_steps());
  Evolution<Complex> state(graph, dealt_to(11, world().size()), world(), truncating, stored);
  apply_steps(state, circuit, half_way, circuit.n_steps());
  const auto values = site_expectations(state, z), expected = site_expectations(straight, z);
  for (std::size_t site = 0; site < 11; ++site) EXPECT_NEAR(values[site], expected[site], 1e-12);
  EXPECT_NEAR(state.record().discarded_weight, straight.record().discarded_weight, 1e-13);
}

/// What all ranks say of arrays that were changed.
std::string refusal_of(const std::function<void(StoredArrays&)>& change) {
  const auto graph = rings();
  const auto owner = dealt_to(11, world().size());
  Evolution<Complex> state(graph, owner, world(), truncating);
  apply_steps(state, long_circuit(graph), 0, 2);
  StoredArrays stored(state.arrays(), world());
  change(stored);
  try {
    Evolution<Complex> again(graph, owner, world(), truncating, stored);
  } catch (const InputError& error) {
    EXPECT_EQ(error.agreed_by(), world().size());
    return error.what();
  }
  return "accepted";
}

TEST(StoredState, ThatDoesNotFitIsRefusedByAllRanks) {
  using ::testing::HasSubstr;
  using Arrays = StoredArrays&;
  const double not_finite = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal_of([](Arrays) {}), "accepted");
  EXPECT_THAT(refusal_of([](Arrays s) { s.shapes.erase("site.7"); }), HasSubstr("no array site.7"));
  EXPECT_THAT(refusal_of([](Arrays s) { s.shapes["bond.2"] = {2}, s.numbers["bond.2"].resize(2); }),
              HasSubstr("would fit its bonds"));
  EXPECT_THAT(refusal_of([](Arrays s) { s.shapes["bond.2"] = {0}; }),
              HasSubstr("the array bond.2 of a stored state cannot be used (it is no list"));
  EXPECT_THAT(refusal_of([](Arrays s) { s.numbers["bond.2"][0] = 0; }), HasSubstr("not positive"));
  EXPECT_THAT(refusal_of([](Arrays s) { s.shapes["site.7"].pop_back(); }),
              HasSubstr("the array site.7 of a stored state cannot be used (its shape is [2, "));
  EXPECT_THAT(refusal_of([&](Arrays s) { s.numbers["site.7"][3] = not_finite; }),
              HasSubstr("(a number is not finite)"));
  EXPECT_THAT(refusal_of([&](Arrays s) { s.numbers["bond.11"][0] = not_finite; }),
              HasSubstr("(a number is not finite)"));
  EXPECT_THAT(refusal_of([](Arrays s) { s.numbers["legs"][0] = 5.5; }),
              HasSubstr("those of site 0 are not its edges"));
  EXPECT_THAT(refusal_of([](Arrays s) { s.numbers["legs"][1] = s.numbers["legs"][0]; }),
              HasSubstr("those of site 0 are not its edges"));
  EXPECT_THAT(refusal_of([](Arrays s) { s.shapes["legs"] = {23}; }), HasSubstr("would fit"));
  EXPECT_THAT(refusal_of([](Arrays s) { s.numbers["accounts"][1] = 0.5; }),
              HasSubstr("no truncation gives such numbers"));
}

// Product states

ProductState random_product_state(int n_sites, int d) {
  std::mt19937 generator(3);
  std::normal_distribution<double> normal;
  ProductState sites;
  for (int site = 0; site < n_sites; ++site) {
    auto& vector = sites.emplace_back();
    for (int k = 0; k < d; ++k) vector.emplace_back(normal(generator), normal(generator));
  }
  return sites;
}

/// The operator that makes a vector of |0>, and nothing of other levels.
circuit::Gate preparation(int site, const std::vector<Complex>& vector) {
  const std::size_t d = vector.size();
  std::vector<Complex> elements(d * d);
  for (std::size_t row = 0; row < d; ++row) elements[row * d] = vector[row];
  return {std::make_shared<circuit::Operator>("prepare", 1, static_cast<int>(d), elements),
          {site, -1}};
}

TEST(Evolution, FromAnyProductStateIsExact) {
  const lattice::Graph chain("chain", 6, {{0, 1, 0}, {1, 2, 1}, {2, 3, 0}, {3, 4, 1}, {4, 5, 0}});
  // Levels of a qubit, and of the operators on one.
  for (const int d : {2, 4}) {
    const ProductState start = random_product_state(6, d);
    rankine::testing::StateVector exact(6, d);
    for (int site = 0; site < 6; ++site)
      exact.apply(preparation(site, start[static_cast<std::size_t>(site)]));
    Evolution<Complex> state(chain, dealt_to(6, world().size()), world(),
                             {{.discarded_weight_max = 1e-28}}, start);
    std::vector<Complex> phases(static_cast<std::size_t>(d * d * d * d));
    for (int k = 0; k < d * d; ++k)
      phases[static_cast<std::size_t>(k * d * d + k)] = std::polar(1.0, 0.4 * (k / d) * (k % d));
    const auto gate = std::make_shared<circuit::Operator>("phases", 2, d, phases);
    std::vector<Complex> mixing(static_cast<std::size_t>(d * d));
    for (int k = 0; k < d * d; ++k)
      mixing[static_cast<std::size_t>(k)] =
          std::polar(1 / std::sqrt(d), 2 * std::acos(-1.0) * (k / d) * (k % d) / d);
    const auto mix = std::make_shared<circuit::Operator>("mix", 1, d, mixing);
    for (int step = 0; step < 3; ++step)
      for (int site = 0; site < 6; ++site) {
        for (const circuit::Gate& next :
             {circuit::Gate{mix, {site, -1}}, circuit::Gate{gate, {site, site + 1}}}) {
          if (next.sites[1] == 6) continue;
          exact.apply(next);
          state.apply({next});
        }
      }
    std::vector<Complex> elements(static_cast<std::size_t>(d * d));
    for (int k = 0; k < d * d; ++k)
      elements[static_cast<std::size_t>(k)] = {1.0 / (1 + k / d + k % d), 0.2 * (k / d - k % d)};
    const circuit::Operator op("op", 1, d, elements);
    const auto values = site_expectations(state, op);
    for (int site = 0; site < 6; ++site)
      EXPECT_NEAR(values[static_cast<std::size_t>(site)], exact.expectation(site, op), 1e-12);
  }
}

TEST(Evolution, RefusesProductStatesThatAreNone) {
  const lattice::Graph pair("pair", 2, {{0, 1, 0}});
  const auto refuses = [&](const ProductState& start, const char* why) {
    try {
      Evolution<double> state(pair, dealt_to(2, world().size()), world(), {}, start);
      FAIL() << "accepted";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(why));
    }
  };
  refuses({{1, 0}}, "1 vectors, but the lattice has 2 sites");
  refuses({{1, 0}, {1, 0, 0}}, "site 1 (its vector has another length");
  refuses({{1, 0}, {0, 0}}, "site 1 (its vector is zero)");
  refuses({{INFINITY, 0}, {1, 0}}, "site 0 (its vector is not finite)");
  refuses({{1, 0}, {1, Complex(0, 1)}}, "site 1 (its vector is complex");
}

}  // namespace
}  // namespace rankine::gpeps
