// The one convolution of the layers, of kernels that lie as rows of a matrix.
#pragma once

#include <torch/types.h>

#include "weights/rows/convolution_geometry.hpp"

namespace rankine::weights {

/// images (N x C x H x W) with kernels `rows` (outputs x (C/groups kh kw), as safetensors files lay
/// them): N x outputs x H' x W', plus `bias` (outputs; may be undefined). All are float32 or all
/// float64; N, C and outputs may be 0. Differentiable in all three.
torch::Tensor convolve_rows(const torch::Tensor& images, const torch::Tensor& rows,
                            const ConvolutionGeometry& geometry, const torch::Tensor& bias);

}  // namespace rankine::weights
