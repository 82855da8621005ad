// The light cone of a measurement: the sites and edges of those gates that can change its value.
//
// A mean-field reading of a state is the exact value of the same circuit on the lattice with its
// loops unrolled. It is exact on the lattice itself where the light cone closes no loop.
#pragma once

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "circuit/circuit.hpp"
#include "lattice/cluster.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// A site; of an infinite lattice, in a cell (right, up) of it.
struct Place {
  int site = 0;
  std::array<int, 2> cell{0, 0};

  bool operator==(const Place&) const = default;
};

/// What is asked of a place.
struct Asked {
  Place place;
  circuit::Demand demand = circuit::Demand::full;
};

/// Sites and edges in the order in which a walk back from the measurement meets them.
struct LightCone {
  struct Edge {
    int a = 0;  ///< positions in `places`
    int b = 0;
    int edge = 0;  ///< of the lattice
  };
  std::vector<Place> places;  ///< those that are measured first
  std::vector<Edge> edges;

  std::vector<int> sites() const;
};

/// Loops of a light cone. `independent` is how many edges would have to be opened to leave a tree.
struct Loops {
  int independent = 0;
  int shortest = 0;  ///< sites of the shortest one; 0 without loops
};
/// `least`: no loop is shorter than that, so that a search may end there.
Loops count_loops(const LightCone& cone, int least = 3);

/// The whole lattice as one cone.
LightCone whole_lattice(const lattice::Graph& graph);

/// Which of the connected parts of the cone each place lies in.
std::vector<int> connected_parts(const LightCone& cone);

/// Where the sites of a tree lie when the tree is laid out from its root; in the tree's order.
std::vector<Place> unrolled(const lattice::Graph& graph, const lattice::Cluster& tree);

/// Adds the edges of such a tree to the cone, with their places.
void add_tree(const lattice::Graph& graph, const lattice::Cluster& tree, LightCone& cone);

/// Walks back through one circuit from whatever is measured. A walk visits a site only until all
/// of its edges are in the cone, so that its cost does not grow with the number of steps.
class LightCones {
 public:
  /// Both must outlive the object. The gates' sites are neighbours.
  LightCones(const lattice::Graph& graph, const circuit::Circuit& circuit);

  /// The cones of what is asked after each of `steps` (1-based, ascending). Cones on an infinite
  /// lattice end at some ten thousand sites.
  std::vector<LightCone> of(const std::vector<Asked>& asked, const std::vector<int>& steps) const;

  /// The first steps of the circuit that have the same gates on the same sites.
  int n_steps_alike() const { return n_steps_alike_; }

 private:
  friend class ConeWalk;
  struct GateHere {
    std::array<int, 2> sites;
    int edge;  ///< -1 for one site
    int step;
    bool diagonal;
  };

  const lattice::Graph& graph_;
  std::vector<GateHere> gates_;
  std::vector<std::vector<int>> gates_at_;  ///< per site, ascending
  std::vector<int> end_of_step_;            ///< number of gates up to and with each step
  std::vector<int> edges_with_gates_at_;    ///< per site
  int n_steps_alike_ = 0;
};

}  // namespace rankine::gpeps
