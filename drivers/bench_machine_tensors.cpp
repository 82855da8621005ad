// What libtorch takes for small operations, convolutions and exponentials.
#include <torch/types.h>

#include "bench_machine.hpp"
#include "bench_timing.hpp"

namespace rankine::bench {

using torch::Tensor;

namespace {

/// Of a chain of products and additions of a few numbers, forward and back.
double operation_seconds(std::int64_t repeats) {
  constexpr int links = 200;
  const Tensor w = torch::randn({8, 8}).mul_(0.1).requires_grad_(true);
  return shortest_time(repeats + 1, [&] {
           Tensor x = torch::ones({8, 8});
           for (int k = 0; k < links; ++k) x = torch::relu(x.matmul(w) + x);
           x.sum().backward();
         }) / (links * 3 * 3);
}

double convolution_rate(std::int64_t repeats) {
  const torch::NoGradGuard no_gradients;
  constexpr std::int64_t images = 32, channels = 32, size = 16;
  const Tensor x = torch::randn({images, channels, size, size}),
               kernel = torch::randn({channels, channels, 3, 3});
  const double seconds = shortest_time(repeats + 2, [&] {
    torch::conv2d(x, kernel, {}, 1, 1);
  });
  return 2e-9 * static_cast<double>(images * channels * channels * 9 * size * size) / seconds;
}

double exponential_seconds(std::int64_t repeats) {
  constexpr std::int64_t count = 1 << 20;
  const Tensor x = torch::randn({count});
  Tensor y = torch::empty_like(x);
  return shortest_time(repeats + 1, [&] { torch::exp_out(y, x); }) / static_cast<double>(count);
}

}  // namespace

void measure_tensors(run::SoftwareOptions& software, std::int64_t repeats) {
  software.operation = 1e6 * operation_seconds(repeats);
  software.convolution = convolution_rate(repeats);
  software.exponential = 1e9 * exponential_seconds(repeats);
}

}  // namespace rankine::bench
