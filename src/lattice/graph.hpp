// A graph of sites and edges with a proper edge colouring: the geometry a tensor network lives on.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

namespace rankine::lattice {

/// An edge between two sites (0-based). Edges of one colour share no site.
struct Edge {
  int a = 0;
  int b = 0;
  int colour = 0;
};

/// A simple undirected graph; it may be disconnected. Edges keep the order they are given in.
class Graph {
 public:
  Graph() = default;
  /// `origins` says where each edge comes from ("file:line"), for messages; it may be empty.
  /// InputError: an edge is a self loop, a duplicate, out of range, or the colouring is not proper.
  Graph(std::string name, int n_sites, std::vector<Edge> edges,
        const std::vector<std::string>& origins = {});

  const std::string& name() const { return name_; }
  int n_sites() const { return n_sites_; }
  int n_edges() const { return static_cast<int>(edges_.size()); }
  int n_colours() const { return n_colours_; }
  const Edge& edge(int index) const { return edges_[index]; }
  std::span<const Edge> edges() const { return edges_; }

  /// Indices of the edges at `site`, ordered by colour.
  std::span<const int> edges_at(int site) const { return edges_at_[site]; }
  int degree(int site) const { return static_cast<int>(edges_at_[site].size()); }
  /// The site at the other end of `edge`.
  int neighbour(int site, int edge) const {
    return edges_[edge].a == site ? edges_[edge].b : edges_[edge].a;
  }
  /// Makes the graph the cell of an infinite lattice: `steps` says for each edge how many cells
  /// (right, up) lie between its end `a` and its end `b`.
  void repeat(std::vector<std::array<int, 2>> steps);
  /// Whether the graph is the cell of an infinite lattice.
  bool is_cell() const { return !cell_steps_.empty(); }
  std::array<int, 2> cell_step(int edge) const {
    return is_cell() ? cell_steps_[edge] : std::array{0, 0};
  }

  /// Index of the edge between two sites, or -1.
  int find_edge(int a, int b) const;
  /// Pairs of sites in the order gates are applied: by colour, then by edge index.
  std::vector<std::pair<int, int>> pairs_by_colour() const;

 private:
  std::string name_;
  int n_sites_ = 0;
  int n_colours_ = 0;
  std::vector<Edge> edges_;
  std::vector<std::vector<int>> edges_at_;
  std::vector<std::array<int, 2>> cell_steps_;
};

/// Colours edges greedily in the given order: each takes the lowest colour free at both ends.
void colour_greedily(int n_sites, std::vector<Edge>& edges);

}  // namespace rankine::lattice
