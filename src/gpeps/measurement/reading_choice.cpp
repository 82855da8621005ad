#include "gpeps/measurement/reading_choice.hpp"

#include <algorithm>
#include <numbers>
#include <set>

#include "gpeps/job/forecast.hpp"
#include "gpeps/measurement/cluster_contraction.hpp"
#include "gpeps/measurement/state_vector.hpp"

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::Demand;
using circuit::PauliString;

namespace {

/// Messages of a contraction beyond this number of elements are not worth their memory.
constexpr double most_elements = 1e8;
/// State vectors of the sites of one step together; about a minute.
constexpr double most_vector_flops = 4e12;
/// What is spent on exact values of some sites when the magnetization cannot be exact.
constexpr double flops_next_to_nothing = 1e10;
/// Up to this many sites a state vector costs less than to think about anything else.
constexpr std::size_t few_sites = 16;
/// With more loops the best order of contraction is not looked for.
constexpr int most_loops = 12;
/// Clifford layers that are undone one by one; beyond them only a single letter is worth its run.
constexpr int most_layers = 32;
/// What is not affordable for the last steps of a circuit alone is not affordable for all of them.
constexpr int window = 32;

Circuit last_steps(const Circuit& circuit, int n_steps, int count) {
  const auto end = circuit.steps.begin() + n_steps;
  return {{end - std::min(n_steps, count), end}};
}

Circuit cut_to_cone(const Circuit& circuit, const PauliString& string, int n_sites) {
  std::vector<std::vector<Demand>> measured(circuit.steps.size());
  if (measured.empty()) return circuit;
  measured.back().assign(n_sites, Demand::none);
  add_demand(measured.back(), string);
  return causal_cone(circuit, n_sites, measured);
}

Circuit extended(Circuit circuit, const Circuit& extension) {
  for (const auto& step : extension.steps) circuit.steps.push_back(step);
  return circuit;
}

/// A run of its own reduced to what its string needs.
Circuit cone_circuit(const Circuit& circuit, const PauliString& string, int n_sites) {
  return cut_to_cone(fused(cut_to_cone(circuit, string, n_sites), n_sites), string, n_sites);
}

/// The sites and edges that gates of `circuit` or letters of `string` touch.
LightCone touched(const lattice::Graph& graph, const Circuit& circuit, const PauliString& string) {
  std::map<int, int> position;
  std::set<int> edges;
  LightCone cone;
  const auto add = [&](int site) {
    if (position.emplace(site, static_cast<int>(cone.places.size())).second)
      cone.places.push_back({site});
  };
  for (int site : string.support()) add(site);
  for (auto step = circuit.steps.rbegin(); step != circuit.steps.rend(); ++step)
    for (auto gate = step->rbegin(); gate != step->rend(); ++gate) {
      for (int k = 0; k < gate->n_sites(); ++k) add(gate->sites[k]);
      if (gate->n_sites() == 2) edges.insert(graph.find_edge(gate->sites[0], gate->sites[1]));
    }
  for (int edge : edges)
    cone.edges.push_back({position.at(graph.edge(edge).a), position.at(graph.edge(edge).b), edge});
  return cone;
}

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

/// About what a state vector of a light cone takes: half of the gates of each step, since the cone
/// narrows.
double vector_flops(std::size_t n_sites, std::size_t n_edges, int n_steps) {
  return state_vector_flops(static_cast<int>(n_sites),
                            0.5 * static_cast<double>(n_sites + n_edges) * n_steps);
}

double vector_flops(const LightCone& cone, int n_steps) {
  return vector_flops(cone.places.size(), cone.edges.size(), n_steps);
}

PauliString z_of(int site) {
  PauliString string;
  string.letters[site] = 'Z';
  return string;
}

Demand demand_of(char letter) { return letter == 'Z' ? Demand::diagonal : Demand::full; }

}  // namespace

Circuit truncated(const Circuit& circuit, int n_steps) {
  return {{circuit.steps.begin(), circuit.steps.begin() + n_steps}};
}

void add_demand(std::vector<Demand>& demand, const PauliString& string) {
  for (const auto& [site, letter] : string.letters)
    demand[site] = std::max(demand[site], demand_of(letter));
}

Circuit own_circuit(Circuit circuit, const Circuit& extension, const PauliString& string,
                    const SimulateOptions& options, int n_sites) {
  circuit = extended(std::move(circuit), extension);
  return options.state.causal_cone ? cone_circuit(circuit, string, n_sites)
                                   : fused(circuit, n_sites);
}

ReadingChooser::ReadingChooser(const SimulateOptions& options, const lattice::Graph& graph,
                               const circuit::ParametricCircuit& circuit)
    : options_(options),
      graph_(graph),
      circuit_(circuit.bind(parameters_at(options, generic_angle))),
      cones_(graph, circuit_),
      shortest_loop_(std::max(3, count_loops(whole_lattice(graph)).shortest)) {
  if (graph.is_cell()) shortest_loop_ = 3;
  if (options.measure.clifford_route != "never" && options.circuit.name == "kicked-ising")
    clifford_ = circuit.bind(parameters_at(options, std::numbers::pi / 2));
}

// One way to read a string

ReadingChooser::Way ReadingChooser::way(const circuit::CliffordRoute& route, int n_steps) const {
  if (n_steps > window && route.extension.n_steps() <= window / 2) {
    Way recent = way_of(route, last_steps(circuit_, n_steps, window));
    if (!recent.is_affordable()) return recent;
  }
  return way_of(route, truncated(circuit_, n_steps));
}

ReadingChooser::Way ReadingChooser::way_of(const circuit::CliffordRoute& route,
                                           Circuit circuit) const {
  const PauliString& string = route.readout;
  const Circuit own =
      cone_circuit(extended(std::move(circuit), route.extension), string, graph_.n_sites());
  const LightCone cone = touched(graph_, own, string);
  Way way{.contraction = {Environment::light_cone, route.extension, string},
          .vector = {Environment::state_vector, route.extension, string},
          .loops = count_loops(cone, shortest_loop_)};
  const auto n_places = static_cast<int>(cone.places.size());
  way.least_flops = state_vector_flops(n_places, own);
  if (n_places <= most_vector_sites()) {
    way.vector.sites = cone.sites();
    way.vector_flops = way.least_flops;
  }
  const auto [smallest, largest] = std::ranges::minmax(options_.state.max_bond_dimension);
  way.is_truncated = forecast(graph_, own, smallest + 1).bond_dimension > smallest;
  const Forecast cost = forecast(graph_, own, largest);
  const auto cluster = light_cone_cluster(graph_, cost.edge_dimensions, string.support());
  if (!options_.state.causal_cone || !cluster) return way;
  const bool few = std::ssize(cluster->closing_edges) <= most_loops;
  way.contraction.cluster = few ? cheapest_root(graph_, *cluster, cost.edge_dimensions) : *cluster;
  const ContractionCost contraction =
      contraction_cost(graph_, way.contraction.cluster, cost.edge_dimensions);
  const double flops = total_flops(cost) + contraction.flops;
  way.least_flops = std::min(way.least_flops, flops);
  if (contraction.flops <= options_.measure.loop_flops_max && contraction.elements <= most_elements)
    way.contraction_flops = flops;
  return way;
}

bool ReadingChooser::BestWays::is_empty() const {
  return !whole.is_affordable() && !truncated.is_affordable() && !vector.is_affordable();
}

double ReadingChooser::BestWays::least_flops() const {
  return std::min({whole.least_flops, truncated.least_flops, vector.least_flops});
}

void ReadingChooser::BestWays::add(const Way& way) {
  Way& same = way.is_truncated ? truncated : whole;
  const double least = std::min(same.least_flops, way.least_flops);
  if (way.contraction_flops < same.contraction_flops) same = way;
  if (way.vector_flops < vector.vector_flops) vector = way;
  same.least_flops = least;
}

ReadingChooser::BestWays ReadingChooser::best_ways(int n_steps, Memory& memory) const {
  BestWays best;
  if (memory.is_hopeless && n_steps > window) return best;
  for (const auto& route : memory.routes)
    if (route.extension.n_steps() <= n_steps) best.add(way(route, n_steps));
  memory.least_flops = best.least_flops();
  memory.is_hopeless = n_steps > window && n_steps <= cones_.n_steps_alike() && best.is_empty();
  return best;
}

// Strings

void ReadingChooser::find_routes(const PauliString& string, int n_steps, Memory& memory) const {
  if (!clifford_ || string.letters.size() < 2) {
    memory.routes = {{{}, string}};
    return;
  }
  // Steps that are alike are undone alike, from wherever one begins.
  const int alike = cones_.n_steps_alike();
  const int from = n_steps <= alike ? alike : n_steps;
  if (memory.routes_of == from) return;
  memory.routes = clifford_routes(truncated(*clifford_, from), string, most_layers);
  memory.routes_of = from;
}

std::vector<Reading> ReadingChooser::choose(const PauliString& string,
                                            const std::vector<int>& steps) const {
  std::vector<Asked> asked;
  lattice::Cluster tree;
  if (graph_.is_cell()) {
    // On an infinite lattice the letters stand where the smallest tree of the cell leads.
    tree = lattice::smallest_cluster(graph_, string.support());
    tree.closing_edges.clear();
    for (const Place& place : unrolled(graph_, tree))
      if (const auto letter = string.letters.find(place.site); letter != string.letters.end())
        asked.push_back({place, demand_of(letter->second)});
  } else {
    for (const auto& [site, letter] : string.letters) asked.push_back({{site}, demand_of(letter)});
  }
  const std::vector<LightCone> cones = cones_.of(asked, steps);
  std::map<std::vector<int>, Memory> memories;  // of each group of letters
  std::vector<Reading> readings(steps.size());
  for (std::size_t column = 0; column < steps.size(); ++column) {
    if (graph_.is_cell()) {
      readings[column] = choose_on_cell(string, tree, cones[column], steps[column]);
      continue;
    }
    const auto part = connected_parts(cones[column]);
    std::map<int, PauliString> groups;
    int at = 0;
    for (const auto& [site, letter] : string.letters) groups[part[at++]].letters[site] = letter;
    for (const auto& [index, group] : groups) {
      Memory& memory = memories[group.support()];
      find_routes(group, steps[column], memory);
      readings[column].factors.push_back(
          choose_factor(group, part_of(cones[column], part, index), steps[column], memory));
    }
  }
  return readings;
}

Factor ReadingChooser::choose_factor(const PauliString& string, const LightCone& cone, int n_steps,
                                     Memory& memory) const {
  const Loops loops = count_loops(cone, shortest_loop_);
  const bool is_one_letter = string.letters.size() == 1;
  if (loops.independent == 0 && (is_one_letter || !clifford_))
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

Factor ReadingChooser::leaving_loops(const PauliString& string, const LightCone& cone, int n_steps,
                                     const Loops& loops, Memory& memory) const {
  const auto& route = memory.routes.back();
  Factor factor;
  if (memory.routes.size() > 1 && route.readout.letters.size() == 1 &&
      route.extension.n_steps() <= n_steps) {
    factor = {Environment::mean_field, route.extension, route.readout};
    const Way own =
        way_of(route, last_steps(circuit_, n_steps, window + route.extension.n_steps()));
    factor.ignored = {own.loops.independent, own.loops.shortest, 0};
  } else {
    factor = in_the_direct_run(string, cone, loops, n_steps, memory);
  }
  if (!factor.ignored.is_exact()) factor.ignored.exact_flops = memory.least_flops;
  return factor;
}

Factor ReadingChooser::in_the_direct_run(const PauliString& string, const LightCone& cone,
                                         const Loops& loops, int n_steps, Memory& memory) const {
  if (string.letters.size() == 1)
    return {.environment = Environment::mean_field,
            .string = string,
            .ignored = {loops.independent, loops.shortest, 0}};
  Factor factor{.environment = Environment::cluster, .string = string};
  if (loops.independent == 0) {
    // The one tree along which the letters depend on each other.
    std::vector<std::int64_t> dimensions(graph_.n_edges(), 1);
    for (const auto& edge : cone.edges) dimensions[edge.edge] = 2;
    factor.cluster = *light_cone_cluster(graph_, dimensions, string.support());
    return factor;
  }
  if (memory.cluster.sites.empty())
    memory.cluster = lattice::smallest_cluster(graph_, string.support());
  factor.cluster = memory.cluster;
  if (!factor.cluster.closing_edges.empty()) {
    const Forecast cost = forecast(graph_, last_steps(circuit_, n_steps, window),
                                   std::ranges::max(options_.state.max_bond_dimension));
    const auto contraction = contraction_cost(graph_, factor.cluster, cost.edge_dimensions);
    if (contraction.flops > options_.measure.loop_flops_max || contraction.elements > most_elements)
      factor.cluster.closing_edges.clear();
  }
  const Loops all = count_loops(with_cluster(graph_, cone, factor.cluster), shortest_loop_);
  const int opened = static_cast<int>(factor.cluster.closing_edges.size());
  if (all.independent > opened) factor.ignored = {all.independent - opened, all.shortest, 0};
  return factor;
}

Reading ReadingChooser::choose_on_cell(const PauliString& string, const lattice::Cluster& cluster,
                                       LightCone cone, int n_steps) const {
  Factor factor{.environment = Environment::mean_field, .string = string};
  if (string.letters.size() > 1) {
    factor.environment = Environment::cluster;
    factor.cluster = cluster;
    add_tree(graph_, cluster, cone);
  }
  const Loops loops = count_loops(cone, shortest_loop_);
  if (loops.independent > 0)
    factor.ignored = {loops.independent, loops.shortest, vector_flops(cone, n_steps)};
  return {{factor}};
}

// The sites of the magnetization

struct ReadingChooser::Column {
  struct Candidate {
    int site = 0;
    std::vector<int> cone;  ///< its sites, few enough for a state vector
    double flops = 0;       ///< about, of that vector
  };
  int n_steps = 0;
  std::vector<Candidate> vectors;
  std::vector<int> contractions;
  bool has_others = false;  ///< sites that cannot be read exactly
  std::map<int, Factor>* factors = nullptr;
  std::vector<LoopsIgnored>* ignored = nullptr;

  void set(int site, Factor factor) {
    (*ignored)[site] = {};
    factors->emplace(site, std::move(factor));
  }
};

ReadingChooser::Sites ReadingChooser::choose_sites(
    const std::vector<int>& steps, const std::vector<std::map<int, int>>& known) const {
  const int n_sites = graph_.n_sites();
  Sites sites{std::vector<std::map<int, Factor>>(steps.size()),
              std::vector(steps.size(), std::vector<LoopsIgnored>(n_sites))};
  std::vector<Column> columns(steps.size());
  for (std::size_t c = 0; c < steps.size(); ++c)
    columns[c] = {steps[c], {}, {}, false, &sites.factors[c], &sites.ignored[c]};
  for (int site = 0; site < n_sites; ++site) {
    const auto cones = cones_.of({{{site}, Demand::diagonal}}, steps);
    for (std::size_t c = 0; c < steps.size(); ++c) {
      const Loops loops = count_loops(cones[c], shortest_loop_);
      if (loops.independent == 0) continue;
      const double flops = vector_flops(cones[c], steps[c]);
      sites.ignored[c][site] = {loops.independent, loops.shortest, flops};
      if (graph_.is_cell() || known[c].contains(site)) continue;
      if (std::cmp_less_equal(cones[c].places.size(), most_vector_sites()))
        columns[c].vectors.push_back({site, cones[c].sites(), flops});
      else if (options_.state.causal_cone && loops.independent <= most_loops)
        columns[c].contractions.push_back(site);
      else
        columns[c].has_others = true;
    }
  }
  std::vector<bool> is_hopeless(n_sites, false);
  for (Column& column : columns) choose_column(column, is_hopeless);
  return sites;
}

/// A state vector for each candidate, or what contracts its loops for less.
std::vector<ReadingChooser::SiteChoice> ReadingChooser::vector_choices(const Column& column) const {
  std::set<int> all;
  double apart = 0;
  for (const auto& candidate : column.vectors) {
    all.insert(candidate.cone.begin(), candidate.cone.end());
    apart += candidate.flops;
  }
  const double one = vector_flops(all.size(), graph_.n_edges(), column.n_steps);
  const bool may_be_whole = !column.has_others && column.contractions.empty();
  const bool together = may_be_whole && std::cmp_less_equal(all.size(), most_vector_sites()) &&
                        (one <= apart || apart > most_vector_flops);
  std::vector<SiteChoice> choices;
  for (const auto& candidate : column.vectors) {
    SiteChoice choice{candidate.site,
                      {.environment = Environment::state_vector,
                       .extension = Circuit{},
                       .string = z_of(candidate.site),
                       .sites = candidate.cone},
                      candidate.flops};
    if (together) {
      choice.factor.sites.assign(all.begin(), all.end());
      choice.flops = one / static_cast<double>(column.vectors.size());
    } else if (!column.has_others && candidate.cone.size() > few_sites) {
      const Way other = way({{}, z_of(candidate.site)}, column.n_steps);
      choice.flops = other.vector_flops;
      if (!other.is_truncated && other.contraction_flops < other.vector_flops)
        choice = {candidate.site, other.contraction, other.contraction_flops};
    }
    choices.push_back(std::move(choice));
  }
  std::ranges::stable_sort(choices, {}, &SiteChoice::flops);
  return choices;
}

/// The contraction of all loops for each candidate; nothing when that is not exact or not
/// affordable for all of them.
std::optional<std::vector<ReadingChooser::SiteChoice>> ReadingChooser::contraction_choices(
    Column& column, std::vector<bool>& is_hopeless) const {
  std::vector<SiteChoice> choices;
  double spent = 0;
  if (column.has_others) return std::nullopt;
  for (int site : column.contractions) {
    if (is_hopeless[site]) return std::nullopt;
    Way own = way({{}, z_of(site)}, column.n_steps);
    LoopsIgnored& ignored = (*column.ignored)[site];
    ignored.exact_flops = std::min(ignored.exact_flops, own.least_flops);
    spent += own.is_truncated ? Way::never : own.contraction_flops;
    if (spent > options_.measure.loop_flops_max) {
      is_hopeless[site] = column.n_steps <= cones_.n_steps_alike();
      return std::nullopt;
    }
    choices.push_back({site, std::move(own.contraction), own.contraction_flops});
  }
  return choices;
}

/// Exact for every site where that is affordable. Otherwise the magnetization is not exact, and
/// only those sites are that cost nearly nothing.
void ReadingChooser::choose_column(Column& column, std::vector<bool>& is_hopeless) const {
  const auto contractions = contraction_choices(column, is_hopeless);
  auto vectors = vector_choices(column);
  double all = 0;
  for (const SiteChoice& choice : vectors) all += choice.flops;
  const bool is_whole = contractions && all <= most_vector_flops;
  double spent = 0;
  for (SiteChoice& choice : vectors) {
    spent += choice.flops;
    if (is_whole || spent <= flops_next_to_nothing)
      column.set(choice.site, std::move(choice.factor));
  }
  if (!is_whole) return;
  for (const SiteChoice& choice : *contractions) column.set(choice.site, choice.factor);
}

}  // namespace rankine::gpeps
