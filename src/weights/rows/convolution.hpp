// The one convolution of the layers, of kernels that lie as rows of a matrix.
#pragma once

#include <torch/types.h>

#include <array>
#include <cstdint>

namespace rankine::weights {

/// How a kernel moves over an image: height first, then width.
struct ConvolutionGeometry {
  std::array<std::int64_t, 2> kernel;
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> padding = {0, 0};  ///< zeros on either side
  std::array<std::int64_t, 2> dilation = {1, 1};
  std::int64_t groups = 1;

  /// Height (axis 0) or width (axis 1) of the result for that of an image.
  std::int64_t extent_after(std::int64_t extent, std::size_t axis) const {
    return (extent + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] +
           1;
  }
};

/// images (N x C x H x W) with kernels `rows` (outputs x (C/groups kh kw), as safetensors files lay
/// them): N x outputs x H' x W', plus `bias` (outputs; may be undefined). All are float32 or all
/// float64; N, C and outputs may be 0. Differentiable in all three.
torch::Tensor convolve_rows(const torch::Tensor& images, const torch::Tensor& rows,
                            const ConvolutionGeometry& geometry, const torch::Tensor& bias);

}  // namespace rankine::weights
