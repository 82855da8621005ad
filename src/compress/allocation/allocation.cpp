#include "compress/allocation/allocation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compress/allocation/knapsack.hpp"
#include "core/contracts.hpp"
#include "core/errors.hpp"

namespace rankine::compress {

namespace {

/// From one vertex of a hull to the next.
struct Edge {
  std::size_t matrix;
  std::int64_t from, to;  ///< ranks
  double gain_per_number;
};

struct Point {
  std::int64_t rank;
  double numbers;
  double tail;
};

/// The points of the least rank and more, ordered by numbers; ranks that cost as much as the full
/// one are left out.
std::vector<Point> points_of(const Candidate& candidate, FactorGauge gauge) {
  const std::vector<double> tails = candidate.tails();
  const std::int64_t full = candidate.full_rank();
  const std::int64_t most = stored_numbers(candidate, gauge, full);
  std::vector<Point> points;
  for (std::int64_t rank = candidate.least_rank(); rank < full; rank += candidate.multiple_of) {
    const std::int64_t numbers = stored_numbers(candidate, gauge, rank);
    if (numbers >= most) break;
    const auto index = std::min(static_cast<std::size_t>(rank), tails.size() - 1);
    points.push_back({rank, static_cast<double>(numbers), tails[index]});
  }
  points.push_back({full, static_cast<double>(most), tails.back()});
  return points;
}

/// Whether `middle` lies on or above the line from `left` to `right`.
bool is_above(const Point& left, const Point& middle, const Point& right) {
  return (middle.tail - left.tail) * (right.numbers - left.numbers) >=
         (right.tail - left.tail) * (middle.numbers - left.numbers);
}

std::vector<Point> lower_hull(const std::vector<Point>& points) {
  std::vector<Point> hull;
  for (const Point& point : points) {
    while (hull.size() >= 2 && is_above(hull[hull.size() - 2], hull.back(), point)) hull.pop_back();
    hull.push_back(point);
  }
  return hull;
}

std::vector<Edge> sorted_edges(const std::vector<Candidate>& candidates, FactorGauge gauge) {
  std::vector<Edge> edges;
  for (std::size_t m = 0; m < candidates.size(); ++m) {
    const std::vector<Point> hull = lower_hull(points_of(candidates[m], gauge));
    for (std::size_t i = 1; i < hull.size(); ++i)
      edges.push_back(
          {m, hull[i - 1].rank, hull[i].rank,
           (hull[i - 1].tail - hull[i].tail) / (hull[i].numbers - hull[i - 1].numbers)});
  }
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return a.gain_per_number > b.gain_per_number;
  });
  return edges;
}

double square(double x) { return x * x; }

/// The next rank that is worth its storage: one step more, or the full one.
std::int64_t next_rank(const Candidate& candidate, FactorGauge gauge, std::int64_t rank) {
  const std::int64_t next = candidate.rank_above(rank), full = candidate.full_rank();
  const bool is_cheaper =
      stored_numbers(candidate, gauge, next) < stored_numbers(candidate, gauge, full);
  return is_cheaper ? next : full;
}

/// The largest rank within `budget` numbers; 0 if there is none.
std::int64_t largest_rank(const Candidate& candidate, FactorGauge gauge, std::int64_t budget) {
  if (candidate.curve.empty()) return largest_rank(gauge, candidate.shape, budget);
  const auto above = std::ranges::upper_bound(candidate.curve, budget, {}, &CurvePoint::numbers);
  return std::max<std::int64_t>(0, above - candidate.curve.begin() - 1);
}

/// What a matrix gains from `rank` to `next`.
double squared_error_between(const Candidate& candidate, std::int64_t rank, std::int64_t next) {
  if (!candidate.curve.empty())
    return candidate.curve[static_cast<std::size_t>(rank)].squared_error -
           candidate.curve[static_cast<std::size_t>(next)].squared_error;
  const auto& values = candidate.singular_values;
  double gain = 0;
  for (std::int64_t i = rank; i < std::min(next, std::ssize(values)); ++i)
    gain += square(values[static_cast<std::size_t>(i)]);
  return gain;
}

/// What going from `rank` to `next` costs, and gains per number.
struct Step {
  std::int64_t numbers;
  double gain_per_number;
};

Step step_between(const Candidate& candidate, FactorGauge gauge, std::int64_t rank,
                  std::int64_t next) {
  const std::int64_t numbers =
      stored_numbers(candidate, gauge, next) - stored_numbers(candidate, gauge, rank);
  const double gain = squared_error_between(candidate, rank, next);
  return {numbers, gain / static_cast<double>(std::max<std::int64_t>(1, numbers))};
}

/// What to do with an edge that costs more than is left.
enum class AtEdgeThatExceeds {
  skip,   ///< leave the matrix at the vertex before
  split,  ///< the largest rank within it that fits; later edges of the matrix are lost
};

std::vector<std::int64_t> least_ranks(const std::vector<Candidate>& candidates) {
  std::vector<std::int64_t> ranks;
  for (const Candidate& candidate : candidates) ranks.push_back(candidate.least_rank());
  return ranks;
}

/// Takes the edges in their order while the budget lasts, then single ranks.
std::vector<std::int64_t> climb(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                std::int64_t budget, const std::vector<Edge>& edges,
                                AtEdgeThatExceeds choice) {
  std::vector<std::int64_t> ranks = least_ranks(candidates);
  std::int64_t left = budget - stored_numbers(candidates, gauge, ranks);
  RANKINE_EXPECTS(left >= 0, "the budget covers the least rank of every matrix");
  for (const Edge& edge : edges) {
    std::int64_t& rank = ranks[edge.matrix];
    if (rank != edge.from) continue;  // an edge before this one was not taken as a whole
    const Candidate& candidate = candidates[edge.matrix];
    const std::int64_t before = stored_numbers(candidate, gauge, rank);
    if (stored_numbers(candidate, gauge, edge.to) - before <= left)
      rank = edge.to;
    else if (choice == AtEdgeThatExceeds::split)
      rank = std::max(rank, candidate.floor_rank(largest_rank(candidate, gauge, before + left)));
    left -= stored_numbers(candidate, gauge, rank) - before;
  }
  fill_budget(candidates, gauge, budget, ranks);
  return ranks;
}

/// The gain per number of the edge at which the budget ends: what a number is worth.
double price_of(const std::vector<Candidate>& candidates, FactorGauge gauge, std::int64_t budget,
                const std::vector<Edge>& edges) {
  std::int64_t left = budget - stored_numbers(candidates, gauge, least_ranks(candidates));
  for (const Edge& edge : edges) {
    const Candidate& candidate = candidates[edge.matrix];
    left -= stored_numbers(candidate, gauge, edge.to) - stored_numbers(candidate, gauge, edge.from);
    if (left < 0) return edge.gain_per_number;
  }
  return 0;
}

/// Moves between all points of all matrices from known ranks on.
std::vector<std::int64_t> improved(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                   std::int64_t budget, double price,
                                   const std::vector<std::int64_t>& known) {
  std::vector<std::vector<Option>> options;
  std::vector<std::size_t> taken;
  for (std::size_t m = 0; m < candidates.size(); ++m) {
    std::vector<Option>& of_matrix = options.emplace_back();
    for (const Point& point : points_of(candidates[m], gauge))
      of_matrix.push_back({point.rank, static_cast<std::int64_t>(point.numbers), point.tail});
    taken.push_back(static_cast<std::size_t>(std::ranges::find(of_matrix, known[m], &Option::rank) -
                                             of_matrix.begin()));
  }
  std::vector<std::int64_t> ranks;
  const auto chosen = choose_options(options, budget, price, std::move(taken));
  for (std::size_t m = 0; m < chosen.size(); ++m) ranks.push_back(options[m][chosen[m]].rank);
  return ranks;
}

}  // namespace

std::int64_t Candidate::floor_rank(std::int64_t rank) const {
  if (rank >= full_rank() || multiple_of >= full_rank()) return full_rank();
  return std::max(rank / multiple_of * multiple_of, multiple_of);
}

std::vector<double> Candidate::tails() const {
  if (!curve.empty()) {
    std::vector<double> errors;
    for (const CurvePoint& point : curve) errors.push_back(point.squared_error);
    return errors;
  }
  std::vector<double> tails(singular_values.size() + 1, 0);
  for (std::size_t r = singular_values.size(); r-- > 0;)
    tails[r] = tails[r + 1] + square(singular_values[r]);
  return tails;
}

std::int64_t budget_of(const std::vector<Candidate>& candidates, double ratio) {
  std::int64_t all = 0;
  for (const Candidate& candidate : candidates) all += candidate.shape.dense_numbers();
  return static_cast<std::int64_t>(std::floor(ratio * static_cast<double>(all) * (1 + 1e-12)));
}

void require_reachable(const std::vector<Candidate>& candidates, FactorGauge gauge, double ratio) {
  for (const Candidate& candidate : candidates) {
    const auto dense = static_cast<double>(candidate.shape.dense_numbers());
    const auto least =
        static_cast<double>(stored_numbers(candidate, gauge, candidate.least_rank()));
    if (ratio * dense >= least) continue;
    throw InputError(fmt::format(
        "ranks.parameter_ratio = {} cannot be reached for {} ({} x {}; rank {} keeps {:.4g} of its "
        "numbers). Choose a larger ratio, or leave the weight out of select.weights.",
        ratio, candidate.name, candidate.shape.rows, candidate.shape.columns,
        candidate.least_rank(), least / dense));
  }
}

std::int64_t stored_numbers(const Candidate& candidate, FactorGauge gauge, std::int64_t rank) {
  if (candidate.curve.empty()) return stored_numbers(gauge, candidate.shape, rank);
  return candidate.curve[static_cast<std::size_t>(std::min(rank, candidate.full_rank()))].numbers;
}

std::int64_t stored_numbers(const std::vector<Candidate>& candidates, FactorGauge gauge,
                            const std::vector<std::int64_t>& ranks) {
  std::int64_t sum = 0;
  for (std::size_t m = 0; m < candidates.size(); ++m)
    sum += stored_numbers(candidates[m], gauge, ranks[m]);
  return sum;
}

double total_tail(const std::vector<Candidate>& candidates,
                  const std::vector<std::int64_t>& ranks) {
  double sum = 0;
  for (std::size_t m = 0; m < candidates.size(); ++m) {
    const auto& values = candidates[m].singular_values;
    if (!candidates[m].curve.empty())
      sum += candidates[m].curve[static_cast<std::size_t>(ranks[m])].squared_error;
    for (std::int64_t i = std::ssize(values); i-- > ranks[m];)
      sum += square(values[static_cast<std::size_t>(i)]);
  }
  return sum;
}

std::vector<std::int64_t> uniform_ranks(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                        double ratio) {
  std::vector<std::int64_t> ranks;
  for (const Candidate& candidate : candidates)
    ranks.push_back(
        candidate.floor_rank(largest_rank(candidate, gauge, budget_of({candidate}, ratio))));
  return ranks;
}

std::vector<std::int64_t> additive_ranks(const std::vector<Candidate>& candidates,
                                         FactorGauge gauge, std::int64_t budget) {
  const std::vector<Edge> edges = sorted_edges(candidates, gauge);
  const std::vector<std::int64_t> whole =
      climb(candidates, gauge, budget, edges, AtEdgeThatExceeds::skip);
  const std::vector<std::int64_t> split =
      climb(candidates, gauge, budget, edges, AtEdgeThatExceeds::split);
  return improved(candidates, gauge, budget, price_of(candidates, gauge, budget, edges),
                  total_tail(candidates, whole) < total_tail(candidates, split) ? whole : split);
}

void fill_budget(const std::vector<Candidate>& candidates, FactorGauge gauge, std::int64_t budget,
                 std::vector<std::int64_t>& ranks) {
  std::int64_t left = budget - stored_numbers(candidates, gauge, ranks);
  for (;;) {
    std::size_t best = candidates.size();
    Step best_step{0, -1};
    for (std::size_t m = 0; m < candidates.size(); ++m) {
      if (ranks[m] >= candidates[m].full_rank()) continue;
      const Step step =
          step_between(candidates[m], gauge, ranks[m], next_rank(candidates[m], gauge, ranks[m]));
      if (step.numbers > left || step.gain_per_number <= best_step.gain_per_number) continue;
      best = m;
      best_step = step;
    }
    if (best == candidates.size()) return;
    left -= best_step.numbers;
    ranks[best] = next_rank(candidates[best], gauge, ranks[best]);
  }
}

}  // namespace rankine::compress
