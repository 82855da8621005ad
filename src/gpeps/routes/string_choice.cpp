#include "gpeps/routes/string_choice.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "gpeps/job/forecast.hpp"
#include "gpeps/measurement/contraction_cost.hpp"
#include "gpeps/routes/own_circuit.hpp"

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::PauliString;

namespace {

/// Clifford layers that are undone one by one; beyond them only a single letter is worth its run.
constexpr int most_layers = 32;

/// The cone with those edges of the cluster that it lacks.
LightCone with_cluster(const lattice::Graph& graph, LightCone cone,
                       const lattice::Cluster& cluster) {
  std::map<int, int> position;
  std::set<int> edges;
  for (int at = 0; at < std::ssize(cone.places); ++at) position[cone.places[at].site] = at;
  for (const auto& edge : cone.edges) edges.insert(edge.edge);
  for (int site : cluster.sites)
    if (position.emplace(site, static_cast<int>(cone.places.size())).second)
      cone.places.push_back({site});
  const auto add = [&](int edge) {
    if (edge >= 0 && edges.insert(edge).second)
      cone.edges.push_back({position[graph.edge(edge).a], position[graph.edge(edge).b], edge});
  };
  for (int edge : cluster.parent_edge) add(edge);
  for (int edge : cluster.closing_edges) add(edge);
  return cone;
}

/// The part of a cone that belongs to some of its letters.
LightCone part_of(const LightCone& cone, const std::vector<int>& part, int wanted) {
  LightCone out;
  std::vector<int> position(cone.places.size(), -1);
  for (std::size_t at = 0; at < cone.places.size(); ++at)
    if (part[at] == wanted) {
      position[at] = static_cast<int>(out.places.size());
      out.places.push_back(cone.places[at]);
    }
  for (const auto& edge : cone.edges)
    if (part[edge.a] == wanted)
      out.edges.push_back({position[edge.a], position[edge.b], edge.edge});
  return out;
}

}  // namespace

BestWays StringChooser::best_ways(int n_steps, Memory& memory) const {
  BestWays best;
  if (memory.is_hopeless && n_steps > window) return best;
  for (WayInDepth& way : memory.ways)
    if (way.route().extension.n_steps() <= n_steps) best.add(way.at(measured_, n_steps));
  memory.least_flops = best.least_flops();
  memory.is_hopeless =
      n_steps > window && n_steps <= measured_.cones.n_steps_alike() && best.is_empty();
  return best;
}

void StringChooser::find_routes(const PauliString& string, int n_steps, Memory& memory) const {
  if (!measured_.clifford || string.letters.size() < 2) {
    if (memory.ways.empty()) memory.ways.emplace_back(circuit::CliffordRoute{{}, string});
    return;
  }
  // Steps that are alike are undone alike, from wherever one begins.
  const int alike = measured_.cones.n_steps_alike();
  const int from = n_steps <= alike ? alike : n_steps;
  if (memory.ways_of == from) return;
  const auto routes = clifford_routes(truncated(*measured_.clifford, from), string, most_layers);
  memory.ways.assign(routes.begin(), routes.end());
  memory.ways_of = from;
}

std::vector<std::vector<Factor>> StringChooser::choose(const PauliString& string,
                                                       const std::vector<int>& steps) const {
  std::vector<Asked> asked;
  lattice::Cluster tree;
  if (graph().is_cell()) {
    // On an infinite lattice the letters stand where the smallest tree of the cell leads.
    tree = lattice::smallest_cluster(graph(), string.support());
    tree.closing_edges.clear();
    for (const Place& place : unrolled(graph(), tree))
      if (const auto letter = string.letters.find(place.site); letter != string.letters.end())
        asked.push_back({place, demand_of(letter->second)});
  } else {
    for (const auto& [site, letter] : string.letters) asked.push_back({{site}, demand_of(letter)});
  }
  const std::vector<LightCone> cones = measured_.cones.of(asked, steps);
  std::map<std::vector<int>, Memory> memories;  // of each group of letters
  std::vector<std::vector<Factor>> factors(steps.size());
  for (std::size_t column = 0; column < steps.size(); ++column) {
    if (graph().is_cell()) {
      factors[column] = {choose_on_cell(string, tree, cones[column], steps[column])};
      continue;
    }
    const auto part = connected_parts(cones[column]);
    std::map<int, PauliString> groups;
    int at = 0;
    for (const auto& [site, letter] : string.letters) groups[part[at++]].letters[site] = letter;
    for (const auto& [index, group] : groups) {
      Memory& memory = memories[group.support()];
      find_routes(group, steps[column], memory);
      factors[column].push_back(
          choose_factor(group, part_of(cones[column], part, index), steps[column], memory));
    }
  }
  return factors;
}

Factor StringChooser::choose_factor(const PauliString& string, const LightCone& cone, int n_steps,
                                    Memory& memory) const {
  const Loops loops = count_loops(cone, measured_.shortest_loop);
  const bool is_one_letter = string.letters.size() == 1;
  if (loops.independent == 0 && (is_one_letter || !measured_.clifford))
    return in_the_direct_run(string, cone, loops, n_steps, memory);
  const BestWays best = best_ways(n_steps, memory);
  if (loops.independent == 0) {
    // The direct run is exact as well; a run of its own has to be cheaper.
    const Way& own = best.whole.is_affordable() ? best.whole : best.truncated;
    const bool is_other =
        own.contraction_flops < Way::never && !own.contraction.extension->steps.empty();
    return is_other ? own.contraction : in_the_direct_run(string, cone, loops, n_steps, memory);
  }
  if (best.whole.contraction_flops <= best.vector.vector_flops &&
      best.whole.contraction_flops < Way::never)
    return best.whole.contraction;
  if (best.vector.vector_flops < Way::never) return best.vector.vector;
  if (best.truncated.contraction_flops < Way::never) return best.truncated.contraction;
  return leaving_loops(string, cone, n_steps, loops, memory);
}

Factor StringChooser::leaving_loops(const PauliString& string, const LightCone& cone, int n_steps,
                                    const Loops& loops, Memory& memory) const {
  const auto& route = memory.ways.back().route();
  Factor factor;
  if (memory.ways.size() > 1 && route.readout.letters.size() == 1 &&
      route.extension.n_steps() <= n_steps) {
    factor = {Environment::mean_field, std::make_shared<const Circuit>(route.extension),
              route.readout};
    const Way own = way_after(
        measured_, last_steps(measured_.circuit, n_steps, window + route.extension.n_steps()),
        route);
    factor.ignored = {own.loops.independent, own.loops.shortest, 0};
  } else {
    factor = in_the_direct_run(string, cone, loops, n_steps, memory);
  }
  if (!factor.ignored.is_exact()) factor.ignored.exact_flops = memory.least_flops;
  return factor;
}

Factor StringChooser::in_the_direct_run(const PauliString& string, const LightCone& cone,
                                        const Loops& loops, int n_steps, Memory& memory) const {
  if (string.letters.size() == 1)
    return {.environment = Environment::mean_field,
            .string = string,
            .ignored = {loops.independent, loops.shortest, 0}};
  Factor factor{.environment = Environment::cluster, .string = string};
  if (loops.independent == 0) {
    // The one tree along which the letters depend on each other.
    std::vector<std::int64_t> dimensions(graph().n_edges(), 1);
    for (const auto& edge : cone.edges) dimensions[edge.edge] = 2;
    factor.cluster = *light_cone_cluster(graph(), dimensions, string.support());
    return factor;
  }
  if (memory.cluster.sites.empty())
    memory.cluster = lattice::smallest_cluster(graph(), string.support());
  factor.cluster = memory.cluster;
  if (!factor.cluster.closing_edges.empty()) {
    const Forecast cost = forecast(graph(), last_steps(measured_.circuit, n_steps, window),
                                   std::ranges::max(options().state.max_bond_dimension));
    const auto contraction = contraction_cost(graph(), factor.cluster, cost.edge_dimensions);
    if (contraction.flops > options().measure.loop_flops_max ||
        contraction.elements > most_elements)
      factor.cluster.closing_edges.clear();
  }
  const Loops all =
      count_loops(with_cluster(graph(), cone, factor.cluster), measured_.shortest_loop);
  const int opened = static_cast<int>(factor.cluster.closing_edges.size());
  if (all.independent > opened) factor.ignored = {all.independent - opened, all.shortest, 0};
  return factor;
}

Factor StringChooser::choose_on_cell(const PauliString& string, const lattice::Cluster& cluster,
                                     LightCone cone, int n_steps) const {
  Factor factor{.environment = Environment::mean_field, .string = string};
  if (string.letters.size() > 1) {
    factor.environment = Environment::cluster;
    factor.cluster = cluster;
    add_tree(graph(), cluster, cone);
  }
  const Loops loops = count_loops(cone, measured_.shortest_loop);
  if (loops.independent > 0)
    factor.ignored = {loops.independent, loops.shortest, vector_flops(cone, n_steps)};
  return factor;
}

}  // namespace rankine::gpeps
