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
  double forward_bound = 0;  ///< s, by the faster rate of products and that of copies
  double both_bound = 0;
  double copy_rate = 0;  ///< bytes read and written a second, of arrays as large as the activations
};

/// Of float32 products, GFlop/s.
struct ProductRates {
  double gemm = 0;         ///< square matrices, every thread with its own
  double convolution = 0;  ///< a dense layer of 256 channels; libtorch's kernels of it outrun BLAS
                           ///< where they have wider vectors
};

ProductRates product_rates(std::int64_t repeats, int threads);

/// `team` is one rank.
ConvolutionTime time_convolution(const parallel::Communicator& team, const ConvolutionCase& layer,
                                 std::int64_t repeats, const ProductRates& rates);

}  // namespace rankine::bench
