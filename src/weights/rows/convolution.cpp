#include "weights/rows/convolution.hpp"

#include "core/contracts.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// The result where images or kernels are empty, which libtorch refuses: nothing but the bias.
Tensor of_nothing(const Tensor& images, const Tensor& rows, const ConvolutionGeometry& geometry,
                  const Tensor& bias) {
  // The empty sums keep the result in the graph: the backward pass must be alike on all ranks.
  const Tensor zeros =
      torch::zeros({images.size(0), rows.size(0), geometry.places(0, images.size(2)),
                    geometry.places(1, images.size(3))},
                   images.options()) +
      rows.sum() + images.narrow(1, 0, 0).sum();
  return bias.defined() ? zeros + bias.view({1, -1, 1, 1}) : zeros;
}

}  // namespace

Tensor convolve_rows(const Tensor& images, const Tensor& rows, const ConvolutionGeometry& geometry,
                     const Tensor& bias) {
  const auto& [kernel, stride, padding, dilation, groups] = geometry;
  RANKINE_EXPECTS(images.dim() == 4 && rows.dim() == 2, "images and rows of kernels are given");
  RANKINE_EXPECTS(images.size(1) * kernel[0] * kernel[1] == rows.size(1) * groups,
                  "the kernels are for as many channels as the images have");
  if (images.numel() == 0 || rows.numel() == 0) return of_nothing(images, rows, geometry, bias);
  const Tensor kernels =
      rows.reshape({rows.size(0), images.size(1) / groups, kernel[0], kernel[1]});
  return torch::conv2d(images, kernels, bias, stride, padding, dilation, groups);
}

}  // namespace rankine::weights
