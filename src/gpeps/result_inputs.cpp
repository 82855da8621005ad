#include "gpeps/result_inputs.hpp"

#include <fmt/format.h>

#include "core/sha256.hpp"

namespace rankine::gpeps {

void write_inputs(files::ResultFile& file, const Job& job) {
  const lattice::Graph& graph = job.graph;
  std::vector<std::int64_t> edges;
  std::string edge_list = fmt::format("{}\n", graph.n_sites());
  for (const lattice::Edge& edge : graph.edges()) {
    edges.insert(edges.end(), {edge.a, edge.b, edge.colour});
    edge_list += fmt::format("{} {} {}\n", edge.a, edge.b, edge.colour);
  }
  file.write("/inputs/edges", edges, {edges.size() / 3, 3},
             {"edges of the lattice: two sites and a colour",
              "1",
              {"edges", "first site, second site, colour"},
              {{"sha256", sha256(edge_list)}, {"n_sites", std::int64_t{graph.n_sites()}}}});

  const circuit::CircuitText circuit = job.circuit.text();
  file.write("/inputs/steps", circuit.steps, {circuit.steps.size()},
             {"different steps of the circuit, as gate lists", "1", {"different steps"}});
  file.write("/inputs/step_order", circuit.order, {circuit.order.size()},
             {"for each step of the circuit its place in /inputs/steps",
              "1",
              {"steps"},
              {{"sha256", sha256(circuit.gate_list())}}});
}

}  // namespace rankine::gpeps
