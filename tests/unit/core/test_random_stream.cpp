// Random numbers: equal streams are equal, others independent; uniform, choice and normal
// quantiles.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/random_stream.hpp"

namespace rankine {
namespace {

TEST(RandomStream, IsToldByItsNumbers) {
  RandomStream first{7, 3}, again{7, 3}, other{7, 4}, swapped{3, 7};
  const double value = first.uniform();
  EXPECT_EQ(value, again.uniform());
  EXPECT_NE(value, other.uniform());
  EXPECT_NE(value, swapped.uniform());
}

TEST(RandomStream, IsUniform) {
  RandomStream random{1};
  std::vector<double> values(20000);
  for (double& value : values) value = random.uniform();
  std::ranges::sort(values);
  EXPECT_GT(values.front(), 0);
  EXPECT_LT(values.back(), 1);
  double distance = 0;  // Kolmogorov's; above 1.95 / sqrt(n) once in a thousand streams
  for (std::size_t i = 0; i < values.size(); ++i)
    distance = std::max(distance, std::abs(values[i] - (static_cast<double>(i) + 0.5) / 20000));
  EXPECT_LT(distance, 1.95 / std::sqrt(20000.0));
}

TEST(RandomStream, ShufflesToEveryOrderAlike) {
  RandomStream random{2};
  std::vector<int> count(6, 0);
  for (int i = 0; i < 6000; ++i) {
    std::vector<int> order{0, 1, 2};
    random.shuffle(std::span(order));
    EXPECT_EQ(order[0] + order[1] + order[2], 3);
    ++count[static_cast<std::size_t>(2 * order[0] + (order[1] > order[2] ? 1 : 0))];
  }
  double chi_squared = 0;  // of five degrees of freedom: above 20.5 once in a thousand streams
  for (const int c : count) chi_squared += (c - 1000.0) * (c - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 20.5);
}

TEST(NormalQuantile, IsThatOfTables) {
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-15);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
  EXPECT_NEAR(normal_quantile(0.1), -1.2815515655446004, 1e-13);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-12);
}

}  // namespace
}  // namespace rankine
