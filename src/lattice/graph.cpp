#include "lattice/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/contracts.hpp"
#include "core/errors.hpp"

namespace rankine::lattice {

namespace {

constexpr int largest_colour = 1'000'000;

void require_valid(const std::string& origin, int n_sites, const Edge& edge) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("{}: edge {}-{} {}", origin, edge.a, edge.b, why));
  };
  if (edge.a == edge.b)
    refuse("is a self loop. An edge joins two different sites; remove the line.");
  for (int site : {edge.a, edge.b})
    if (site < 0 || site >= n_sites)
      refuse(
          fmt::format("names site {}, which does not exist (sites are 0 to {}). Correct the edge "
                      "or the number of sites.",
                      site, n_sites - 1));
  if (edge.colour < 0) refuse("has a negative colour. Colours count from 0.");
  if (edge.colour > largest_colour)
    refuse(fmt::format("has a colour beyond {}. Number the colours from 0.", largest_colour));
}

}  // namespace

Graph::Graph(std::string name, int n_sites, std::vector<Edge> edges,
             const std::vector<std::string>& origins)
    : name_(std::move(name)), n_sites_(n_sites), edges_(std::move(edges)) {
  edges_at_.resize(n_sites);
  for (int index = 0; index < n_edges(); ++index) {
    const Edge& edge = edges_[index];
    const std::string origin = origins.empty() ? "lattice " + name_ : origins[index];
    require_valid(origin, n_sites, edge);
    if (find_edge(edge.a, edge.b) >= 0)
      throw InputError(fmt::format("{}: edge {}-{} is given twice. Remove one of the two.", origin,
                                   edge.a, edge.b));
    for (int site : {edge.a, edge.b})
      for (int other : edges_at_[site])
        if (edges_[other].colour == edge.colour)
          throw InputError(
              fmt::format("{}: edges {}-{} and {}-{} share a site and colour {}. Give them "
                          "different colours, or leave the colour column out and it is chosen.",
                          origin, edges_[other].a, edges_[other].b, edge.a, edge.b, edge.colour));
    edges_at_[edge.a].push_back(index);
    edges_at_[edge.b].push_back(index);
    n_colours_ = std::max(n_colours_, edge.colour + 1);
  }
  for (auto& list : edges_at_)
    std::ranges::sort(list, {}, [&](int index) { return edges_[index].colour; });
}

void Graph::repeat(std::vector<std::array<int, 2>> steps) {
  RANKINE_EXPECTS(std::ssize(steps) == n_edges(), "every edge leads to some cell");
  cell_steps_ = std::move(steps);
}

int Graph::find_edge(int a, int b) const {
  for (int index : edges_at_[a])
    if (neighbour(a, index) == b) return index;
  return -1;
}

std::vector<std::pair<int, int>> Graph::pairs_by_colour() const {
  std::vector<int> order(edges_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int index) { return edges_[index].colour; });
  std::vector<std::pair<int, int>> pairs;
  pairs.reserve(order.size());
  for (int index : order) pairs.emplace_back(edges_[index].a, edges_[index].b);
  return pairs;
}

void colour_greedily(int n_sites, std::vector<Edge>& edges) {
  std::vector<std::vector<bool>> used(n_sites);
  for (Edge& edge : edges) {
    auto taken = [&](int site, int colour) {
      return colour < static_cast<int>(used[site].size()) && used[site][colour];
    };
    edge.colour = 0;
    while (taken(edge.a, edge.colour) || taken(edge.b, edge.colour)) ++edge.colour;
    for (int site : {edge.a, edge.b}) {
      if (static_cast<int>(used[site].size()) <= edge.colour) used[site].resize(edge.colour + 1);
      used[site][edge.colour] = true;
    }
  }
}

}  // namespace rankine::lattice
