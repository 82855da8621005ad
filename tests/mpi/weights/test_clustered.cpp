// Clusters of the entries of a matrix in row blocks: optimal, and the same for any number of ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/errors.hpp"
#include "forms_testing.hpp"
#include "weights/making/clustering.hpp"
#include "weights/making/value_histogram.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

Tensor as_float32(const Tensor& values) { return values.to(torch::kFloat32).to(torch::kFloat64); }

std::span<const float> span_of(const Tensor& values) {
  return {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())};
}

/// What one rank alone finds.
const parallel::Communicator& alone() {
  static const parallel::Communicator communicator = world().split(world().rank(), 0);
  return communicator;
}

/// Least sum of weight (value - mean)^2 over all ways to cut the sorted entries into intervals.
double least_cost(std::vector<std::pair<double, double>> entries, std::int64_t clusters) {
  std::ranges::sort(entries);
  const auto n = std::ssize(entries);
  const auto cost = [&](std::int64_t begin, std::int64_t end) {
    double weight = 0, sum = 0, result = 0;
    for (auto i = begin; i < end; ++i) {
      weight += entries[static_cast<std::size_t>(i)].second;
      sum +=
          entries[static_cast<std::size_t>(i)].second * entries[static_cast<std::size_t>(i)].first;
    }
    for (auto i = begin; i < end; ++i)
      result += entries[static_cast<std::size_t>(i)].second *
                std::pow(entries[static_cast<std::size_t>(i)].first - sum / weight, 2);
    return result;
  };
  const std::function<double(std::int64_t, std::int64_t)> best = [&](std::int64_t begin,
                                                                     std::int64_t left) -> double {
    if (left == 1 || begin == n) return cost(begin, n);
    double least = INFINITY;
    for (auto end = begin + 1; end <= n; ++end)
      least = std::min(least, cost(begin, end) + best(end, left - 1));
    return least;
  };
  return best(0, clusters);
}

TEST(Clustered, IsAsGoodAsTheBestOfAllPartitions) {
  const RowSplit split = RowSplit::even(4, world().size());
  const Tensor w = as_float32(random_matrix(4, 5, 6)), s = as_float32(random_matrix(4, 5, 7).abs());
  for (const std::int64_t clusters : {1, 2, 3, 4}) {
    for (const double is_weighted : {0, 1}) {
      ClusterOptions options{.clusters = clusters};
      if (is_weighted == 1) options.sensitivity = own_part(s, split);
      const auto weight =
          make_clustered(world(), split, own_part(w, split), options, torch::kFloat64);
      const Tensor importance = is_weighted == 1 ? s : torch::ones_like(w);
      std::vector<std::pair<double, double>> entries;
      for (std::int64_t i = 0; i < w.numel(); ++i)
        entries.emplace_back(w.flatten()[i].item<double>(), importance.flatten()[i].item<double>());
      const double least = least_cost(entries, clusters);
      const double found = (importance * (whole_of(*weight) - w).square()).sum().item<double>();
      // Sensitivities count in multiples of 2^-32 of the largest.
      EXPECT_NEAR(found, least, 1e-8 * least);
    }
  }
}

TEST(Clustered, IsTheSameForAnyNumberOfRanks) {
  const RowSplit split = RowSplit::even(33, world().size()), whole_split = RowSplit::even(33, 1);
  const Tensor w = random_matrix(33, 20, 4), s = random_matrix(33, 20, 5).abs();
  for (const std::int64_t outliers : {0, 6}) {
    ClusterOptions options{.clusters = 16, .outliers = outliers};
    options.sensitivity = own_part(s, split);
    const auto together =
        make_clustered(world(), split, own_part(w, split), options, torch::kFloat64);
    options.sensitivity = s;
    const auto single = make_clustered(alone(), whole_split, w, options, torch::kFloat64);
    const auto expected = single->parameters(), found = together->parameters();
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_TRUE(torch::equal(found[i].values, expected[i].values));
    EXPECT_TRUE(torch::equal(dynamic_cast<const Clustered&>(*together).own_codes(),
                             own_part(dynamic_cast<const Clustered&>(*single).own_codes(), split)));
    EXPECT_TRUE(torch::equal(whole_of(*together), single->own_rows()));
  }
}

TEST(Clustered, KeepsTheLargestEntriesExact) {
  const RowSplit split = RowSplit::even(9, world().size());
  Tensor w = random_matrix(9, 8, 1);
  w[7][3] = 61.5;
  w[0][2] = -58.25;
  w[8][7] = 58.25;
  const auto weight = make_clustered(world(), split, own_part(w, split),
                                     {.clusters = 4, .outliers = 3}, torch::kFloat64);
  const Tensor found = whole_of(*weight);
  for (const auto& [i, j] : std::vector<std::pair<int, int>>{{7, 3}, {0, 2}, {8, 7}})
    EXPECT_EQ(found[i][j].item<double>(), w[i][j].item<double>());
  EXPECT_LT((found - w).abs().max().item<double>(), 3);
  EXPECT_EQ(weight->stored_numbers(), 4 + 3);
  // Two bits an entry in nine rows of two bytes; a gap of two bytes for each outlier.
  EXPECT_EQ(weight->stored_bytes(), 9 * 2 + (4 + 3) * 8 + 3 * 2);
}

TEST(Clustered, OfFewValuesIsExact) {
  const RowSplit split = RowSplit::even(5, world().size());
  const Tensor w = (torch::arange(30, torch::kFloat64).remainder(7) / 8).view({5, 6});
  const auto weight =
      make_clustered(world(), split, own_part(w, split), {.clusters = 16}, torch::kFloat64);
  EXPECT_LT((whole_of(*weight) - w).abs().max().item<double>(), 1e-15);
  EXPECT_EQ(weight->stored_numbers(), 7);
}

TEST(Clustered, AgreesOnImpossibleRequests) {
  const RowSplit split = RowSplit::even(2, world().size());
  const Tensor own = own_part(random_matrix(2, 3, 1), split);
  EXPECT_THROW(make_clustered(world(), split, own, {.clusters = 0}, torch::kFloat64), InputError);
  EXPECT_THROW(make_clustered(world(), split, own, {.clusters = 2, .outliers = 6}, torch::kFloat64),
               InputError);
}

TEST(Clustered, AgreesOnWhatOneRankFinds) {
  const RowSplit split = RowSplit::even(6, world().size());
  Tensor w = random_matrix(6, 3, 1), s = torch::ones({6, 3}, torch::kFloat64);
  w[0][1] = NAN;
  EXPECT_THROW(make_clustered(world(), split, own_part(w, split), {.clusters = 2}, torch::kFloat64),
               NumericalError);
  s[0][2] = -1;
  ClusterOptions options{.clusters = 2};
  options.sensitivity = own_part(s, split);
  EXPECT_THROW(make_clustered(world(), split, own_part(random_matrix(6, 3, 1), split), options,
                              torch::kFloat64),
               NumericalError);
}

TEST(ValueHistogram, CountsEveryValueOnce) {
  const RowSplit split = RowSplit::even(40, world().size());
  const Tensor w = (random_matrix(40, 10, 3) * 4).round().to(torch::kFloat32) * 0.5;
  const Tensor own = own_part(w, split).contiguous();
  const ValueHistogram histogram = value_histogram(world(), span_of(own), {});
  EXPECT_EQ(histogram.fraction_bits, 23);
  double entries = 0;
  for (std::size_t i = 0; i < histogram.values.size(); ++i) {
    const auto& [value, count] = histogram.values[i];
    if (i > 0) EXPECT_LT(histogram.values[i - 1].value, value);
    EXPECT_EQ(count, w.eq(value).sum().item<double>());
    entries += count;
  }
  EXPECT_EQ(entries, 400);
}

TEST(ValueHistogram, BinsTooManyValuesTheSameWayOnAnyNumberOfRanks) {
  const RowSplit split = RowSplit::even(50, world().size());
  const Tensor w = random_matrix(50, 40, 2).to(torch::kFloat32);
  const Tensor own = own_part(w, split).contiguous();
  const ValueHistogram together = value_histogram(world(), span_of(own), {}, 300);
  const ValueHistogram single = value_histogram(alone(), span_of(w), {}, 300);
  EXPECT_LE(together.values.size(), 300u);
  EXPECT_GT(together.values.size(), 100u);
  EXPECT_EQ(together.fraction_bits, single.fraction_bits);
  ASSERT_EQ(together.values.size(), single.values.size());
  for (std::size_t i = 0; i < single.values.size(); ++i) {
    EXPECT_EQ(together.values[i].value, single.values[i].value);
    EXPECT_EQ(together.values[i].weight, single.values[i].weight);
  }
  const double half_bin = std::exp2(-together.fraction_bits - 1);
  for (const float entry : span_of(own))
    EXPECT_LE(std::abs(together.counted_value(entry) - entry), std::abs(entry) * half_bin);
}

}  // namespace
}  // namespace rankine::weights
