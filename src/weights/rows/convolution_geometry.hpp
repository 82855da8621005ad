// How the kernel of a convolution moves over an image.
#pragma once

#include <array>
#include <cstdint>

namespace rankine::weights {

/// Pairs are of the vertical and the horizontal axis, in pixels.
struct ConvolutionGeometry {
  std::array<std::int64_t, 2> kernel = {1, 1};
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> padding = {0, 0};
  std::array<std::int64_t, 2> dilation = {1, 1};
  std::int64_t groups = 1;

  std::int64_t area() const { return kernel[0] * kernel[1]; }
  /// Places of the kernel along an axis on which the image has `size` pixels; below 1 where it does
  /// not fit.
  std::int64_t places(std::size_t axis, std::int64_t size) const {
    const std::int64_t reach = dilation[axis] * (kernel[axis] - 1) + 1;
    const std::int64_t room = size + 2 * padding[axis] - reach;
    return room < 0 ? 0 : room / stride[axis] + 1;
  }
  bool operator==(const ConvolutionGeometry&) const = default;
};

}  // namespace rankine::weights
