#include "lattice/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
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

/// Walks outwards from sites over edges, breadth first.
class Outwards {
 public:
  Outwards(const Graph& graph, const std::vector<int>& from)
      : graph_(graph), edge_to_(graph.n_sites(), unseen) {
    for (int site : from) {
      edge_to_[site] = start;
      queue_.push(site);
    }
  }

  /// The first site for which `found` holds, over edges for which `open` holds; -1 for none.
  template <class Found, class Open>
  int search(const Found& found, const Open& open) {
    while (!queue_.empty()) {
      const int site = queue_.front();
      if (found(site)) return site;
      queue_.pop();
      for (int edge : graph_.edges_at(site)) {
        const int next = graph_.neighbour(site, edge);
        if (edge_to_[next] != unseen || !open(edge)) continue;
        edge_to_[next] = edge;
        queue_.push(next);
      }
    }
    return -1;
  }

  /// The edges from `site` back to where the walk began.
  std::vector<int> path_to(int site) const {
    std::vector<int> edges;
    for (; edge_to_[site] != start; site = graph_.neighbour(site, edge_to_[site]))
      edges.push_back(edge_to_[site]);
    return edges;
  }

 private:
  static constexpr int unseen = -2, start = -1;

  const Graph& graph_;
  std::vector<int> edge_to_;
  std::queue<int> queue_;
};

/// Joins the chosen sites, one nearest to those already joined after the other; false when no path
/// leads to some of them.
bool join_nearest(const Graph& graph, int first, std::vector<bool>& chosen) {
  const std::vector<bool> wanted = chosen;
  std::vector<bool> joined(graph.n_sites(), false);
  std::vector<int> tree{first};
  joined[first] = true;
  for (auto left = std::ranges::count(wanted, true) - 1; left > 0; --left) {
    Outwards walk(graph, tree);
    const int next = walk.search([&](int site) { return wanted[site] && !joined[site]; },
                                 [](int) { return true; });
    if (next < 0) return false;
    for (int edge : walk.path_to(next))
      for (int site : {graph.edge(edge).a, graph.edge(edge).b})
        if (!joined[site]) {
          joined[site] = chosen[site] = true;
          tree.push_back(site);
        }
  }
  return true;
}

/// The edges of the shortest loop of `alive` edges through `edge`; empty when there is none.
std::vector<int> shortest_loop(const Graph& graph, const std::vector<bool>& alive, int edge) {
  Outwards walk(graph, {graph.edge(edge).a});
  const int end = walk.search([&](int site) { return site == graph.edge(edge).b; },
                              [&](int other) { return other != edge && alive[other]; });
  if (end < 0) return {};
  std::vector<int> loop = walk.path_to(end);
  loop.push_back(edge);
  std::ranges::sort(loop);
  return loop;
}

/// The cluster with more edges and their sites, and no other edge.
Cluster with_edges(const Graph& graph, const Cluster& cluster, std::vector<int> edges) {
  std::vector<bool> chosen(graph.n_sites(), false), allowed(graph.n_edges(), false);
  for (int edge : cluster.parent_edge)
    if (edge >= 0) edges.insert(edges.begin(), edge);
  edges.insert(edges.end(), cluster.closing_edges.begin(), cluster.closing_edges.end());
  for (int site : cluster.sites) chosen[site] = true;
  for (int edge : edges) {
    allowed[edge] = true;
    chosen[graph.edge(edge).a] = chosen[graph.edge(edge).b] = true;
  }
  Cluster out = rooted(graph, chosen, spanning_forest(graph, edges), cluster.sites.front());
  std::erase_if(out.closing_edges, [&](int edge) { return !allowed[edge]; });
  return out;
}

}  // namespace

Cluster smallest_cluster(const Graph& graph, std::span<const int> support) {
  const Parts parts = connected_parts(graph, support);
  std::vector<bool> chosen(graph.n_sites(), false);
  for (int site : support) chosen[site] = true;
  const bool joined = parts.count == 1 ||
                      (parts.count <= most_parts ? SteinerTree(graph, parts).mark(chosen)
                                                 : join_nearest(graph, support.front(), chosen));
  if (!joined)
    throw InputError(
        "the string's sites lie in parts of the lattice that no path joins, so no connected "
        "cluster holds them. Measure the parts as strings of their own: their product is the "
        "value.");
  std::vector<int> inner;
  for (int edge = 0; edge < graph.n_edges(); ++edge)
    if (chosen[graph.edge(edge).a] && chosen[graph.edge(edge).b]) inner.push_back(edge);
  return rooted(graph, chosen, spanning_forest(graph, inner), support.front());
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

std::vector<Cluster> grown_by_one_loop(const Graph& graph,
                                       std::span<const std::int64_t> bond_dimensions,
                                       const Cluster& cluster) {
  std::vector<bool> alive(graph.n_edges());
  for (int edge = 0; edge < graph.n_edges(); ++edge) alive[edge] = bond_dimensions[edge] > 1;
  prune(graph, cluster.sites, alive);
  const auto is_alive = [&](int edge) { return alive[edge]; };
  std::map<std::vector<int>, std::vector<int>> found;  // loop and the path to it
  const auto loops_at = [&](int site, const std::vector<int>& path) {
    for (int edge : graph.edges_at(site))
      if (auto loop = alive[edge] ? shortest_loop(graph, alive, edge) : std::vector<int>();
          !loop.empty())
        found.try_emplace(std::move(loop), path);
  };
  for (int site : cluster.sites) loops_at(site, {});
  if (found.empty()) {
    Outwards walk(graph, cluster.sites);
    walk.search(
        [&](int site) {
          loops_at(site, walk.path_to(site));
          return !found.empty();
        },
        is_alive);
  }
  std::vector<Cluster> clusters;
  for (const auto& [loop, path] : found) {
    std::vector<int> edges = loop;
    edges.insert(edges.end(), path.begin(), path.end());
    clusters.push_back(with_edges(graph, cluster, std::move(edges)));
  }
  return clusters;
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
