#include "lattice/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
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

TreeCluster rooted(const Graph& graph, const std::vector<bool>& chosen, int root) {
  TreeCluster cluster{{root}, {-1}, {-1}};
  std::vector<bool> seen(graph.n_sites(), false);
  seen[root] = true;
  for (int position = 0; position < std::ssize(cluster.sites); ++position) {
    const int site = cluster.sites[position];
    for (int edge : graph.edges_at(site)) {
      const int next = graph.neighbour(site, edge);
      if (!chosen[next] || edge == cluster.parent_edge[position]) continue;
      if (seen[next])
        throw InputError(
            fmt::format("the smallest connected cluster that holds the string closes a loop "
                        "through sites {} and {}, so it is not a tree and cannot "
                        "be contracted exactly.",
                        site, next));
      seen[next] = true;
      cluster.sites.push_back(next);
      cluster.parent.push_back(position);
      cluster.parent_edge.push_back(edge);
    }
  }
  return cluster;
}

}  // namespace

TreeCluster smallest_tree_cluster(const Graph& graph, std::span<const int> support) {
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
        "cluster holds them. "
        "Measure the parts as strings of their own: their product is the value.");
  return rooted(graph, chosen, support.front());
}

}  // namespace rankine::lattice
