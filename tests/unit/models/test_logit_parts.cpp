#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "models/language/generation.hpp"
#include "models/language/logit_parts.hpp"

namespace rankine::models {
namespace {

std::vector<double> random_logits(int count, unsigned seed, double spread = 3) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(0, spread);
  std::vector<double> logits;
  for (int i = 0; i < count; ++i) logits.push_back(normal(engine));
  return logits;
}

/// Log of the sum of exponentials, the plain way in long double.
double log_sum(const std::vector<double>& logits) {
  long double sum = 0;
  for (const double logit : logits) sum += std::exp(static_cast<long double>(logit));
  return static_cast<double>(std::log(sum));
}

template <class T>
LogitPart measure(const std::vector<double>& logits, std::size_t first, std::size_t last,
                  std::int64_t target) {
  const std::vector<T> own(logits.begin() + static_cast<std::ptrdiff_t>(first),
                           logits.begin() + static_cast<std::ptrdiff_t>(last));
  LogitPart part;
  measure_logits<T>(own.data(), static_cast<std::int64_t>(own.size()),
                    static_cast<std::int64_t>(first), std::vector<std::int64_t>{target},
                    std::span(&part, 1));
  return part;
}

TEST(LogitParts, MergeToTheWholeInAnyCut) {
  const auto logits = random_logits(5000, 1);
  for (const std::size_t cut : {0ul, 1ul, 2500ul, 4999ul, 5000ul}) {
    LogitPart whole = measure<double>(logits, 0, cut, 77);
    whole.merge(measure<double>(logits, cut, 5000, 77));
    EXPECT_NEAR(whole.log_sum(), log_sum(logits), 1e-13);
    EXPECT_NEAR(whole.negative_log_likelihood(), log_sum(logits) - logits[77], 1e-13);
    EXPECT_EQ(whole.top_id, std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
}

TEST(LogitParts, OfFloatsAreGoodToAFewUnits) {
  const auto logits = random_logits(49152, 2);
  EXPECT_NEAR(measure<float>(logits, 0, 49152, 5).log_sum(), log_sum(logits), 2e-7);
}

TEST(LogitParts, LargeLogitsDoNotOverflow) {
  const std::vector<double> logits{1e4, 1e4, -1e4};
  EXPECT_NEAR(measure<float>(logits, 0, 3, 2).negative_log_likelihood(), 2e4 + std::log(2.0), 1e-9);
}

TEST(LogitParts, ANaNShowsInTheSum) {
  const std::vector<double> logits{1, std::nan(""), 2};
  EXPECT_FALSE(std::isfinite(measure<float>(logits, 0, 3, 0).log_sum()));
}

TEST(LogitParts, ComparisonEqualsTheDefinitionOfTheDivergence) {
  const auto r = random_logits(300, 3), m = random_logits(300, 4);
  double expected = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    const double log_p = r[i] - log_sum(r), log_q = m[i] - log_sum(m);
    expected += std::exp(log_p) * (log_p - log_q);
  }
  ComparisonPart whole;
  LogitPart model;
  for (const auto& [first, last] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 11}, {11, 300}}) {
    ComparisonPart part;
    compare_logits<double>(r.data() + first, m.data() + first,
                           static_cast<std::int64_t>(last - first),
                           static_cast<std::int64_t>(first), std::span(&part, 1));
    whole.merge(part);
    model.merge(measure<double>(m, first, last, 0));
  }
  EXPECT_NEAR(whole.divergence(model), expected, 1e-13);
}

TEST(Draw, FollowsTheDistribution) {
  const std::vector<double> logits{std::log(0.2), std::log(0.5), std::log(0.3)};
  const Sampling sampling{.temperature = 1};
  // Most likely first: [0, 0.5) is id 1, [0.5, 0.8) id 2, the rest id 0.
  EXPECT_EQ(draw(logits, sampling, 0.49), 1);
  EXPECT_EQ(draw(logits, sampling, 0.51), 2);
  EXPECT_EQ(draw(logits, sampling, 0.81), 0);
  EXPECT_EQ(draw(logits, {.temperature = 1, .top_k = 2}, 0.99), 2);
  EXPECT_EQ(draw(logits, {.temperature = 0}, 0.99), 1);
  // At temperature 1/2 probabilities are squared: 0.04, 0.25, 0.09 of 0.38.
  EXPECT_EQ(draw(logits, {.temperature = 0.5}, 0.65), 1);
  EXPECT_EQ(draw(logits, {.temperature = 0.5}, 0.67), 2);
}

}  // namespace
}  // namespace rankine::models
