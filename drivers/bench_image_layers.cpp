#include "bench_image_layers.hpp"

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <cmath>
#include <memory>

#include "bench_timing.hpp"
#include "linalg/blas.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/tucker.hpp"

namespace rankine::bench {

using torch::Tensor;
using weights::RowSplit;

namespace {

constexpr std::int64_t area = 9;  ///< of a kernel

/// One of the convolutions that a layer consists of, without the pixels of its images.
struct Part {
  std::int64_t inputs, outputs, area;

  double kernel() const { return static_cast<double>(inputs * outputs * area); }
};

std::vector<Part> parts_of(const ConvolutionCase& layer) {
  const std::int64_t channels = layer.channels, rank = layer.rank;
  if (rank == 0) return {{channels, channels, area}};
  return {{channels, rank, 1}, {rank, rank, area}, {rank, channels, 1}};
}

double pixels_of(const ConvolutionCase& layer) {
  return static_cast<double>(layer.batch * layer.size * layer.size);
}

std::unique_ptr<weights::Weight> kernel_of(const parallel::Communicator& team,
                                           const ConvolutionCase& layer) {
  const RowSplit split = RowSplit::even(layer.channels, 1);
  const auto drawn = [](std::vector<std::int64_t> shape, std::int64_t inputs) {
    return torch::randn(shape) / std::sqrt(static_cast<double>(inputs));
  };
  const std::int64_t channels = layer.channels, rank = layer.rank;
  if (rank == 0)
    return std::make_unique<weights::Dense>(team, split,
                                            drawn({channels, channels * area}, channels * area));
  return weights::make_tucker(team, split,
                              {.core = drawn({rank, rank, 3, 3}, rank * area),
                               .output = drawn({channels, rank}, rank),
                               .input = drawn({channels, rank}, channels),
                               .height = {},
                               .width = {}},
                              torch::kFloat32);
}

/// Bytes a second of a copy, read and written, of as many numbers.
double copy_rate(double numbers, std::int64_t repeats) {
  const Tensor from = torch::ones({static_cast<std::int64_t>(numbers)}), to = from.clone();
  return 8 * numbers / shortest_time(repeats + 3, [&] { Tensor(to).copy_(from); });
}

/// No part is faster than its products or its traffic; a backward pass does both twice.
double bound(const ConvolutionCase& layer, double gflops, double bytes_a_second) {
  double seconds = 0;
  for (const Part& part : parts_of(layer)) {
    const double products = 2e-9 * pixels_of(layer) * part.kernel() / gflops;
    const double numbers =
        pixels_of(layer) * static_cast<double>(part.inputs + part.outputs) + part.kernel();
    seconds += std::max(products, 4 * numbers / bytes_a_second);
  }
  return seconds;
}

double square_gemm_rate(std::int64_t repeats, int threads) {
  constexpr std::int64_t n = 512;
  const double seconds = shortest_time(repeats, [&] {
#pragma omp parallel num_threads(threads)
    {
      static thread_local linalg::Matrix<float> a(n, n), b(n, n), c(n, n);
      linalg::gemm<float>(linalg::Op::none, linalg::Op::none, 1, a.view(), b.view(), 0, c.view());
    }
  });
  return 2e-9 * n * n * n * threads / seconds;
}

double wide_convolution_rate(std::int64_t repeats) {
  const torch::NoGradGuard no_gradients;
  constexpr std::int64_t channels = 256, size = 8, images = 4;
  const Tensor x = torch::randn({images, channels, size, size});
  const Tensor kernel = torch::randn({channels, channels, 3, 3});
  const double seconds = shortest_time(repeats, [&] { torch::conv2d(x, kernel, {}, 1, 1); });
  return 2e-9 * images * size * size * channels * channels * area / seconds;
}

}  // namespace

ProductRates product_rates(std::int64_t repeats, int threads) {
  return {square_gemm_rate(repeats, threads), wide_convolution_rate(repeats)};
}

ConvolutionTime time_convolution(const parallel::Communicator& team, const ConvolutionCase& layer,
                                 std::int64_t repeats, const ProductRates& rates) {
  const auto kernel = kernel_of(team, layer);
  const weights::ConvolutionGeometry geometry{.kernel = {3, 3}, .padding = {1, 1}};
  const Tensor images = torch::randn({layer.batch, layer.channels, layer.size, layer.size});
  ConvolutionTime time{.layer = layer};
  for (const Part& part : parts_of(layer)) time.multiply_adds += pixels_of(layer) * part.kernel();
  const auto pass = [&] { return kernel->convolve(images, geometry, {}); };
  const Tensor slopes = torch::randn_like(images);
  {
    const torch::NoGradGuard no_gradients;
    pass();
    time.forward = shortest_time(repeats, pass);
  }
  std::vector<Tensor> leaves{images};
  for (const auto& parameter : kernel->parameters()) leaves.push_back(parameter.values);
  for (const Tensor& leaf : leaves) leaf.set_requires_grad(true);
  const auto both = [&] { return torch::autograd::grad({pass()}, leaves, {slopes}); };
  both();
  time.both = shortest_time(repeats, both);
  time.copy_rate = copy_rate(pixels_of(layer) * static_cast<double>(layer.channels), repeats);
  time.forward_bound = bound(layer, std::max(rates.gemm, rates.convolution), time.copy_rate);
  time.both_bound = 3 * time.forward_bound;
  return time;
}

}  // namespace rankine::bench
