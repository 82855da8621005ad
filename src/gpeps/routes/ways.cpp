#include "gpeps/routes/ways.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "gpeps/job/forecast.hpp"
#include "gpeps/measurement/contraction_cost.hpp"
#include "gpeps/measurement/state_vector.hpp"
#include "gpeps/routes/own_circuit.hpp"

namespace rankine::gpeps {

using circuit::Circuit;
using circuit::PauliString;

MeasuredCircuit::MeasuredCircuit(const SimulateOptions& deck, const lattice::Graph& lattice,
                                 const circuit::ParametricCircuit& parametric)
    : options(deck),
      graph(lattice),
      circuit(parametric.bind(parameters_at(deck, generic_angle))),
      cones(lattice, circuit),
      shortest_loop(std::max(3, count_loops(whole_lattice(lattice)).shortest)) {
  if (graph.is_cell()) shortest_loop = 3;
  if (options.measure.clifford_route != "never" && options.circuit.name == "kicked-ising")
    clifford = parametric.bind(parameters_at(deck, std::numbers::pi / 2));
}

namespace {

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

}  // namespace

Way way_along(const MeasuredCircuit& measured, const circuit::CliffordRoute& route, int n_steps) {
  if (n_steps > window && route.extension.n_steps() <= window / 2) {
    Way recent = way_after(measured, last_steps(measured.circuit, n_steps, window), route);
    if (!recent.is_affordable()) return recent;
  }
  return way_after(measured, truncated(measured.circuit, n_steps), route);
}

Way way_after(const MeasuredCircuit& measured, Circuit circuit,
              const circuit::CliffordRoute& route) {
  const SimulateOptions& options = measured.options;
  const lattice::Graph& graph = measured.graph;
  const PauliString& string = route.readout;
  const Circuit own =
      cone_circuit(extended(std::move(circuit), route.extension), string, graph.n_sites());
  const LightCone cone = touched(graph, own, string);
  const auto extension = std::make_shared<const Circuit>(route.extension);
  Way way{.contraction = {Environment::light_cone, extension, string},
          .vector = {Environment::state_vector, extension, string},
          .loops = count_loops(cone, measured.shortest_loop)};
  const auto n_places = static_cast<int>(cone.places.size());
  way.n_sites = n_places;
  way.least_flops = state_vector_flops(n_places, own);
  if (n_places <= options.measure.state_vector_sites) {
    way.vector.sites = cone.sites();
    way.vector_flops = way.least_flops;
  }
  const auto [smallest, largest] = std::ranges::minmax(options.state.max_bond_dimension);
  way.is_truncated = forecast(graph, own, smallest + 1).bond_dimension > smallest;
  const Forecast cost = forecast(graph, own, largest);
  const auto cluster = light_cone_cluster(graph, cost.edge_dimensions, string.support());
  if (!options.state.causal_cone || !cluster) return way;
  const bool few = std::ssize(cluster->closing_edges) <= most_loops;
  way.contraction.cluster = few ? cheapest_root(graph, *cluster, cost.edge_dimensions) : *cluster;
  const ContractionCost contraction =
      contraction_cost(graph, way.contraction.cluster, cost.edge_dimensions);
  const double flops = total_flops(cost) + contraction.flops;
  way.least_flops = std::min(way.least_flops, flops);
  if (contraction.flops <= options.measure.loop_flops_max && contraction.elements <= most_elements)
    way.contraction_flops = flops;
  return way;
}

namespace {

constexpr double Way::*costs[] = {&Way::contraction_flops, &Way::vector_flops, &Way::least_flops};

/// What a step more costs, between two depths.
double slope(const std::pair<int, Way>& a, const std::pair<int, Way>& b, double Way::*cost) {
  return (b.second.*cost - a.second.*cost) / (b.first - a.first);
}

bool is_of_one_kind(const Way& a, const Way& b) {
  return a.is_truncated == b.is_truncated && a.n_sites == b.n_sites &&
         a.loops.independent == b.loops.independent &&
         a.contraction.cluster.sites == b.contraction.cluster.sites &&
         a.contraction.cluster.closing_edges == b.contraction.cluster.closing_edges &&
         a.vector.sites == b.vector.sites;
}

}  // namespace

bool WayInDepth::follows_a_line() const {
  if (known_.size() < 3) return false;
  const auto& [first, second, third] = std::tie(known_[0], known_[1], known_[2]);
  if (!is_of_one_kind(first.second, second.second) || !is_of_one_kind(second.second, third.second))
    return false;
  return std::ranges::all_of(costs, [&](double Way::*cost) {
    if (first.second.*cost == Way::never)
      return second.second.*cost == Way::never && third.second.*cost == Way::never;
    const double before = slope(first, second, cost), after = slope(second, third, cost);
    return std::abs(after - before) <= 1e-9 * std::abs(third.second.*cost);
  });
}

Way WayInDepth::at(const MeasuredCircuit& measured, int n_steps) {
  const bool is_deep = n_steps > window && n_steps <= measured.cones.n_steps_alike();
  if (is_deep && follows_a_line()) {
    const auto& last = known_.back();
    Way way = last.second;
    for (double Way::*cost : costs)
      if (way.*cost < Way::never)
        way.*cost += (n_steps - last.first) * slope(known_.front(), last, cost);
    return way;
  }
  Way way = way_along(measured, route_, n_steps);
  if (!is_deep) return way;
  if (known_.size() == 3) known_.erase(known_.begin());
  known_.emplace_back(n_steps, way);
  return way;
}

bool BestWays::is_empty() const {
  return !whole.is_affordable() && !truncated.is_affordable() && !vector.is_affordable();
}

double BestWays::least_flops() const {
  return std::min({whole.least_flops, truncated.least_flops, vector.least_flops});
}

void BestWays::add(const Way& way) {
  Way& same = way.is_truncated ? truncated : whole;
  const double least = std::min(same.least_flops, way.least_flops);
  if (way.contraction_flops < same.contraction_flops) same = way;
  if (way.vector_flops < vector.vector_flops) vector = way;
  same.least_flops = least;
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

}  // namespace rankine::gpeps
