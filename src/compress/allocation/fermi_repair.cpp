#include "compress/allocation/fermi_repair.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compress/allocation/knapsack.hpp"

namespace rankine::compress {

namespace {

constexpr double decay = 0.9;  // of earlier steps

/// Sums over the components at most `reach` away.
std::vector<double> pooled(const std::vector<double>& values, std::int64_t reach) {
  std::vector<double> sums(values.size(), 0);
  for (std::int64_t i = 0; i < std::ssize(values); ++i)
    for (std::int64_t j = std::max<std::int64_t>(0, i - reach);
         j <= std::min<std::int64_t>(std::ssize(values) - 1, i + reach); ++j)
      sums[static_cast<std::size_t>(i)] += values[static_cast<std::size_t>(j)];
  return sums;
}

/// Plain factors larger than the dense matrix become it.
std::vector<std::int64_t> rounded(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                  std::int64_t budget, const std::vector<double>& soft_ranks) {
  std::vector<std::int64_t> ranks;
  std::vector<double> fractions;
  for (std::size_t m = 0; m < candidates.size(); ++m) {
    const MatrixShape& shape = candidates[m].shape;
    std::int64_t rank =
        candidates[m].floor_rank(static_cast<std::int64_t>(std::floor(soft_ranks[m])));
    fractions.push_back((soft_ranks[m] - static_cast<double>(rank)) /
                        static_cast<double>(candidates[m].multiple_of));
    if (stored_numbers(gauge, shape, rank) >= shape.dense_numbers()) rank = shape.full_rank();
    ranks.push_back(rank);
  }
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t m) { return fractions[m]; });
  // Ranks raised to the least may have cost too much: the smallest fractions pay.
  while (stored_numbers(candidates, gauge, ranks) > budget)
    for (std::size_t i = order.size();
         i-- > 0 && stored_numbers(candidates, gauge, ranks) > budget;)
      if (ranks[order[i]] > candidates[order[i]].least_rank())
        ranks[order[i]] = candidates[order[i]].floor_rank(ranks[order[i]] - 1);
  for (const std::size_t m : order) {
    const std::int64_t rank = ranks[m];
    if (rank >= candidates[m].shape.full_rank()) continue;
    ranks[m] = candidates[m].rank_above(rank);
    if (stored_numbers(candidates, gauge, ranks) > budget ||
        stored_numbers(gauge, candidates[m].shape, ranks[m]) > candidates[m].shape.dense_numbers())
      ranks[m] = rank;
  }
  return ranks;
}

/// The ranks near `rank`, and the dense matrix where it is next; losses count from the lowest.
std::vector<Option> options_near(const Candidate& candidate, FactorGauge gauge, std::int64_t rank,
                                 const std::vector<double>& importance) {
  const MatrixShape& shape = candidate.shape;
  const std::int64_t full = shape.full_rank();
  const std::int64_t reach = std::max({std::int64_t{3}, full / 100, 2 * candidate.multiple_of});
  std::vector<Option> options;
  double loss = 0;
  const auto raise = [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < std::min(to, std::ssize(importance)); ++i)
      loss -= importance[static_cast<std::size_t>(i)];
  };
  std::int64_t last = candidate.floor_rank(rank - reach);
  for (std::int64_t r = last; r <= std::min(rank + reach, full); r = candidate.rank_above(r)) {
    const std::int64_t numbers = stored_numbers(gauge, shape, r);
    const bool is_dense = r == full || numbers >= shape.dense_numbers();
    const std::int64_t next = is_dense ? full : r;
    raise(last, next);
    options.push_back({next, is_dense ? shape.dense_numbers() : numbers, loss});
    if (is_dense) break;
    last = r;
  }
  return options;
}

/// What a number is worth: the median over the matrices of the gain of one rank more.
double price_of(const std::vector<std::vector<Option>>& options,
                const std::vector<std::size_t>& known) {
  std::vector<double> gains;
  for (std::size_t m = 0; m < options.size(); ++m) {
    if (known[m] + 1 >= options[m].size()) continue;
    const Option &here = options[m][known[m]], &next = options[m][known[m] + 1];
    gains.push_back((here.loss - next.loss) / static_cast<double>(next.numbers - here.numbers));
  }
  if (gains.empty()) return 0;
  const auto middle = gains.begin() + std::ssize(gains) / 2;
  std::ranges::nth_element(gains, middle);
  return *middle;
}

}  // namespace

void Importance::observe(const Components& masks, const Components& gradient) {
  products.resize(masks.size());
  squares.resize(masks.size());
  for (std::size_t m = 0; m < masks.size(); ++m) {
    products[m].resize(masks[m].size(), 0);
    squares[m].resize(masks[m].size(), 0);
    for (std::size_t i = 0; i < masks[m].size(); ++i) {
      const double missing = 1 - masks[m][i];
      products[m][i] = decay * products[m][i] - missing * gradient[m][i];
      squares[m][i] = decay * squares[m][i] + 2 * missing * missing;
    }
  }
}

Components Importance::estimate() const {
  Components all;
  for (std::size_t m = 0; m < products.size(); ++m) {
    // Of a wide matrix a single component is hardly told from noise.
    const std::int64_t reach = std::ssize(products[m]) / 200;
    std::vector<double> values = pooled(products[m], reach);
    const std::vector<double> weights = pooled(squares[m], reach);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = weights[i] > 0 ? std::max(0.0, values[i] / weights[i]) : 0;
    all.push_back(std::move(values));
  }
  return all;
}

std::vector<std::int64_t> whole_ranks(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                      std::int64_t budget, const std::vector<double>& soft_ranks,
                                      const Components& importance) {
  const auto first = rounded(candidates, gauge, budget, soft_ranks);
  std::vector<std::vector<Option>> options;
  std::vector<std::size_t> known;
  for (std::size_t m = 0; m < candidates.size(); ++m) {
    options.push_back(options_near(candidates[m], gauge, first[m], importance[m]));
    known.push_back(static_cast<std::size_t>(
        std::ranges::find(options[m], first[m], &Option::rank) - options[m].begin()));
  }
  std::vector<std::int64_t> ranks;
  const auto chosen = choose_options(options, budget, price_of(options, known), known);
  for (std::size_t m = 0; m < chosen.size(); ++m) ranks.push_back(options[m][chosen[m]].rank);
  fill_budget(candidates, gauge, budget, ranks);
  return ranks;
}

}  // namespace rankine::compress
