#include "models/image/proportions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/contracts.hpp"
#include "core/random_stream.hpp"

namespace rankine::models {

namespace {

constexpr double tail = 0.025;

/// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  const auto step = [&](double coefficient) {
    d = 1 / away_from_zero(1 + coefficient * d);
    c = away_from_zero(1 + coefficient / c);
    fraction *= c * d;
    return std::abs(c * d - 1);
  };
  for (double m = 1; m < 1e6; ++m) {
    step(m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)));
    if (step(-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))) < 1e-15) break;
  }
  return fraction;
}

/// The probability at which the increasing function `f` reaches `value`.
template <class Function>
double solve_increasing(double value, Function&& f) {
  double low = 0, high = 1;
  while (true) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) return middle;
    (f(middle) < value ? low : high) = middle;
  }
}

/// That of `count` fair coins at most `heads` show heads.
double coins_at_most(std::int64_t heads, std::int64_t count) {
  if (heads >= count) return 1;
  return incomplete_beta(static_cast<double>(count - heads), static_cast<double>(heads + 1), 0.5);
}

/// Agresti and Min (2005): half an image more in each of the four cells, then the normal interval.
Interval difference_interval(const PairedComparison& pair, std::int64_t images) {
  const double n = static_cast<double>(images) + 2;
  const double first = static_cast<double>(pair.only_first) + 0.5;
  const double second = static_cast<double>(pair.only_second) + 0.5;
  const double difference = (second - first) / n;
  const double error = std::sqrt((first + second) / n - difference * difference) / std::sqrt(n);
  const double reach = normal_quantile(1 - tail) * error;
  return {std::max(-1.0, difference - reach), std::min(1.0, difference + reach)};
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
  RANKINE_EXPECTS(a > 0 && b > 0, "beta distributions have positive parameters");
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

Rate rate_of(std::int64_t events, std::int64_t trials) {
  RANKINE_EXPECTS(0 <= events && events <= trials, "events are some of the trials");
  if (trials == 0) return {0, 0, std::numeric_limits<double>::quiet_NaN(), {0, 1}};
  const auto k = static_cast<double>(events), n = static_cast<double>(trials);
  Rate rate{events, trials, k / n, {0, 1}};
  if (events > 0)
    rate.interval.low =
        solve_increasing(tail, [&](double p) { return incomplete_beta(k, n - k + 1, p); });
  if (events < trials)
    rate.interval.high =
        solve_increasing(1 - tail, [&](double p) { return incomplete_beta(k + 1, n - k, p); });
  return rate;
}

PairedComparison compare(std::span<const std::int64_t> labels, std::span<const std::int64_t> first,
                         std::span<const std::int64_t> second) {
  RANKINE_EXPECTS(first.size() == labels.size() && second.size() == labels.size(),
                  "both are of the same images");
  PairedComparison pair;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool is_first = first[i] == labels[i], is_second = second[i] == labels[i];
    pair.only_first += is_first && !is_second;
    pair.only_second += is_second && !is_first;
  }
  const auto images = static_cast<std::int64_t>(labels.size());
  if (images == 0) return pair;
  pair.difference =
      static_cast<double>(pair.only_second - pair.only_first) / static_cast<double>(images);
  pair.interval = difference_interval(pair, images);
  pair.p_value = std::min(1.0, 2 * coins_at_most(std::min(pair.only_first, pair.only_second),
                                                 pair.only_first + pair.only_second));
  return pair;
}

}  // namespace rankine::models
