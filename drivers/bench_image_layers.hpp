// A 3x3 convolution as a layer, dense and in Tucker form: time, and what the machine allows.
#pragma once

#include <cstdint>
#include <vector>

#include "parallel/communicator.hpp"

namespace rankine::bench {

/// A convolution of `channels` to as many on images of `size` x `size`.
struct ConvolutionCase {
  std::int64_t channels = 0;
  std::int64_t size = 0;
  std::int64_t batch = 0;
  std::int64_t rank = 0;  ///< of both channel axes; 0 for a dense kernel
};

struct ConvolutionTime {
  ConvolutionCase layer;
  double multiply_adds = 0;  ///< of a forward pass
  double forward = 0;        ///< s
  double both = 0;           ///< forward and backward, s
  double forward_bound = 0;  ///< s, by the rates of products and copies
  double both_bound = 0;
  double gemm_gflops = 0;
  double copy_rate = 0;  ///< bytes read and written a second, of arrays as large as the activations
};

/// Rate of float32 matrix products, every thread with its own, GFlop/s.
double sgemm_rate(std::int64_t repeats, int threads);

/// `team` is one rank.
ConvolutionTime time_convolution(const parallel::Communicator& team, const ConvolutionCase& layer,
                                 std::int64_t repeats, double gemm_gflops);

}  // namespace rankine::bench
