#include <gtest/gtest.h>
#include <omp.h>

#include "weights/rows/product.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

/// Sums written out, on accessors.
Tensor plain(const Tensor& x, const Tensor& w) {
  Tensor y = torch::zeros({x.size(0), w.size(0)}, torch::kFloat64);
  const auto a = x.accessor<double, 2>(), b = w.accessor<double, 2>();
  auto c = y.accessor<double, 2>();
  for (std::int64_t t = 0; t < x.size(0); ++t)
    for (std::int64_t o = 0; o < w.size(0); ++o)
      for (std::int64_t i = 0; i < x.size(1); ++i) c[t][o] += a[t][i] * b[o][i];
  return y;
}

TEST(Product, EqualsPlainLoopsForAnyExtentAndThreads) {
  for (const int threads : {1, 2, 3}) {
    omp_set_num_threads(threads);
    for (const auto& [tokens, inputs, outputs] : std::vector<std::array<std::int64_t, 3>>{
             {1, 5, 70}, {65, 3, 2}, {40, 7, 41}, {0, 4, 3}, {3, 4, 0}, {3, 0, 2}}) {
      const Tensor x = torch::randn({tokens, inputs}, torch::kFloat64);
      const Tensor w = torch::randn({outputs, inputs}, torch::kFloat64);
      EXPECT_TRUE(torch::allclose(times_transposed(x, w), plain(x, w), 1e-13, 1e-13));
    }
  }
  omp_set_num_threads(1);
}

TEST(Product, GradientsEqualFiniteDifferences) {
  Tensor x = torch::randn({4, 3}, torch::kFloat64).requires_grad_(true);
  Tensor w = torch::randn({5, 3}, torch::kFloat64).requires_grad_(true);
  const Tensor factor = torch::randn({4, 5}, torch::kFloat64);
  (times_transposed(x, w) * factor).sum().backward();
  for (Tensor* operand : {&x, &w}) {
    const Tensor direction = torch::randn_like(operand->detach());
    const auto loss_at = [&](double step) {
      const Tensor moved = operand->detach() + step * direction;
      const Tensor y = operand == &x ? plain(moved, w.detach()) : plain(x.detach(), moved);
      return (y * factor).sum().item<double>();
    };
    // The product is linear in either operand: a difference over a long step is exact.
    EXPECT_NEAR((operand->grad() * direction).sum().item<double>(), (loss_at(1) - loss_at(-1)) / 2,
                1e-12);
  }
}

}  // namespace
}  // namespace rankine::weights
