// The threads of layers take numbers below the normal range as zeros.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/timer.hpp"
#include "models/threads.hpp"

namespace rankine::models {
namespace {

using at::Tensor;

/// Shortest of several forward and backward passes of a convolution.
double convolution_seconds(const Tensor& images, const Tensor& kernel) {
  const Tensor weight = kernel.detach().clone().set_requires_grad(true);
  double best = 1e9;
  for (int repeat = 0; repeat < 7; ++repeat) {
    const Stopwatch watch;
    at::conv2d(images, weight, {}, 1, 1).sum().backward();
    best = std::min(best, watch.seconds());
  }
  return best;
}

/// Around 1e-41. By their bits: arithmetic may flush them.
Tensor denormal_numbers(at::IntArrayRef shape) {
  return at::randint(1, 10'000, shape, at::kInt).view(at::kFloat);
}

TEST(Threads, TakeDenormalNumbersAsZeros) {
  const int before = at::get_num_threads();
  for (const int threads : {3, 2, 1}) {
    set_tensor_threads(threads);
    EXPECT_EQ((denormal_numbers({300'000}) * 1e20).abs().max().item<float>(), 0)
        << threads << " threads";
  }
  const Tensor images = at::rand({8, 16, 24, 24}), kernel = at::rand({16, 16, 3, 3});
  EXPECT_LT(convolution_seconds(images, denormal_numbers(kernel.sizes())),
            3 * convolution_seconds(images, kernel));
  set_tensor_threads(before);
}

}  // namespace
}  // namespace rankine::models
