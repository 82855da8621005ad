// Rates, their intervals and comparisons, against closed forms and values of SciPy 1.10.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/errors.hpp"
#include "models/image/classification.hpp"
#include "models/image/inspection.hpp"
#include "models/image/proportions.hpp"

namespace rankine::models {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using Numbers = std::vector<std::int64_t>;

TEST(Proportions, IncompleteBetaIsThatOfSciPy) {
  EXPECT_NEAR(incomplete_beta(2, 3, 0.4), 0.5248, 1e-14);
  EXPECT_NEAR(incomplete_beta(0.5, 0.5, 0.25), 1.0 / 3, 1e-14);
  EXPECT_NEAR(incomplete_beta(7, 354, 0.02), 0.5813979154940623, 1e-12);
  EXPECT_NEAR(incomplete_beta(5000, 5001, 0.51), 0.9777976478701533, 1e-11);
  EXPECT_NEAR(incomplete_beta(1e5, 3e5, 0.25), 0.500242788801182, 1e-9);
  EXPECT_NEAR(incomplete_beta(1, 1e6, 1e-6), 0.6321207427684626, 1e-9);
  EXPECT_EQ(incomplete_beta(2, 3, 0), 0);
  EXPECT_EQ(incomplete_beta(2, 3, 1), 1);
}

/// scipy.stats.binomtest(k, n).proportion_ci(0.95, "exact").
TEST(Proportions, IntervalsAreThoseOfClopperAndPearson) {
  struct Case {
    std::int64_t events, trials;
    double low, high;
  };
  for (const Case& one : {Case{1, 360, 7.032477149815585e-05, 0.015378874001263098},
                          Case{7, 360, 0.007852543551016302, 0.03965096955471797},
                          Case{50, 100, 0.3983211295033011, 0.6016788704966989},
                          Case{3, 8, 0.08523341413759308, 0.7551367836335001},
                          Case{12345, 1000000, 0.012129493825566736, 0.01256333766084488}}) {
    const Rate rate = rate_of(one.events, one.trials);
    EXPECT_NEAR(rate.interval.low / one.low, 1, 1e-9);
    EXPECT_NEAR(rate.interval.high / one.high, 1, 1e-9);
    EXPECT_EQ(rate.value, static_cast<double>(one.events) / static_cast<double>(one.trials));
  }
}

/// No event at all leaves p with (1 - p)^n = 0.025.
TEST(Proportions, IntervalsEndWhereNothingOrAllHappens) {
  for (const std::int64_t trials : {1, 2, 360, 100000}) {
    const double bound = 1 - std::pow(0.025, 1 / static_cast<double>(trials));
    EXPECT_EQ(rate_of(0, trials).interval.low, 0);
    EXPECT_NEAR(rate_of(0, trials).interval.high, bound, 1e-12);
    EXPECT_NEAR(rate_of(trials, trials).interval.low, 1 - bound, 1e-12);
    EXPECT_EQ(rate_of(trials, trials).interval.high, 1);
  }
  EXPECT_TRUE(std::isnan(rate_of(0, 0).value));
  EXPECT_EQ(rate_of(0, 0).interval.high, 1);
}

/// Two classifiers of `images` images of class 0, each right alone so often.
PairedComparison pair_of(std::int64_t images, std::int64_t only_first, std::int64_t only_second) {
  Numbers labels(static_cast<std::size_t>(images), 0), first = labels, second = labels;
  for (std::int64_t i = 0; i < only_first + only_second; ++i)
    (i < only_first ? second : first)[static_cast<std::size_t>(i)] = 1;
  return compare(labels, first, second);
}

/// scipy.stats.binomtest(min(b, c), b + c, 0.5); the intervals are the formula's.
TEST(Proportions, PairsAreComparedByMcNemarsExactTest) {
  EXPECT_NEAR(pair_of(100, 3, 12).p_value, 0.03515625, 1e-13);
  EXPECT_NEAR(pair_of(100, 0, 6).p_value, 0.03125, 1e-13);
  EXPECT_NEAR(pair_of(1000, 40, 61).p_value, 0.04604406692934279, 1e-12);
  EXPECT_EQ(pair_of(100, 5, 5).p_value, 1);
  EXPECT_EQ(pair_of(100, 0, 0).p_value, 1);
  EXPECT_NEAR(pair_of(100, 3, 12).difference, 0.09, 1e-15);
  EXPECT_NEAR(pair_of(100, 3, 12).interval.low, 0.013305639236436254, 1e-12);
  EXPECT_NEAR(pair_of(100, 3, 12).interval.high, 0.16316494899885786, 1e-12);
  EXPECT_NEAR(pair_of(1000, 40, 61).interval.low, 0.0012455950349374127, 1e-12);
  EXPECT_NEAR(pair_of(1000, 40, 61).interval.high, 0.04067057262973324, 1e-12);
}

TEST(Classification, CountsAndLossesFollowFromTheLogits) {
  const std::vector<double> logits{2,   1, 0,   //
                                   0,   3, 3,   // the first of equal ones
                                   1,   0, 5,   //
                                   0,   1, -1,  //
                                   800, 0, -800};
  const Numbers labels{0, 2, 2, 0, 0};
  const Classification result = classify({3, logits}, labels);
  EXPECT_THAT(result.predictions, ElementsAre(0, 1, 2, 1, 0));
  EXPECT_DOUBLE_EQ(result.accuracy, 0.6);
  EXPECT_FALSE(result.top5_accuracy);
  EXPECT_THAT(result.confusion, ElementsAre(2, 1, 0, 0, 0, 0, 0, 1, 1));
  EXPECT_DOUBLE_EQ(result.recall[0], 2.0 / 3);
  EXPECT_TRUE(std::isnan(result.recall[1]));
  EXPECT_DOUBLE_EQ(result.recall[2], 0.5);
  EXPECT_DOUBLE_EQ(result.macro_miss_rate, 1 - (2.0 / 3 + 0.5) / 2);
  const double e = std::exp(1.0);
  const double expected = std::log(1 + 1 / e + 1 / (e * e)) + std::log(2 + std::exp(-3.0)) +
                          std::log(1 + std::exp(-4.0) + std::exp(-5.0)) + std::log(1 + e + 1 / e);
  EXPECT_NEAR(result.loss, expected / 5, 1e-14);

  const Score score = score_of(result);
  EXPECT_EQ(score.headline().name, "accuracy");
  EXPECT_EQ(score.metrics.back().name, "macro_miss_rate");
  EXPECT_EQ(score.metrics.size(), 2u);
}

TEST(Classification, TopFiveCountsTheFiveLikeliest) {
  const std::vector<double> logits{6, 5, 4, 3, 2, 1,  //
                                   6, 5, 4, 3, 2, 1,  //
                                   0, 0, 0, 0, 0, 0};
  const Classification result = classify({6, logits}, Numbers{4, 5, 5});
  EXPECT_DOUBLE_EQ(result.accuracy, 0);
  EXPECT_DOUBLE_EQ(*result.top5_accuracy, 1.0 / 3);
}

TEST(Classification, LogitsThatAreNotFiniteAreNamed) {
  const std::vector<double> logits{0, 1, 0, std::numeric_limits<double>::quiet_NaN()};
  try {
    classify({2, logits}, Numbers{0, 1});
    FAIL() << "NaN was classified";
  } catch (const NumericalError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("a logit of image 1 is not finite"));
  }
}

TEST(Inspection, ScoresAreProbabilitiesOfADefect) {
  const std::vector<double> logits{0, 0, 0, 50, 0, 0, 0, std::log(3.0), 0};
  const DefectScores scores = defect_scores({3, logits}, Numbers{1, 0, 0}, 0);
  EXPECT_THAT(scores.defective, ElementsAre(DoubleNear(2.0 / 3, 1e-15)));
  ASSERT_EQ(scores.good.size(), 2u);
  EXPECT_NEAR(scores.good[0] / (2 * std::exp(-50.0)), 1, 1e-14);
  EXPECT_NEAR(scores.good[1], 0.8, 1e-15);
}

TEST(Inspection, TheThresholdLetsPassAtMostTheTarget) {
  DefectScores validation;
  for (int i = 1; i <= 100; ++i) validation.defective.push_back(0.01 * i);
  validation.good = {0.1, 0.2, 0.6};
  EXPECT_EQ(threshold_for(validation, 0), 0.01);
  EXPECT_EQ(threshold_for(validation, 0.009), 0.01);
  EXPECT_EQ(threshold_for(validation, 0.01), 0.02);
  EXPECT_EQ(threshold_for(validation, 0.29), 0.01 * 30);  // 0.29 * 100 is below 29
  EXPECT_EQ(threshold_for(validation, 0.999), 1.0);
  const Inspection at = inspect(validation, threshold_for(validation, 0.29));
  EXPECT_EQ(at.missed_defects.events, 29);
  EXPECT_EQ(at.missed_defects.trials, 100);
  EXPECT_EQ(at.false_alarms.events, 1);
  EXPECT_EQ(at.false_alarms.trials, 3);
  validation.defective = {0.3, 0.3, 0.3, 0.9};  // all or none of the equal ones
  EXPECT_EQ(inspect(validation, threshold_for(validation, 0.5)).missed_defects.events, 0);
  validation.defective = {};
  EXPECT_THROW(threshold_for(validation, 0.01), InputError);
}

TEST(Inspection, TheAreaCountsPairsAndHalvesTies) {
  const Area area = area_under_curve({{0.1, 0.2, 0.3, 0.4}, {0.3, 0.35, 0.5, 0.6}});
  EXPECT_DOUBLE_EQ(area.value, (2.5 + 3 + 4 + 4) / 16);
  EXPECT_DOUBLE_EQ(area_under_curve({{0.5, 0.5}, {0.5}}).value, 0.5);
  EXPECT_TRUE(std::isnan(area_under_curve({{}, {0.5}}).value));
}

/// Roots found by scipy.optimize.brentq.
TEST(Inspection, TheIntervalOfTheAreaIsNewcombes) {
  const Area middle = area_under_curve({{0.1, 0.2, 0.3, 0.4}, {0.25, 0.45, 0.5, 0.6}});
  EXPECT_DOUBLE_EQ(middle.value, 0.875);
  EXPECT_NEAR(middle.interval.low, 0.4528270570263621, 1e-11);
  EXPECT_NEAR(middle.interval.high, 0.9811701331859202, 1e-11);
  const Area perfect =
      area_under_curve({std::vector<double>(20, 0.1), std::vector<double>(30, 0.9)});
  EXPECT_EQ(perfect.value, 1);
  EXPECT_NEAR(perfect.interval.low, 0.9159389279347215, 1e-10);
  EXPECT_EQ(perfect.interval.high, 1);
  const Area chance =
      area_under_curve({std::vector<double>(10, 0.5), std::vector<double>(10, 0.5)});
  EXPECT_NEAR(chance.interval.low, 0.27351558818989397, 1e-11);
  EXPECT_NEAR(chance.interval.high, 0.726484411810106, 1e-11);
}

TEST(Inspection, ScoresOfANetworkNameItsRates) {
  const std::vector<double> logits{3, 0, 0, 3, 3, 0};
  const Numbers labels{0, 1, 1};
  const Score score = score_of(classify({2, logits}, labels),
                               inspect(defect_scores({2, logits}, labels, 0), even_threshold));
  std::vector<std::string> names;
  for (const Metric& metric : score.metrics) names.push_back(metric.name);
  EXPECT_THAT(names, ElementsAre("accuracy", "missed_defect_rate", "false_alarm_rate", "auc"));
  EXPECT_DOUBLE_EQ(score.metrics[1].value, 0.5);
  EXPECT_DOUBLE_EQ(score.metrics[2].value, 0);
  EXPECT_DOUBLE_EQ(score.metrics[3].value, 0.75);
}

}  // namespace
}  // namespace rankine::models
