// What counts of right and wrong answers say about rates: exact intervals, and two classifiers on
// the same images. All intervals are of 95 %.
#pragma once

#include <cstdint>
#include <span>

namespace rankine::models {

struct Interval {
  double low = 0;
  double high = 1;
};

/// A share of some trials, with the interval of Clopper and Pearson (1934).
struct Rate {
  std::int64_t events = 0;
  std::int64_t trials = 0;
  double value = 0;  ///< NaN where nothing was tried
  Interval interval = {};
};
Rate rate_of(std::int64_t events, std::int64_t trials);

/// I_x(a, b), a and b > 0: the probability that a beta-distributed value is at most x.
double incomplete_beta(double a, double b, double x);

/// Two classifiers on the same images.
struct PairedComparison {
  std::int64_t only_first = 0;   ///< images that the first has right and the second wrong
  std::int64_t only_second = 0;  ///< the other way round
  double difference = 0;         ///< of accuracies, second minus first
  Interval interval = {-1, 1};   ///< of the difference, after Agresti and Min (2005)
  double p_value = 1;            ///< that both are as accurate; McNemar's exact test, two-sided
};
PairedComparison compare(std::span<const std::int64_t> labels, std::span<const std::int64_t> first,
                         std::span<const std::int64_t> second);

}  // namespace rankine::models
