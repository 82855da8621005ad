// Decks of rankine-simulate: the TOML, the keywords, the rules across them; and, for decks of small
// lattices, all that --check looks at.
#include "core/errors.hpp"
#include "deck/echo.hpp"
#include "deck/read.hpp"
#include "decks.hpp"
#include "gpeps/job/options.hpp"
#include "gpeps/sweep.hpp"
#include "lattice/options.hpp"
#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

constexpr const char* all_keywords = R"(
title = "all keywords"
[lattice]
name = "heavy-hex"
rows = 2
row_length = 3
[circuit]
name = "kicked-ising"
steps = 3
theta_h = [0.0, 0.3, 1.5707963267948966]
theta_j = -1.5707963267948966
final_rx_layer = true
[state]
max_bond_dimension = [4, 8]
discarded_weight_max = 1e-16
precision = "complex64"
causal_cone = true
route = "gram"
[measure]
observables = ["magnetization", "Z1", "X0 Y1 Z2"]
every = 2
clifford_route = "automatic"
loop_flops_max = 1e9
[parallel]
teams = 1
memory_per_rank = 0.5
[output]
file = "out.h5"
#override state.max_bond_dimension=[2,4]
#override circuit.theta_h=0.25
)";

constexpr const char* gate_list = R"(
[lattice]
name = "edge-list"
file = "inputs/smoke/tree.edges"
n_sites = 7
[circuit]
name = "gate-list"
file = "inputs/smoke/cat_state.gates"
theta_h = 0.5
[measure]
observables = ["Z6", "Z5 Z6", "Y0 X1 X2 X3 X4 X5 X6"]
[output]
file = "out.h5"
)";

void read_deck(const std::string& text, const fs::path&) {
  gpeps::SimulateOptions options;
  deck::Schema schema;
  gpeps::declare_keywords(schema, options);
  deck::read_text(schema, text, "deck.toml", overrides_in(text));
  deck::effective_deck(schema);
  gpeps::sweep_points(options);
}

void plan_deck(const std::string& text, const fs::path&) {
  gpeps::SimulateOptions options;
  deck::Schema schema;
  gpeps::declare_keywords(schema, options);
  deck::read_text(schema, text, "deck.toml", overrides_in(text));
  const lattice::Graph graph = lattice::make_lattice(options.lattice);
  const auto circuit =
      circuit::make_circuit(options.circuit, circuit::load_circuit(options.circuit),
                            graph.n_sites(), graph.pairs_by_colour());
  const gpeps::MeasurementPlan plan = gpeps::plan_measurements(schema, options, graph, circuit);
  const auto resources = gpeps::plan_resources(
      {options, graph, circuit, plan}, {.ranks = 3, .ranks_per_node = 3, .node_bytes = 4000000000});
  resources.lines();
  gpeps::require_memory(resources);
}

}  // namespace

Target decks_of_simulate() {
  Target target{.name = "decks",
                .seeds = decks_of("rankine-simulate"),
                .words = words_of_decks(),
                .read = read_deck};
  target.seeds.push_back(all_keywords);
  return target;
}

Target plans_of_simulate() {
  return {.name = "plans",
          .seeds = {all_keywords, gate_list},
          .words = words_of_decks(),
          .read = plan_deck};
}

}  // namespace rankine::fuzz
