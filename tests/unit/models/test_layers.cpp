// Gradients of the layers' own operations against finite differences; attention against plain
// tensor operations.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <functional>

#include "models/language/layers.hpp"
#include "models/threads.hpp"

namespace rankine::models {
namespace {

using torch::Tensor;

/// Directional derivatives of sum(sin(f)) by backward and by central differences of fourth order.
void expect_gradients(const std::function<Tensor()>& f, const std::vector<Tensor>& operands) {
  f().sin().sum().backward();
  for (Tensor operand : operands) {
    const Tensor direction = torch::randn_like(operand.detach());
    const auto at = [&](double step) {
      const torch::NoGradGuard no_gradients;
      operand.add_(direction, step);
      const double value = f().sin().sum().item<double>();
      operand.add_(direction, -step);
      return value;
    };
    constexpr double h = 1e-4;
    EXPECT_NEAR((operand.grad() * direction).sum().item<double>(),
                (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h), 1e-8);
  }
}

Tensor leaf(std::vector<std::int64_t> shape) {
  return torch::randn(shape, torch::kFloat64).requires_grad_(true);
}

TEST(Layers, GradientsEqualFiniteDifferences) {
  torch::manual_seed(1);
  const Tensor x = leaf({5, 6}), w = leaf({6});
  expect_gradients([&] { return rms_norm(x, w, 1e-5); }, {x, w});
  const Tensor gate = leaf({4, 7}), up = leaf({4, 7});
  expect_gradients([&] { return gated(Activation::silu, gate, up); }, {gate, up});
  for (const RopePairs pairs : {RopePairs::halves, RopePairs::adjacent}) {
    const Rotary rotary{.theta = 100, .turned = 4, .pairs = pairs, .magnitude = 1.3};
    const Tensor heads = leaf({5, 12});
    expect_gradients([&] { return rotate(heads, rotary, 6, 3); }, {heads});
  }
}

/// The same with every score in memory; `from` maps query heads to key heads.
Tensor plain_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionHeads& of,
                       const std::vector<std::int64_t>& from) {
  const std::int64_t queries = q.size(0), keys = k.size(0), size = of.head_size;
  const Tensor distance =
      torch::arange(keys - queries, keys).unsqueeze(1) - torch::arange(keys).unsqueeze(0);
  const Tensor hidden = distance.lt(0).logical_or(distance.ge(of.window));
  std::vector<Tensor> heads;
  for (std::size_t h = 0; h < from.size(); ++h) {
    const auto column = static_cast<std::int64_t>(h) * size;
    const Tensor scores = q.narrow(1, column, size)
                              .matmul(k.narrow(1, from[h] * size, size).t())
                              .mul(of.scale)
                              .masked_fill(hidden, -INFINITY);
    heads.push_back(scores.softmax(1).matmul(v.narrow(1, from[h] * size, size)));
  }
  return torch::cat(heads, 1);
}

TEST(CausalAttention, EqualsPlainTensorOperationsWithItsGradients) {
  torch::manual_seed(2);
  struct Case {
    AttentionHeads heads;
    std::vector<std::int64_t> from;
    std::int64_t queries, keys;
  };
  const std::vector<Case> cases{
      {{4, 6, 2, 3}, {0, 0, 0, 1, 1, 1}, 150, 150},  // several blocks of queries
      {{4, 6, 2, 3}, {0, 0, 0, 1, 1, 1}, 3, 20},     // behind cached keys
      {{2, 2, 3, 3, 2}, {0, 1}, 70, 70},             // a share that crosses key heads
      {{2, 1, 1, 1}, {0}, 1, 1},
      {{2, 0, 2, 2}, {}, 5, 5},  // a rank without heads
      // windows: shorter than a block, longer, behind cached keys, and none to see
      {{4, 6, 2, 3, 0, 7, 0.3}, {0, 0, 0, 1, 1, 1}, 150, 150},
      {{4, 2, 2, 1, 0, 90}, {0, 1}, 200, 200},
      {{4, 2, 2, 1, 0, 64}, {0, 1}, 130, 170},
      {{4, 2, 2, 1, 0, 5}, {0, 1}, 1, 20},
      {{4, 2, 2, 1, 0, 1}, {0, 1}, 70, 70},
  };
  for (const Case& c : cases) {
    const Tensor q = leaf({c.queries, c.heads.query_heads * c.heads.head_size});
    const Tensor k = leaf({c.keys, c.heads.key_heads * c.heads.head_size});
    const Tensor v = leaf({c.keys, c.heads.key_heads * c.heads.head_size});
    const Tensor out = causal_attention(q, k, v, c.heads);
    out.sin().sum().backward();
    if (c.from.empty()) {
      EXPECT_EQ(out.numel(), 0);
      EXPECT_EQ(k.grad().abs().max().item<double>(), 0);
      continue;
    }
    const std::vector<Tensor> ours{q.grad().clone(), k.grad().clone(), v.grad().clone()};
    for (const Tensor* operand : {&q, &k, &v}) operand->mutable_grad().zero_();
    const Tensor expected = plain_attention(q, k, v, c.heads, c.from);
    EXPECT_TRUE(torch::allclose(out, expected, 1e-12, 1e-12));
    expected.sin().sum().backward();
    EXPECT_TRUE(torch::allclose(ours[0], q.grad(), 1e-11, 1e-11));
    EXPECT_TRUE(torch::allclose(ours[1], k.grad(), 1e-11, 1e-11));
    EXPECT_TRUE(torch::allclose(ours[2], v.grad(), 1e-11, 1e-11));
  }
}

TEST(Threads, OfImageNetworksFlushDenormalNumbers) {
  const int before = at::get_num_threads();
  set_image_threads(3);
  std::vector<float> numbers(3, 1e-41f);
#pragma omp parallel for num_threads(3) schedule(static, 1)
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] *= 0.5f;
  for (const float number : numbers) EXPECT_EQ(std::bit_cast<std::uint32_t>(number), 0u);
#pragma omp parallel num_threads(3)
  at::globalContext().setFlushDenormal(false);
  set_tensor_threads(before);
}

}  // namespace
}  // namespace rankine::models
