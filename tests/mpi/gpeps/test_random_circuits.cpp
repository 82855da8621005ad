// Random circuits on random graphs against state vectors: the whole way from a gate list to values.
//
// Small graphs are where ranks meet cut bonds, idle ranks and loops at once; special angles make
// gates that join nothing, degenerate singular values and sites that leave the causal cone.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numbers>

#include "../../mpi_world.hpp"
#include "core/random_stream.hpp"
#include "gpeps/simulation.hpp"
#include "state_vector.hpp"

namespace rankine::gpeps {
namespace {

using rankine::testing::StateVector;

constexpr int n_circuits = 200;

int below(RandomStream& random, int bound) {
  return static_cast<int>(random.below(static_cast<std::uint64_t>(bound)));
}

template <class T>
const T& one_of(RandomStream& random, const std::vector<T>& values) {
  return values[static_cast<std::size_t>(below(random, static_cast<int>(values.size())))];
}

using Pairs = std::vector<std::pair<int, int>>;

Pairs tree(RandomStream& random, int n_sites) {
  Pairs edges;
  for (int site = 1; site < n_sites; ++site) edges.emplace_back(below(random, site), site);
  return edges;
}
Pairs star(int n_sites) {
  Pairs edges;
  for (int site = 1; site < n_sites; ++site) edges.emplace_back(0, site);
  return edges;
}
Pairs ring(int n_sites) {
  Pairs edges;
  for (int site = 0; site < n_sites; ++site) edges.emplace_back(site, (site + 1) % n_sites);
  return edges;
}
/// A square with one diagonal and a tail.
Pairs kite(int n_sites) {
  Pairs edges{{0, 1}, {1, 2}, {2, 3}, {3, 0}, {0, 2}};
  for (int site = 4; site < n_sites; ++site) edges.emplace_back(site - 1, site);
  return edges;
}
Pairs grid_pairs(int rows, int columns) {
  Pairs edges;
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      if (c + 1 < columns) edges.emplace_back(r * columns + c, r * columns + c + 1);
      if (r + 1 < rows) edges.emplace_back(r * columns + c, (r + 1) * columns + c);
    }
  return edges;
}

/// Sites are numbered at random, edges stand in a random order.
lattice::Graph random_graph(RandomStream& random) {
  const int kind = below(random, 6);
  int n_sites = 2 + below(random, 8);
  Pairs pairs;
  if (kind <= 1) pairs = tree(random, n_sites);
  if (kind == 2) pairs = star(n_sites);
  if (kind == 3) pairs = ring(n_sites = std::max(n_sites, 3));
  if (kind == 4) pairs = kite(n_sites = std::max(n_sites, 4));
  if (kind == 5) {
    const int rows = 2 + below(random, 2), columns = 2 + below(random, 2);
    n_sites = rows * columns;
    pairs = grid_pairs(rows, columns);
  }
  std::vector<int> numbers(static_cast<std::size_t>(n_sites));
  for (int site = 0; site < n_sites; ++site) numbers[static_cast<std::size_t>(site)] = site;
  random.shuffle(std::span(numbers));
  random.shuffle(std::span(pairs));
  std::vector<lattice::Edge> edges;
  for (const auto& [a, b] : pairs)
    edges.push_back({numbers[static_cast<std::size_t>(a)], numbers[static_cast<std::size_t>(b)]});
  lattice::colour_greedily(n_sites, edges);
  return {"random", n_sites, edges};
}

std::string random_angle(RandomStream& random) {
  constexpr double pi = std::numbers::pi;
  if (below(random, 8) == 0) return one_of<std::string>(random, {"theta_h", "-theta_j"});
  const double special = one_of<double>(random, {0, pi / 2, -pi / 2, pi, 2 * pi});
  return fmt::format("{:.17g}", below(random, 2) == 0 ? special : 2 * pi * random.uniform());
}

/// Steps of random gates, in the words of a gate list.
std::string random_gate_list(RandomStream& random, const lattice::Graph& graph) {
  std::string text;
  const int n_steps = 1 + below(random, 3);
  for (int step = 0; step < n_steps; ++step) {
    for (int gate = 2 + below(random, 9); gate > 0; --gate) {
      if (below(random, 2) == 0) {
        const auto name = one_of<std::string>(
            random, {"i", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "rx", "ry", "rz"});
        text += fmt::format("{} {}", name, below(random, graph.n_sites()));
        if (name[0] == 'r') text += " " + random_angle(random);
      } else {
        const auto name = one_of<std::string>(random, {"cx", "cz", "swap", "rxx", "ryy", "rzz"});
        const lattice::Edge& edge = graph.edge(below(random, graph.n_edges()));
        const bool turned = below(random, 2) == 0;
        text += fmt::format("{} {} {}", name, turned ? edge.b : edge.a, turned ? edge.a : edge.b);
        if (name[0] == 'r') text += " " + random_angle(random);
      }
      text += "\n";
    }
    text += "step\n";
  }
  return text;
}

/// One or two letters, on neighbours where there are two.
std::string random_string(RandomStream& random, const lattice::Graph& graph) {
  const auto letter = [&] { return "XYZ"[below(random, 3)]; };
  const lattice::Edge& edge = graph.edge(below(random, graph.n_edges()));
  if (below(random, 2) == 0) return fmt::format("{}{}", letter(), edge.a);
  return fmt::format("{}{} {}{}", letter(), edge.a, letter(), edge.b);
}

/// Values of one circuit held against its state vector; counts what was exact by its own account.
class Comparison {
 public:
  explicit Comparison(const lattice::Graph& graph) : graph_(graph) {}

  void run(SimulateOptions options, const std::string& gates) {
    deck::Schema schema;
    declare_keywords(schema, options);
    const auto parametric =
        circuit::make_circuit(options.circuit, gates, graph_.n_sites(), graph_.pairs_by_colour());
    const MeasurementPlan plan = plan_measurements(schema, options, graph_, parametric);
    const Point point = sweep_points(options).front();
    const auto result = simulate_point({options, graph_, parametric, plan}, point, world(),
                                       [](double, const std::string&) {});
    const circuit::Circuit circuit = parametric.bind(point.parameters);
    StateVector exact(graph_.n_sites(), 2);
    for (int step = 0; step < circuit.n_steps(); ++step) {
      for (const auto& gate : circuit.steps[static_cast<std::size_t>(step)]) exact.apply(gate);
      compare(plan, result, exact, static_cast<std::size_t>(step));
    }
  }

  int n_exact() const { return n_exact_; }

 private:
  void compare(const MeasurementPlan& plan, const PointResult& result, const StateVector& exact,
               std::size_t column) {
    const auto& z = circuit::pauli_operator('Z');
    double magnetization = 0;
    for (int site = 0; site < graph_.n_sites(); ++site) {
      const auto place = static_cast<std::size_t>(site);
      const double expected = exact.expectation(site, z);
      magnetization += expected / graph_.n_sites();
      if (plan.observables[0]->columns()[column].by_part[place].is_exact())
        expect(result.parts[0][column][place].value, expected, fmt::format("Z of site {}", site),
               column);
    }
    for (std::size_t k = 0; k < plan.observables.size(); ++k) {
      const Observable& observable = *plan.observables[k];
      const ObservableColumn& read = observable.columns()[column];
      if (read.ignored.is_exact())
        expect(result.observables[k][column],
               observable.string() ? exact.expectation(*observable.string()) : magnetization,
               observable.text() + ", read by " + read.route, column);
    }
  }

  void expect(double value, double expected, const std::string& what, std::size_t column) {
    ++n_exact_;
    EXPECT_NEAR(value, expected, 1e-12) << what << " after step " << column + 1;
  }

  const lattice::Graph& graph_;
  int n_exact_ = 0;
};

SimulateOptions options_of(RandomStream& random, const lattice::Graph& graph) {
  SimulateOptions options;
  options.circuit.name = "gate-list";
  options.circuit.file = "random.gates";
  options.circuit.theta_h = {one_of<double>(random, {0, 0.7, std::numbers::pi / 2})};
  options.circuit.theta_j = one_of<double>(random, {0, -1.1, 2 * std::numbers::pi});
  options.state.max_bond_dimension = {4096};
  options.state.discarded_weight_max = 0;
  // Most light cones here are small enough for a state vector, which would leave little to test.
  options.measure.state_vector_sites = one_of<std::int64_t>(random, {0, 0, 3, 24});
  options.state.route = one_of<std::string>(random, {"gram", "qr"});
  const auto first = random_string(random, graph), second = random_string(random, graph);
  options.measure.observables = {"magnetization", first};
  if (second != first) options.measure.observables.push_back(second);
  return options;
}

TEST(RandomCircuits, AgreeWithStateVectorsWhereverTheyAreExact) {
  int on_trees = 0, on_loops = 0;
  for (int number = 0; number < n_circuits; ++number) {
    RandomStream random{2026, static_cast<std::uint64_t>(number)};
    const lattice::Graph graph = random_graph(random);
    const std::string text = random_gate_list(random, graph);
    std::string where = fmt::format("circuit {}, edges", number);
    for (const auto& edge : graph.edges()) where += fmt::format(" {}-{}", edge.a, edge.b);
    SCOPED_TRACE(where + "\n" + text);
    Comparison comparison(graph);
    comparison.run(options_of(random, graph), text);
    (graph.n_edges() < graph.n_sites() ? on_trees : on_loops) += comparison.n_exact();
    if (world().max(::testing::Test::HasFailure() ? 1 : 0) == 1) return;
  }
  EXPECT_GT(on_trees, 1000);
  EXPECT_GT(on_loops, 1000);
}

}  // namespace
}  // namespace rankine::gpeps
