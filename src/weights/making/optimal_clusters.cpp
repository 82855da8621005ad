#include "weights/making/optimal_clusters.hpp"

#include <algorithm>
#include <limits>

#include "core/contracts.hpp"

namespace rankine::weights {

namespace {

/// Cost of any interval of the values as one cluster, from running sums. Values count from their
/// common mean, which keeps the difference of sums accurate.
class IntervalCosts {
 public:
  explicit IntervalCosts(std::span<const WeightedValue> values) : sums_(values.size() + 1) {
    double weight = 0, sum = 0;
    for (const WeightedValue& v : values) {
      weight += v.weight;
      sum += v.weight * v.value;
    }
    mean_ = weight > 0 ? sum / weight : 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double w = values[i].weight, x = values[i].value - mean_;
      sums_[i + 1] = {sums_[i].weight + w, sums_[i].first + w * x, sums_[i].second + w * x * x};
    }
  }

  /// Of the values [begin, end).
  double cost(std::int64_t begin, std::int64_t end) const {
    const Sums &a = sums_[static_cast<std::size_t>(begin)],
               &b = sums_[static_cast<std::size_t>(end)];
    const double weight = b.weight - a.weight, first = b.first - a.first;
    if (end - begin <= 1 || weight <= 0) return 0;
    return std::max(0.0, b.second - a.second - first * first / weight);
  }

  double mean(std::int64_t begin, std::int64_t end) const {
    const Sums &a = sums_[static_cast<std::size_t>(begin)],
               &b = sums_[static_cast<std::size_t>(end)];
    const double weight = b.weight - a.weight;
    return weight > 0 ? mean_ + (b.first - a.first) / weight : mean_;
  }

 private:
  struct Sums {
    double weight = 0;
    double first = 0;
    double second = 0;
  };
  double mean_ = 0;
  std::vector<Sums> sums_;
};

/// One layer: best[e] = min over c of previous[c] + cost(c, e), and the c that gives it.
class Layer {
 public:
  Layer(const IntervalCosts& costs, const std::vector<double>& previous, std::int64_t fewest)
      : costs_(costs),
        previous_(previous),
        fewest_(fewest),
        best(previous.size(), std::numeric_limits<double>::infinity()),
        cuts(previous.size(), 0) {}

  /// Ends [begin, end), whose best cuts lie in [low, high]. No cluster is empty.
  void solve(std::int64_t begin, std::int64_t end, std::int64_t low, std::int64_t high) {
    if (begin >= end) return;
    const std::int64_t middle = begin + (end - begin) / 2;
    double least = std::numeric_limits<double>::infinity();
    std::int64_t at = low;
    for (std::int64_t cut = std::max(low, fewest_); cut <= std::min(high, middle - 1); ++cut) {
      const double cost = previous_[static_cast<std::size_t>(cut)] + costs_.cost(cut, middle);
      if (cost < least) {
        least = cost;
        at = cut;
      }
    }
    best[static_cast<std::size_t>(middle)] = least;
    cuts[static_cast<std::size_t>(middle)] = static_cast<std::int32_t>(at);
    solve(begin, middle, low, at);
    solve(middle + 1, end, at, high);
  }

 private:
  const IntervalCosts& costs_;
  const std::vector<double>& previous_;
  std::int64_t fewest_;  ///< values that the clusters before this one hold at least

 public:
  std::vector<double> best;
  std::vector<std::int32_t> cuts;
};

Clusters one_for_each(std::span<const WeightedValue> values) {
  Clusters result;
  for (const WeightedValue& value : values) {
    result.centroids.push_back(value.value);
    result.ends.push_back(std::ssize(result.centroids));
  }
  return result;
}

}  // namespace

Clusters optimal_clusters(std::span<const WeightedValue> values, std::int64_t clusters) {
  RANKINE_EXPECTS(clusters >= 1, "at least one cluster");
  const auto n = static_cast<std::int64_t>(values.size());
  if (n == 0) return {};
  if (clusters >= n) return one_for_each(values);
  const IntervalCosts costs(values);
  std::vector<double> best(values.size() + 1);
  for (std::int64_t end = 0; end <= n; ++end)
    best[static_cast<std::size_t>(end)] = costs.cost(0, end);
  std::vector<std::vector<std::int32_t>> cuts;
  for (std::int64_t k = 1; k < clusters; ++k) {
    Layer layer(costs, best, k);
    layer.solve(k + 1, n + 1, k, n);
    best = std::move(layer.best);
    cuts.push_back(std::move(layer.cuts));
  }

  Clusters result;
  result.cost = best[values.size()];
  result.ends.assign(static_cast<std::size_t>(clusters), n);
  for (std::int64_t k = clusters - 1; k > 0; --k) {
    const auto end = static_cast<std::size_t>(result.ends[static_cast<std::size_t>(k)]);
    result.ends[static_cast<std::size_t>(k - 1)] = cuts[static_cast<std::size_t>(k - 1)][end];
  }
  std::int64_t begin = 0;
  for (const std::int64_t end : result.ends) {
    result.centroids.push_back(costs.mean(begin, end));
    begin = end;
  }
  return result;
}

}  // namespace rankine::weights
