// Values are exact wherever the result says so: short loops, products, small light cones; and what
// is not exact says what it leaves out.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <set>

#include "../../mpi_world.hpp"
#include "deck/read.hpp"
#include "gpeps/measurement/state_vector.hpp"
#include "gpeps/routes/light_cone.hpp"
#include "gpeps/sweep.hpp"
#include "state_vector.hpp"
#include "whole_sweep.hpp"

namespace rankine::gpeps {
namespace {

namespace fs = std::filesystem;

/// A file of this process that goes away with the object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(fs::temp_directory_path() /
              ("rankine_accuracy_" + std::to_string(::getpid()) + "_" + std::to_string(count_++))) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { fs::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string text() const { return path_.string(); }

 private:
  static inline int count_ = 0;
  fs::path path_;
};

/// A deck with all that follows from it.
struct Planned {
  SimulateOptions options;
  deck::Schema schema;
  lattice::Graph graph;
  circuit::ParametricCircuit parametric;
  MeasurementPlan plan;

  explicit Planned(const std::string& deck, const std::vector<std::string>& overrides = {}) {
    declare_keywords(schema, options);
    deck::read_text(schema, deck + "\n[output]\nfile = \"unused.h5\"\n", "test.toml", overrides);
    graph = lattice::make_lattice(options.lattice);
    parametric = circuit::make_circuit(options.circuit, circuit::load_circuit(options.circuit),
                                       graph.n_sites(), graph.pairs_by_colour());
    plan = plan_measurements(schema, options, graph, parametric);
  }
  circuit::Circuit circuit() const {
    return parametric.bind(sweep_points(options).front().parameters);
  }
};

struct Simulation : Planned {
  std::vector<PointResult> results;  ///< on rank 0

  explicit Simulation(const std::string& deck, const std::vector<std::string>& overrides = {})
      : Planned(deck, overrides) {
    results = whole_sweep({options, graph, parametric, plan});
  }
  const PointResult& point() const { return results.front(); }
};

std::string edge_list(const std::vector<std::pair<int, int>>& edges) {
  std::string text;
  for (const auto& [a, b] : edges) text += std::to_string(a) + " " + std::to_string(b) + "\n";
  return text;
}

std::vector<std::pair<int, int>> grid(int rows, int columns) {
  std::vector<std::pair<int, int>> edges;
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      const int site = r * columns + c;
      if (c + 1 < columns) edges.emplace_back(site, site + 1);
      if (r + 1 < rows) edges.emplace_back(site, site + columns);
    }
  return edges;
}

std::string deck_for(const TemporaryFile& edges, const std::string& circuit,
                     const std::string& rest) {
  return "[lattice]\nname = \"edge-list\"\nfile = \"" + edges.text() + "\"\n[circuit]\n" + circuit +
         "\n" + rest;
}

/// Compares everything with a state vector of the whole lattice: what claims to be exact has to be.
/// Returns how many values do not claim it.
int check_claims(const Simulation& simulation, double tolerance) {
  rankine::testing::StateVector exact(simulation.graph.n_sites(), 2);
  const auto circuit = simulation.circuit();
  const auto& plan = simulation.plan;
  int n_inexact = 0;
  std::size_t column = 0;
  for (int s = 0; s < circuit.n_steps(); ++s) {
    exact.apply(circuit::Circuit{{circuit.steps[s]}});
    if (plan.measured_steps[column] != s + 1) continue;
    for (std::size_t index = 0; index < plan.observables.size(); ++index) {
      const Observable& observable = *plan.observables[index];
      const ObservableColumn& read = observable.columns()[column];
      const std::string where =
          observable.text() + " by " + read.route + " after " + std::to_string(s + 1) + " steps";
      const bool is_exact = read.ignored.is_exact();
      n_inexact += !is_exact;
      double value = 0;
      if (observable.string()) {
        value = exact.expectation(*observable.string());
      } else {
        for (int site = 0; site < simulation.graph.n_sites(); ++site) {
          const double z = exact.expectation(site, circuit::pauli_operator('Z'));
          value += z / simulation.graph.n_sites();
          if (!read.by_part[site].is_exact()) continue;
          EXPECT_NEAR(simulation.point().parts[index][column][site].value, z, tolerance)
              << "site " << site << ", " << where;
        }
      }
      if (!is_exact) continue;
      EXPECT_NEAR(simulation.point().observables[index][column], value, tolerance) << where;
      EXPECT_EQ(simulation.point().uncertainty[index][column], 0) << where;
    }
    if (++column == plan.measured_steps.size()) break;
  }
  return n_inexact;
}

const char* strings_5 =
    "[state]\nmax_bond_dimension = 16\n[measure]\nobservables = [\"magnetization\", \"Z5\", "
    "\"X5\", \"X5 X6\", \"Y0 Z3 X9\"]\n";

TEST(Accuracy, OnAGridOfTwelveSitesIsExact) {
  const TemporaryFile edges(edge_list(grid(3, 4)));
  const Simulation simulation(deck_for(edges, "theta_h = 0.6", strings_5));
  if (world().rank() != 0) return;
  EXPECT_NEAR(simulation.point().observables[1].back(), 0.1471, 5e-5);
  EXPECT_EQ(check_claims(simulation, 1e-12), 0) << "every value is exact";
}

TEST(Accuracy, OfATransverseFieldCircuitOnAGridIsExact) {
  const TemporaryFile edges(edge_list(grid(3, 4)));
  std::string gates;
  for (int step = 0; step < 3; ++step) {
    for (const auto& [a, b] : grid(3, 4))
      gates += "rzz " + std::to_string(a) + " " + std::to_string(b) + " -0.5\n";
    for (int site = 0; site < 12; ++site) gates += "rx " + std::to_string(site) + " -0.6\n";
    gates += "step\n";
  }
  const TemporaryFile file(gates);
  const Simulation simulation(
      deck_for(edges, "name = \"gate-list\"\nfile = \"" + file.text() + "\"", strings_5));
  if (world().rank() != 0) return;
  EXPECT_EQ(check_claims(simulation, 1e-12), 0);
}

TEST(Accuracy, OfAKiteNeverContradictsItself) {
  const TemporaryFile edges("0 1\n0 2\n1 2\n1 3\n2 3\n3 4\n4 5\n");
  const std::string rest =
      "[measure]\nobservables = [\"magnetization\", \"Z0\", \"Z1\", \"Z3\", \"Z5\"]\n";
  for (const auto& overrides : {std::vector<std::string>{},
                                {"measure.state_vector_sites=0"},
                                {"measure.state_vector_sites=0", "measure.loop_flops_max=0"},
                                {"measure.loop_flops_max=0"}}) {
    const Simulation simulation(deck_for(edges, "theta_h = 0.6\nsteps = 4", rest), overrides);
    if (world().rank() != 0) continue;
    check_claims(simulation, 1e-12);
    for (std::size_t column = 0; column < 4; ++column)
      for (std::size_t index = 1; index < 5; ++index) {
        const int site = simulation.plan.observables[index]->string()->support().front();
        EXPECT_EQ(simulation.point().parts[0][column][site].value,
                  simulation.point().observables[index][column]);
        EXPECT_EQ(simulation.plan.observables[0]->columns()[column].by_part[site].count,
                  simulation.plan.observables[index]->columns()[column].ignored.count);
      }
  }
}

/// A tree with a few more edges, most of them between neighbours of neighbours.
std::vector<std::pair<int, int>> random_graph(std::mt19937& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const int n_sites = 8 + below(7);
  std::vector<int> degree(n_sites, 0);
  std::set<std::pair<int, int>> edges;
  const auto join = [&](int a, int b) {
    if (a == b || degree[a] >= 3 || degree[b] >= 3) return;
    if (edges.emplace(std::min(a, b), std::max(a, b)).second) ++degree[a], ++degree[b];
  };
  for (int site = 1; site < n_sites; ++site) {
    int other = std::max(0, site - 1 - below(2));
    while (degree[other] >= 3) ++other;
    join(site, std::min(other, site - 1));
  }
  for (int k = 1 + below(3); k > 0; --k) {
    const int site = below(n_sites);
    join(site, std::min(n_sites - 1, site + 2 + below(3)));
  }
  return {edges.begin(), edges.end()};
}

std::string random_gates(const std::vector<std::pair<int, int>>& edges, int n_sites,
                         std::mt19937& random) {
  const auto number = [&](auto value) { return " " + std::to_string(value); };
  const auto angle = [&] { return static_cast<double>(random() % 6283) / 1000; };
  const std::vector<std::string> two{"rzz", "rxx", "ryy", "cx", "cz", "swap"};
  std::string text;
  for (int step = 0; step < 2; ++step) {
    for (int site = 0; site < n_sites; ++site)
      text += (site % 2 ? "ry" : "rx") + number(site) + number(angle()) + "\n";
    for (const auto& [a, b] : edges) {
      const std::string& name = two[random() % two.size()];
      text += name + number(a) + number(b) + (name[0] == 'r' ? number(angle()) : "") + "\n";
    }
    text += "step\n";
  }
  return text;
}

TEST(Accuracy, OnRandomGraphsIsWhatItClaims) {
  std::mt19937 random(5);
  int n_inexact = 0;
  for (int k = 0; k < 30; ++k) {
    const auto edges = random_graph(random);
    const TemporaryFile lattice(edge_list(edges));
    const int n_sites = Planned(deck_for(lattice, "", "")).graph.n_sites();
    const TemporaryFile gates(random_gates(edges, n_sites, random));
    const std::string circuit = k % 2 ? "steps = 4\ntheta_h = 0.8\ntheta_j = -1.1"
                                      : "name = \"gate-list\"\nfile = \"" + gates.text() + "\"";
    const std::string rest =
        "[state]\nmax_bond_dimension = 64\ndiscarded_weight_max = 1e-28\n[measure]\nobservables = "
        "[\"magnetization\", \"Z0\", \"X3\", \"Z1 Y4\", \"X0 Z2 X7\", \"Z0 Z1 Z2 Z3 Z4 Z5 Z6\"]\n";
    for (const auto& overrides : {std::vector<std::string>{},
                                  {"measure.state_vector_sites=0"},
                                  {"measure.state_vector_sites=0", "measure.loop_flops_max=0"}}) {
      const Simulation simulation(deck_for(lattice, circuit, rest), overrides);
      if (world().rank() != 0) continue;
      SCOPED_TRACE("graph " + std::to_string(k) + " with " + std::to_string(overrides.size()) +
                   " overrides");
      const int here = check_claims(simulation, 1e-9);
      if (overrides.empty()) {
        EXPECT_EQ(here, 0);
      }
      n_inexact += here;
    }
  }
  if (world().rank() != 0) return;
  EXPECT_GT(n_inexact, 100) << "this test wants values to warn of";
}

TEST(Accuracy, OfStringsOverManyPartsIsThatOfTheirProduct) {
  // Three rings that nothing joins, and twelve parts on a chain.
  const TemporaryFile rings("0 1\n1 2\n2 0\n3 4\n4 5\n5 3\n6 7\n7 8\n8 6\n");
  const Simulation apart(deck_for(rings, "theta_h = 0.9\ntheta_j = 1.1",
                                  "[measure]\nobservables = [\"X0 Z3 Y7\", \"Z1 Z2 Z8\"]\n"));
  std::string chain;
  for (int site = 0; site < 60; ++site)
    chain += std::to_string(site) + " " + std::to_string(site + 1) + "\n";
  const TemporaryFile line(chain);
  const std::string twelve = "Z3 Z8 Z13 Z18 Z23 Z28 Z33 Z38 Z43 Z48 Z53 Z58";
  const Simulation many(deck_for(line, "theta_h = 0.9\nsteps = 2",
                                 "[measure]\nobservables = [\"" + twelve + "\", \"Z28\"]\n"));
  const Simulation joined(deck_for(line, "theta_h = 0.9\ntheta_j = 0.3\nsteps = 6",
                                   "[measure]\nobservables = [\"" + twelve + "\"]\n"));
  if (world().rank() != 0) return;
  EXPECT_EQ(check_claims(apart, 1e-12), 0);
  EXPECT_EQ(many.plan.observables[0]->columns()[1].by_part.size(), 12u);
  EXPECT_NEAR(many.point().observables[0][1], std::pow(many.point().observables[1][1], 12), 1e-13);
  EXPECT_TRUE(joined.plan.observables[0]->is_exact()) << "a chain closes no loop";
  EXPECT_EQ(joined.plan.observables[0]->columns().back().by_part.size(), 1u);
}

TEST(Accuracy, WithoutExactRoutesEstimatesWhatLoopsCost) {
  const TemporaryFile edges(edge_list(grid(2, 8)));
  const auto deck =
      deck_for(edges, "theta_h = 0.4\nsteps = 5",
               "[state]\nmax_bond_dimension = 8\n[measure]\nevery = 5\nstate_vector_sites = "
               "0\nobservables = [\"magnetization\", \"Z5\", \"Z5 Z6\"]\n");
  const Simulation exact(deck, {"measure.state_vector_sites=24"});
  int n_estimates = 0;
  for (const char* limit : {"3e9", "1e10", "0"}) {
    const Simulation simulation(deck, {std::string("measure.loop_flops_max=") + limit});
    if (world().rank() != 0) continue;
    for (std::size_t index = 0; index < 3; ++index) {
      const LoopsIgnored& ignored = simulation.plan.observables[index]->columns().back().ignored;
      if (ignored.is_exact()) continue;
      EXPECT_EQ(ignored.shortest, 4) << "a plaquette";
      EXPECT_GE(ignored.count, 5) << "the plaquettes of the light cone";
      EXPECT_GT(ignored.exact_flops, 1e6);
      const double uncertainty = simulation.point().uncertainty[index].back();
      if (std::isnan(uncertainty)) continue;
      const double error = std::abs(simulation.point().observables[index].back() -
                                    exact.point().observables[index].back());
      EXPECT_GT(error, 1e-4);
      EXPECT_GT(uncertainty, error / 3) << limit;
      EXPECT_LT(uncertainty, error * 20) << limit;
      ++n_estimates;
    }
    if (std::string(limit) == "0") {
      EXPECT_TRUE(std::isnan(simulation.point().uncertainty[0].back())) << "nothing is affordable";
      EXPECT_NE(accuracy_warning(simulation.plan).find("Z5 Z6"), std::string::npos);
    }
  }
  if (world().rank() != 0) return;
  EXPECT_EQ(check_claims(exact, 1e-12), 0);
  EXPECT_EQ(accuracy_warning(exact.plan), "");
  EXPECT_GE(n_estimates, 2);
}

TEST(Accuracy, OnAGridOfThirtySixSitesIsExactOrWarnsOfEveryValue) {
  const TemporaryFile edges(edge_list(grid(6, 6)));
  const auto plan =
      Planned(deck_for(edges, "theta_h = 0.6\nsteps = 5",
                       "[measure]\nobservables = [\"magnetization\", \"Z14\", \"X14 X15\"]\n"))
          .plan;
  for (const auto& observable : plan.observables) {
    EXPECT_TRUE(observable->columns()[1].ignored.is_exact())
        << "two steps of " << observable->text();
    EXPECT_FALSE(observable->columns()[4].ignored.is_exact())
        << "five steps of " << observable->text();
  }
  EXPECT_TRUE(plan.observables[0]->columns()[2].ignored.is_exact()) << "thirteen sites at most";
  EXPECT_EQ(plan.observables[0]->columns()[2].route, "state-vector");
  const ObservableColumn& last = plan.observables[0]->columns()[4];
  std::set<int> read_apart;
  for (const auto& use : last.uses)
    if (use.reading->own_run() && !use.is_borrowed) read_apart.insert(use.parts.front());
  for (int site = 0; site < 36; ++site)
    EXPECT_EQ(last.by_part[site].is_exact(), read_apart.contains(site));
}

TEST(Accuracy, OnTheInfiniteLatticeMeansItsRealLoops) {
  const auto plan = Planned(
                        "[lattice]\nname = \"infinite-heavy-hex\"\n[circuit]\nsteps = "
                        "7\n[measure]\nobservables = [\"magnetization\", \"Z0\", \"Z0 Z1\"]\n")
                        .plan;
  for (const auto& observable : plan.observables) {
    EXPECT_FALSE(observable->columns()[6].ignored.is_exact()) << observable->text();
    EXPECT_EQ(observable->columns()[6].ignored.shortest, 12);
    EXPECT_TRUE(observable->columns()[4].ignored.is_exact()) << "as far as the ring is away";
  }
  EXPECT_TRUE(plan.observables[0]->columns()[5].ignored.is_exact());
  EXPECT_EQ(plan.observables[1]->columns()[6].route, "mean-field");
}

TEST(Planning, OfAStringOverHundredsOfStepsIsLinear) {
  const std::clock_t start = std::clock();
  const Planned simulation(
      "[lattice]\nname = \"eagle\"\n[circuit]\nsteps = 400\n[state]\nmax_bond_dimension = "
      "4\n[measure]\nevery = 40\nobservables = [\"X13 X29 X31 Y9 Y30 Z8 Z12 Z17 Z28 Z32\", "
      "\"X62 Z63 X64\"]\n");
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_EQ(simulation.plan.observables[1]->columns().size(), 10u);
  EXPECT_LT(seconds, 5) << "of this processor; minutes when every way looks at all layers";
}

TEST(Planning, OfAStringAtManyStepsIsLinear) {
  // Ways that are affordable at every step, which have to be compared at every step.
  const TemporaryFile edges(edge_list(grid(4, 4)));
  const std::clock_t start = std::clock();
  const Planned simulation(
      deck_for(edges, "theta_h = 0.6\nsteps = 400",
               "[measure]\nevery = 2\nobservables = [\"X0 Y1 Z2\", \"Y5\"]\n"));
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const auto& columns = simulation.plan.observables[0]->columns();
  ASSERT_EQ(columns.size(), 200u);
  for (std::size_t column = 20; column < 200; ++column)
    EXPECT_EQ(columns[column].route, "clifford+state-vector");
  EXPECT_LT(seconds, 5) << "of this processor; more when all steps are looked at for each of them";
}

TEST(LightCones, HoldTheGatesThatTheCausalConeKeeps) {
  std::mt19937 random(3);
  for (int k = 0; k < 20; ++k) {
    const auto edges = random_graph(random);
    const TemporaryFile lattice(edge_list(edges));
    const int n_sites = Planned(deck_for(lattice, "", "")).graph.n_sites();
    const TemporaryFile gates(random_gates(edges, n_sites, random));
    const Planned simulation(deck_for(
        lattice, k % 2 ? "steps = 4" : "name = \"gate-list\"\nfile = \"" + gates.text() + "\"",
        ""));
    const auto circuit = simulation.circuit();
    const LightCones cones(simulation.graph, circuit);
    std::vector<int> steps;
    for (int s = 1; s <= circuit.n_steps(); ++s) steps.push_back(s);
    for (const auto demand : {circuit::Demand::diagonal, circuit::Demand::full}) {
      const auto found = cones.of({{{2}, demand}}, steps);
      for (int n : steps) {
        std::vector<std::vector<circuit::Demand>> measured(n);
        measured.back().assign(n_sites, circuit::Demand::none);
        measured.back()[2] = demand;
        const auto kept = circuit::causal_cone({{circuit.steps.begin(), circuit.steps.begin() + n}},
                                               n_sites, measured);
        std::set<int> sites{2}, edges_kept, edges_found;
        for (const auto& step : kept.steps)
          for (const auto& gate : step)
            if (gate.n_sites() == 2) {
              edges_kept.insert(simulation.graph.find_edge(gate.sites[0], gate.sites[1]));
              sites.insert({gate.sites[0], gate.sites[1]});
            }
        for (const auto& edge : found[n - 1].edges) edges_found.insert(edge.edge);
        const auto found_sites = found[n - 1].sites();
        EXPECT_EQ(std::set(found_sites.begin(), found_sites.end()), sites);
        EXPECT_EQ(edges_found, edges_kept);
      }
    }
  }
}

TEST(StateVector, OfMoreAmplitudesThanABlockAgreesWithTheReference) {
  std::mt19937 random(7);
  std::vector<std::pair<int, int>> ring;
  for (int site = 0; site < 16; ++site) ring.emplace_back(site, (site + 5) % 16);
  const auto circuit =
      circuit::parse_gate_list(random_gates(ring, 16, random), "random.gates", 16, {}).bind({});
  std::vector<int> sites(16);
  std::iota(sites.begin(), sites.end(), 0);
  std::shuffle(sites.begin(), sites.end(), random);
  rankine::testing::StateVector reference(16, 2);
  StateVector<double> state(sites);
  StateVector<float> single(sites);
  for (const auto& step : circuit.steps) {
    state.apply(step);
    single.apply(step);
  }
  reference.apply(circuit);
  for (const char* text : {"Z0", "X7", "Y15", "X0 Y1 Z2 Y15", "Y3 Y4 Y5", "Z14 Z15"}) {
    const auto string = circuit::parse_pauli_string(text, 16);
    EXPECT_NEAR(state.expectation(string), reference.expectation(string), 1e-13) << text;
    EXPECT_NEAR(single.expectation(string), reference.expectation(string), 1e-5) << text;
  }
}

}  // namespace
}  // namespace rankine::gpeps
