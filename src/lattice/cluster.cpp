#include "lattice/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <queue>

#include "core/errors.hpp"

namespace rankine::lattice {

namespace {

constexpr int unreachable = std::numeric_limits<int>::max() / 4;
constexpr int most_parts = 10;

/// Connected parts of `support`; part[site] = -1 outside it.
struct Parts {
  std::vector<int> part;
  int count = 0;
};

Parts connected_parts(const Graph& graph, std::span<const int> support) {
  Parts parts{std::vector<int>(graph.n_sites(), -1), 0};
  std::vector<bool> wanted(graph.n_sites(), false);
  for (int site : support) wanted[site] = true;
  for (int seed : support) {
    if (parts.part[seed] >= 0) continue;
    std::queue<int> queue({seed});
    parts.part[seed] = parts.count;
    while (!queue.empty()) {
      const int site = queue.front();
      queue.pop();
      for (int edge : graph.edges_at(site)) {
        const int next = graph.neighbour(site, edge);
        if (!wanted[next] || parts.part[next] >= 0) continue;
        parts.part[next] = parts.count;
        queue.push(next);
      }
    }
    ++parts.count;
  }
  return parts;
}

/// Dreyfus-Wagner: cost[S][v] = fewest new sites of a tree that joins the parts in S with site v.
class SteinerTree {
 public:
  SteinerTree(const Graph& graph, const Parts& parts)
      : graph_(graph), parts_(parts), full_((1 << parts.count) - 1) {
    cost_.assign(full_ + 1, std::vector<int>(graph.n_sites(), unreachable));
    split_.assign(full_ + 1, std::vector<int>(graph.n_sites(), 0));
    previous_.assign(full_ + 1, std::vector<int>(graph.n_sites(), -1));
    for (int set = 1; set <= full_; ++set) {
      start(set);
      spread(set);
    }
  }

  /// Marks the sites of the best tree over all parts; false when they cannot be joined.
  bool mark(std::vector<bool>& chosen) const {
    int root = 0;
    for (int site = 0; site < graph_.n_sites(); ++site)
      if (cost_[full_][site] < cost_[full_][root]) root = site;
    if (cost_[full_][root] >= unreachable) return false;
    collect(full_, root, chosen);
    return true;
  }

 private:
  int own_cost(int site) const { return parts_.part[site] >= 0 ? 0 : 1; }

  void start(int set) {
    for (int site = 0; site < graph_.n_sites(); ++site) {
      if (parts_.part[site] >= 0 && set == 1 << parts_.part[site]) cost_[set][site] = 0;
      for (int left = (set - 1) & set; left > 0; left = (left - 1) & set) {
        const int joined = cost_[left][site] + cost_[set ^ left][site] - own_cost(site);
        if (joined >= cost_[set][site]) continue;
        cost_[set][site] = joined;
        split_[set][site] = left;
      }
    }
  }

  void spread(int set) {
    using Item = std::pair<int, int>;
    std::priority_queue<Item, std::vector<Item>, std::greater<>> queue;
    for (int site = 0; site < graph_.n_sites(); ++site)
      if (cost_[set][site] < unreachable) queue.emplace(cost_[set][site], site);
    while (!queue.empty()) {
      const auto [cost, site] = queue.top();
      queue.pop();
      if (cost > cost_[set][site]) continue;
      for (int edge : graph_.edges_at(site)) {
        const int next = graph_.neighbour(site, edge);
        if (cost + own_cost(next) >= cost_[set][next]) continue;
        cost_[set][next] = cost + own_cost(next);
        previous_[set][next] = site;
        split_[set][next] = 0;
        queue.emplace(cost_[set][next], next);
      }
    }
  }

  void collect(int set, int site, std::vector<bool>& chosen) const {
    chosen[site] = true;
    if (previous_[set][site] >= 0 && split_[set][site] == 0)
      collect(set, previous_[set][site], chosen);
    if (split_[set][site] > 0) {
      collect(split_[set][site], site, chosen);
      collect(set ^ split_[set][site], site, chosen);
    }
  }

  const Graph& graph_;
  const Parts& parts_;
  int full_;
  std::vector<std::vector<int>> cost_, split_, previous_;
};

/// Walks the tree edges of the chosen sites from the root. Edges between chosen sites that are no
/// tree edges become closing edges.
Cluster rooted(const Graph& graph, const std::vector<bool>& chosen,
               const std::vector<bool>& is_tree_edge, int root) {
  Cluster cluster{{root}, {-1}, {-1}, {}};
  for (int position = 0; position < std::ssize(cluster.sites); ++position) {
    const int site = cluster.sites[position];
    for (int edge : graph.edges_at(site)) {
      const int next = graph.neighbour(site, edge);
      if (!chosen[next] || edge == cluster.parent_edge[position]) continue;
      if (!is_tree_edge[edge]) {
        if (site < next) cluster.closing_edges.push_back(edge);
        continue;
      }
      cluster.sites.push_back(next);
      cluster.parent.push_back(position);
      cluster.parent_edge.push_back(edge);
    }
  }
  return cluster;
}

/// Kruskal's spanning forest over `edges`, taken in their order.
std::vector<bool> spanning_forest(const Graph& graph, const std::vector<int>& edges) {
  std::vector<int> root(graph.n_sites());
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&](int site) {
    while (root[site] != site) site = root[site] = root[root[site]];
    return site;
  };
  std::vector<bool> is_tree_edge(graph.n_edges(), false);
  for (int edge : edges) {
    const int a = find(graph.edge(edge).a), b = find(graph.edge(edge).b);
    if (a == b) continue;
    root[a] = b;
    is_tree_edge[edge] = true;
  }
  return is_tree_edge;
}

/// Takes away the ends of branches, but no site of the support, until only paths and loops are
/// left.
void prune(const Graph& graph, std::span<const int> support, std::vector<bool>& alive) {
  std::vector<bool> wanted(graph.n_sites(), false);
  for (int site : support) wanted[site] = true;
  std::vector<int> count(graph.n_sites(), 0);
  for (int edge = 0; edge < graph.n_edges(); ++edge)
    if (alive[edge]) ++count[graph.edge(edge).a], ++count[graph.edge(edge).b];
  for (bool changed = true; changed;) {
    changed = false;
    for (int edge = 0; edge < graph.n_edges(); ++edge) {
      if (!alive[edge]) continue;
      const auto [a, b, colour] = graph.edge(edge);
      if ((count[a] > 1 || wanted[a]) && (count[b] > 1 || wanted[b])) continue;
      alive[edge] = false;
      --count[a], --count[b];
      changed = true;
    }
  }
}

}  // namespace

Cluster smallest_tree_cluster(const Graph& graph, std::span<const int> support) {
  const Parts parts = connected_parts(graph, support);
  if (parts.count > most_parts)
    throw InputError(
        fmt::format("the string falls into {} separate parts of the lattice; clusters are found "
                    "for at most {}.",
                    parts.count, most_parts));
  std::vector<bool> chosen(graph.n_sites(), false);
  for (int site : support) chosen[site] = true;
  if (parts.count > 1 && !SteinerTree(graph, parts).mark(chosen))
    throw InputError(
        "the string's sites lie in parts of the lattice that no path joins, so no connected "
        "cluster holds them. Measure the parts as strings of their own: their product is the "
        "value.");
  std::vector<int> inner;
  for (int edge = 0; edge < graph.n_edges(); ++edge)
    if (chosen[graph.edge(edge).a] && chosen[graph.edge(edge).b]) inner.push_back(edge);
  Cluster cluster = rooted(graph, chosen, spanning_forest(graph, inner), support.front());
  if (!cluster.closing_edges.empty()) {
    const Edge& edge = graph.edge(cluster.closing_edges.front());
    throw InputError(
        fmt::format("the smallest connected cluster that holds the string closes a loop through "
                    "sites {} and {}, so it is not a tree and cannot be contracted exactly.",
                    edge.a, edge.b));
  }
  return cluster;
}

std::optional<Cluster> light_cone_cluster(const Graph& graph,
                                          std::span<const std::int64_t> bond_dimensions,
                                          std::span<const int> support) {
  std::vector<bool> alive(graph.n_edges());
  std::vector<int> edges(graph.n_edges());
  std::iota(edges.begin(), edges.end(), 0);
  for (int edge : edges) alive[edge] = bond_dimensions[edge] > 1;
  prune(graph, support, alive);
  std::erase_if(edges, [&](int edge) { return !alive[edge]; });
  std::ranges::stable_sort(edges, std::greater<>(),
                           [&](int edge) { return bond_dimensions[edge]; });
  std::vector<bool> chosen(graph.n_sites(), false);
  for (int site : support) chosen[site] = true;
  for (int edge : edges) chosen[graph.edge(edge).a] = chosen[graph.edge(edge).b] = true;
  Cluster cluster = rooted(graph, chosen, spanning_forest(graph, edges), support.front());
  // A loop that the support cannot reach, or a bond of dimension one, is no part of the cluster.
  std::vector<bool> reached(graph.n_sites(), false);
  for (int site : cluster.sites) reached[site] = true;
  std::erase_if(cluster.closing_edges, [&](int edge) { return !alive[edge]; });
  for (int site : support)
    if (!reached[site]) return std::nullopt;
  return cluster;
}

Cluster rerooted(const Graph& graph, const Cluster& cluster, int root) {
  std::vector<bool> chosen(graph.n_sites(), false), is_tree_edge(graph.n_edges(), false);
  for (int site : cluster.sites) chosen[site] = true;
  for (int edge : cluster.parent_edge)
    if (edge >= 0) is_tree_edge[edge] = true;
  Cluster out = rooted(graph, chosen, is_tree_edge, root);
  out.closing_edges = cluster.closing_edges;
  return out;
}

}  // namespace rankine::lattice
