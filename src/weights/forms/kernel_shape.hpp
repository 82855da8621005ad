// The axes of a convolution kernel, which as a matrix is outputs x (inputs height width).
#pragma once

#include <cstdint>

namespace rankine::weights {

/// Of one group: `inputs` is what one output reads.
struct KernelShape {
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
  std::int64_t height = 1;
  std::int64_t width = 1;

  std::int64_t columns() const { return inputs * height * width; }
  std::int64_t dense_numbers() const { return outputs * columns(); }
};

}  // namespace rankine::weights
