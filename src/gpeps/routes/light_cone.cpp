#include "gpeps/routes/light_cone.hpp"

#include <algorithm>
#include <numeric>
#include <queue>
#include <unordered_map>

namespace rankine::gpeps {

using circuit::Demand;

std::vector<int> LightCone::sites() const {
  std::vector<int> all;
  for (const Place& place : places) all.push_back(place.site);
  return all;
}

std::vector<int> connected_parts(const LightCone& cone) {
  std::vector<int> part(cone.places.size());
  std::iota(part.begin(), part.end(), 0);
  const auto find = [&](int at) {
    while (part[at] != at) at = part[at] = part[part[at]];
    return at;
  };
  for (const auto& edge : cone.edges) part[find(edge.a)] = find(edge.b);
  for (int at = 0; at < std::ssize(part); ++at) part[at] = find(at);
  return part;
}

namespace {

/// Looks for the shortest loop, breadth first from one place after the other.
class LoopSearch {
 public:
  explicit LoopSearch(const LightCone& cone)
      : neighbours_(cone.places.size()), seen_(cone.places.size()) {
    for (const auto& edge : cone.edges) {
      neighbours_[edge.a].push_back(edge.b);
      neighbours_[edge.b].push_back(edge.a);
    }
  }

  int shortest(int least) {
    const auto n = static_cast<int>(neighbours_.size());
    int found = n + 1;
    for (int from = 0; from < n && found > least; ++from) found = through(from, found);
    return found;
  }

 private:
  struct Seen {
    int from = -1;  ///< the search that has seen it last
    int distance = 0;
    int previous = -1;
  };

  /// Sites of the shortest loop seen from `from`, when it has fewer than `limit` of them.
  int through(int from, int limit) {
    seen_[from] = {from, 0, -1};
    queue_.assign(1, from);
    for (std::size_t k = 0; k < queue_.size(); ++k) {
      const int at = queue_[k];
      const Seen here = seen_[at];
      if (2 * here.distance + 1 >= limit) break;
      for (int next : neighbours_[at]) {
        if (next == here.previous) continue;
        if (seen_[next].from == from) {
          limit = std::min(limit, here.distance + seen_[next].distance + 1);
        } else {
          seen_[next] = {from, here.distance + 1, at};
          queue_.push_back(next);
        }
      }
    }
    return limit;
  }

  std::vector<std::vector<int>> neighbours_;
  std::vector<Seen> seen_;
  std::vector<int> queue_;
};

}  // namespace

Loops count_loops(const LightCone& cone, int least) {
  const auto part = connected_parts(cone);
  int n_parts = 0;
  for (int at = 0; at < std::ssize(part); ++at) n_parts += part[at] == at;
  Loops loops{static_cast<int>(std::ssize(cone.edges) - std::ssize(cone.places)) + n_parts, 0};
  if (loops.independent > 0) loops.shortest = LoopSearch(cone).shortest(least);
  return loops;
}

LightCone whole_lattice(const lattice::Graph& graph) {
  LightCone cone;
  for (int site = 0; site < graph.n_sites(); ++site) cone.places.push_back({site});
  for (int edge = 0; edge < graph.n_edges(); ++edge)
    cone.edges.push_back({graph.edge(edge).a, graph.edge(edge).b, edge});
  return cone;
}

namespace {

/// Where an edge leads from one of its ends.
Place other_end(const lattice::Graph& graph, int edge, const Place& place) {
  const auto [right, up] = graph.cell_step(edge);
  const int way = place.site == graph.edge(edge).a ? 1 : -1;
  return {graph.neighbour(place.site, edge),
          {place.cell[0] + way * right, place.cell[1] + way * up}};
}

}  // namespace

std::vector<Place> unrolled(const lattice::Graph& graph, const lattice::Cluster& tree) {
  std::vector<Place> places{{tree.sites.front()}};
  for (std::size_t p = 1; p < tree.sites.size(); ++p)
    places.push_back(other_end(graph, tree.parent_edge[p], places[tree.parent[p]]));
  return places;
}

void add_tree(const lattice::Graph& graph, const lattice::Cluster& tree, LightCone& cone) {
  std::vector<int> position;
  for (const Place& place : unrolled(graph, tree)) {
    const auto found = std::ranges::find(cone.places, place);
    position.push_back(static_cast<int>(found - cone.places.begin()));
    if (found == cone.places.end()) cone.places.push_back(place);
  }
  for (std::size_t p = 1; p < tree.sites.size(); ++p) {
    const int a = position[p], b = position[tree.parent[p]], edge = tree.parent_edge[p];
    const bool is_there = std::ranges::any_of(cone.edges, [&](const LightCone::Edge& other) {
      return other.edge == edge && (other.a == a || other.b == a) && (other.a == b || other.b == b);
    });
    if (!is_there) cone.edges.push_back({a, b, edge});
  }
}

LightCones::LightCones(const lattice::Graph& graph, const circuit::Circuit& circuit)
    : graph_(graph), gates_at_(graph.n_sites()), edges_with_gates_at_(graph.n_sites(), 0) {
  std::vector<bool> has_gate(graph.n_edges(), false);
  for (int step = 0; step < circuit.n_steps(); ++step) {
    for (const circuit::Gate& gate : circuit.steps[step]) {
      const int edge = gate.n_sites() == 2 ? graph.find_edge(gate.sites[0], gate.sites[1]) : -1;
      for (int k = 0; k < gate.n_sites(); ++k)
        gates_at_[gate.sites[k]].push_back(static_cast<int>(gates_.size()));
      if (edge >= 0) has_gate[edge] = true;
      gates_.push_back({gate.sites, edge, step, gate.is_diagonal()});
    }
    end_of_step_.push_back(static_cast<int>(gates_.size()));
  }
  for (int edge = 0; edge < graph.n_edges(); ++edge)
    if (has_gate[edge])
      for (int site : {graph.edge(edge).a, graph.edge(edge).b}) ++edges_with_gates_at_[site];
  const auto alike = [&](int step) {
    const auto same = [](const circuit::Gate& a, const circuit::Gate& b) {
      return a.sites == b.sites && a.is_diagonal() == b.is_diagonal();
    };
    return std::ranges::equal(circuit.steps[0], circuit.steps[step], same);
  };
  while (n_steps_alike_ < circuit.n_steps() && alike(n_steps_alike_)) ++n_steps_alike_;
}

/// One walk. `step_of` are the steps in which sites and edges of the cone were met first.
class ConeWalk {
 public:
  ConeWalk(const LightCones& cones, const std::vector<Asked>& asked, int n_steps) : cones_(cones) {
    const int end = n_steps > 0 ? cones.end_of_step_[n_steps - 1] : 0;
    for (const auto& [place, demand] : asked) {
      const int at = position(place, end, n_steps);
      here_[at].demand = std::max(here_[at].demand, demand);
    }
    while (!queue_.empty() && std::ssize(cone_.places) < most_places) {
      const auto [gate, at] = queue_.top();
      queue_.pop();
      visit(cones_.gates_[gate], gate, at);
      if (!finished(at)) push_before(gate, at);
    }
  }

  /// The cone after `n_steps` steps, when the walk began at the end of `walked` steps like them.
  LightCone cut(int walked, int n_steps) const {
    const auto in_time = [&](int step) { return step >= walked - n_steps; };
    LightCone cone;
    for (std::size_t k = 0; k < cone_.places.size() && in_time(step_of_place_[k]); ++k)
      cone.places.push_back(cone_.places[k]);
    for (std::size_t k = 0; k < cone_.edges.size() && in_time(step_of_edge_[k]); ++k)
      cone.edges.push_back(cone_.edges[k]);
    return cone;
  }

 private:
  static constexpr std::ptrdiff_t most_places = 20000;

  struct Here {
    Demand demand = Demand::none;
    std::vector<std::pair<int, int>> met;  ///< edges in the cone, and the position they lead to
  };

  static std::uint64_t key(const Place& place) {
    const auto bits = [](int number) { return static_cast<std::uint64_t>(number + (1 << 19)); };
    return static_cast<std::uint64_t>(place.site) << 40 | bits(place.cell[0]) << 20 |
           bits(place.cell[1]);
  }

  int position(const Place& place, int before, int step) {
    const auto [found, is_new] =
        position_.try_emplace(key(place), static_cast<int>(cone_.places.size()));
    if (is_new) {
      cone_.places.push_back(place);
      step_of_place_.push_back(step);
      here_.emplace_back();
      push_before(before, found->second);
    }
    return found->second;
  }

  void push_before(int gate, int at) {
    const auto& gates = cones_.gates_at_[cone_.places[at].site];
    const auto next = std::ranges::lower_bound(gates, gate);
    if (next != gates.begin()) queue_.emplace(*std::prev(next), at);
  }

  void visit(const LightCones::GateHere& gate, int index, int at) {
    if (gate.edge < 0) {
      if (!gate.diagonal) here_[at].demand = Demand::full;
      return;
    }
    const Place other = other_end(cones_.graph_, gate.edge, cone_.places[at]);
    const auto known = position_.find(key(other));
    const Demand there = known == position_.end() ? Demand::none : here_[known->second].demand;
    if (gate.diagonal && here_[at].demand != Demand::full && there != Demand::full) return;
    const int to = position(other, index, gate.step);
    for (int end : {at, to})
      here_[end].demand =
          gate.diagonal ? std::max(here_[end].demand, Demand::diagonal) : Demand::full;
    if (std::ranges::count(here_[at].met, std::pair(gate.edge, to)) > 0) return;
    here_[at].met.emplace_back(gate.edge, to);
    here_[to].met.emplace_back(gate.edge, at);
    cone_.edges.push_back({at, to, gate.edge});
    step_of_edge_.push_back(gate.step);
  }

  /// Nothing before can ask more of this place or, through it, of its neighbours.
  bool finished(int at) const {
    const Here& here = here_[at];
    return here.demand == Demand::full &&
           std::ssize(here.met) == cones_.edges_with_gates_at_[cone_.places[at].site] &&
           std::ranges::all_of(here.met, [&](const auto& edge) {
             return here_[edge.second].demand == Demand::full;
           });
  }

  const LightCones& cones_;
  LightCone cone_;
  std::vector<int> step_of_place_, step_of_edge_;
  std::vector<Here> here_;
  std::unordered_map<std::uint64_t, int> position_;
  std::priority_queue<std::pair<int, int>> queue_;  // gate and place, the latest gate first
};

std::vector<LightCone> LightCones::of(const std::vector<Asked>& asked,
                                      const std::vector<int>& steps) const {
  const auto alike = std::ranges::upper_bound(steps, n_steps_alike_) - steps.begin();
  std::vector<LightCone> cones;
  if (alike > 0) {
    const int walked = steps[alike - 1];
    const ConeWalk walk(*this, asked, walked);
    for (auto k = 0; k < alike; ++k) cones.push_back(walk.cut(walked, steps[k]));
  }
  for (auto k = static_cast<std::size_t>(alike); k < steps.size(); ++k)
    cones.push_back(ConeWalk(*this, asked, steps[k]).cut(steps[k], steps[k]));
  return cones;
}

}  // namespace rankine::gpeps
