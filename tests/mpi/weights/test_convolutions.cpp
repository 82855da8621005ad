// Every form of a weight as the kernel of a convolution, at any stride, padding and dilation.
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>

#include "forms_testing.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/forms/matrix_product.hpp"
#include "weights/forms/tucker.hpp"
#include "weights/making/matrix_product_factorisation.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

struct Layer {
  const char* name;
  std::int64_t outputs, channels;
  ConvolutionGeometry geometry;

  KernelShape shape() const {
    return {outputs, channels / geometry.groups, geometry.kernel[0], geometry.kernel[1]};
  }
};

const std::vector<Layer> layers{
    {"unequal stride", 6, 4, {.kernel = {3, 3}, .stride = {2, 1}, .padding = {1, 1}}},
    {"dilation", 6, 4, {.kernel = {3, 3}, .padding = {2, 2}, .dilation = {2, 2}}},
    {"unequal padding", 4, 6, {.kernel = {3, 2}, .padding = {0, 1}, .dilation = {1, 2}}},
    {"one pixel", 6, 4, {.kernel = {1, 1}, .stride = {2, 2}}},
    {"one channel", 8, 1, {.kernel = {3, 3}, .padding = {1, 1}}},
    {"one output", 1, 8, {.kernel = {3, 3}, .padding = {1, 1}}},
};

/// By its definition, in the order of its sums.
Tensor by_hand(const Tensor& images, const Tensor& kernels, const ConvolutionGeometry& geometry,
               const Tensor& bias) {
  const std::int64_t rows = geometry.places(0, images.size(2));
  const std::int64_t columns = geometry.places(1, images.size(3));
  const std::int64_t inputs = kernels.size(1), outputs = kernels.size(0);
  Tensor result = torch::zeros({images.size(0), outputs, rows, columns}, torch::kFloat64);
  for (std::int64_t o = 0; o < outputs; ++o)
    for (std::int64_t y = 0; y < rows; ++y)
      for (std::int64_t x = 0; x < columns; ++x) {
        Tensor sum = bias[o].expand({images.size(0)}).clone();
        for (std::int64_t h = 0; h < kernels.size(2); ++h)
          for (std::int64_t w = 0; w < kernels.size(3); ++w) {
            const std::int64_t row =
                y * geometry.stride[0] + h * geometry.dilation[0] - geometry.padding[0];
            const std::int64_t column =
                x * geometry.stride[1] + w * geometry.dilation[1] - geometry.padding[1];
            if (row < 0 || row >= images.size(2) || column < 0 || column >= images.size(3))
              continue;
            const std::int64_t first = o / (outputs / geometry.groups) * inputs;
            sum += images.select(2, row)
                       .select(2, column)
                       .narrow(1, first, inputs)
                       .matmul(kernels[o].select(1, h).select(1, w));
          }
        result.select(1, o).select(1, y).select(1, x).copy_(sum);
      }
  return result;
}

using MakeKernel = std::function<std::unique_ptr<Weight>(const Layer& layer, const Tensor& matrix,
                                                         const RowSplit& split)>;
struct KernelForm {
  const char* name;
  MakeKernel make;
};

Tensor orthogonal(std::int64_t n, int seed) {
  return std::get<0>(torch::linalg_qr(random_matrix(n, n, seed)));
}

/// Full ranks in a basis of its own for every axis.
TuckerFactors rotated(const Tensor& matrix, const KernelShape& shape) {
  const Tensor o = orthogonal(shape.outputs, 1), i = orthogonal(shape.inputs, 2);
  const Tensor h = orthogonal(shape.height, 3), w = orthogonal(shape.width, 4);
  const std::vector<std::int64_t> axes{shape.outputs, shape.inputs, shape.height, shape.width};
  const TuckerFactors back{matrix.view(axes), o.t(), i.t(), h.t(), w.t()};
  return {contract(back).view(axes), o, i, h, w};
}

/// Of full ranks.
const std::vector<KernelForm> kernel_forms{
    {"dense",
     [](const Layer&, const Tensor& matrix, const RowSplit& split) -> std::unique_ptr<Weight> {
       return std::make_unique<Dense>(world(), split, own_part(matrix, split).clone());
     }},
    {"low-rank",
     [](const Layer&, const Tensor& matrix, const RowSplit& split) {
       const Tensor q = orthogonal(matrix.size(0), 5);
       const RowSplit even = RowSplit::even(matrix.size(0), world().size());
       return make_low_rank(world(), split, own_part(q, split),
                            own_part(q.t().matmul(matrix), even), torch::kFloat64);
     }},
    {"operator",
     [](const Layer& layer, const Tensor& matrix, const RowSplit& split) {
       const OperatorLegs legs = kernel_legs(layer.shape());
       return make_matrix_product(
           world(), split, own_part(matrix, split),
           {.row_legs = legs.rows, .column_legs = legs.columns, .bond_dimension = 1000},
           torch::kFloat64);
     }},
    {"tucker",
     [](const Layer& layer, const Tensor& matrix, const RowSplit& split) {
       return make_tucker(world(), split, rotated(matrix, layer.shape()), torch::kFloat64);
     }},
};

/// All outputs on every rank, from images that are the same on all.
Tensor convolved(const Weight& weight, const Tensor& images, const ConvolutionGeometry& geometry,
                 const Tensor& bias) {
  const Tensor own_bias = bias.defined() ? own_part(bias, weight.split()) : bias;
  const Tensor own = weight.convolve(share_input(world(), images), geometry, own_bias);
  // Pixels as rows.
  const Tensor pixels = own.permute({0, 2, 3, 1}).flatten(0, 2);
  const Tensor all = gather_columns(world(), pixels, weight.split(), Gradient::same);
  return all.view({own.size(0), own.size(2), own.size(3), weight.outputs()}).permute({0, 3, 1, 2});
}

Tensor images_for(const Layer& layer, std::int64_t count) {
  return random_matrix(count * layer.channels, 7 * 6, 3).view({count, layer.channels, 7, 6});
}

/// Calls check(weight, layer, kernels) for every form and layer.
template <class Check>
void for_each_kernel(Check&& check) {
  for (const KernelForm& form : kernel_forms)
    for (const Layer& layer : layers) {
      SCOPED_TRACE(std::string(form.name) + ", " + layer.name);
      const KernelShape shape = layer.shape();
      const Tensor matrix = random_matrix(shape.outputs, shape.columns(), 11);
      const auto weight = form.make(layer, matrix, RowSplit::even(layer.outputs, world().size()));
      check(*weight, layer, matrix.view({shape.outputs, shape.inputs, shape.height, shape.width}));
    }
}

TEST(Convolutions, OfEveryFormAtFullRankAreThoseOfTheDenseKernel) {
  for_each_kernel([](const Weight& weight, const Layer& layer, const Tensor& kernels) {
    const Tensor images = images_for(layer, 2);
    const Tensor bias = random_matrix(layer.outputs, 1, 9).view({-1});
    const Tensor expected = by_hand(images, kernels, layer.geometry, bias);
    const Tensor found = convolved(weight, images, layer.geometry, bias);
    ASSERT_EQ(found.sizes(), expected.sizes());
    EXPECT_TRUE(torch::allclose(found, expected, 1e-11, 1e-11));
    EXPECT_TRUE(torch::allclose(convolved(weight, images, layer.geometry, {}),
                                expected - bias.view({1, -1, 1, 1}), 1e-11, 1e-11));
  });
}

TEST(Convolutions, HaveTheGradientsOfFiniteDifferences) {
  for_each_kernel([](const Weight& weight, const Layer& layer, const Tensor&) {
    const Tensor images = 0.1 * images_for(layer, 2);
    const Tensor factor = torch::randn_like(convolved(weight, images, layer.geometry, {}));
    expect_gradients_of_differences(weight, images, [&] {
      return (convolved(weight, images, layer.geometry, {}).tanh() * factor).sum();
    });
  });
}

TEST(Convolutions, OfTruncatedFormsAreThoseOfTheirRows) {
  for (const Layer& layer : layers)
    for (const auto output : {OutputFactor::half, OutputFactor::none}) {
      SCOPED_TRACE(layer.name);
      const RowSplit split = RowSplit::even(layer.outputs, world().size());
      const auto weight =
          make_tucker(world(), split, random_factors(layer.shape(), output), torch::kFloat64);
      const Tensor images = 0.1 * images_for(layer, 2);
      const Tensor bias = random_matrix(layer.outputs, 1, 9).view({-1});
      const Dense dense(world(), split, weight->own_rows().clone());
      EXPECT_TRUE(torch::allclose(convolved(*weight, images, layer.geometry, bias),
                                  convolved(dense, images, layer.geometry, bias), 1e-11, 1e-11));
      const Tensor factor = torch::randn({layer.outputs, 1, 1}, torch::kFloat64);
      expect_gradients_of_differences(*weight, images, [&] {
        return (convolved(*weight, images, layer.geometry, {}).tanh() * factor).sum();
      });
    }
}

TEST(Convolutions, AddTheBiasOnceAlsoAtBorders) {
  const Layer layer{"five pixels", 4, 3, {.kernel = {5, 5}, .padding = {2, 2}}};
  const Tensor bias = torch::full({4}, 10, torch::kFloat64);
  for (const KernelForm& form : kernel_forms) {
    SCOPED_TRACE(form.name);
    const auto weight =
        form.make(layer, random_matrix(4, 75, 11), RowSplit::even(4, world().size()));
    const Tensor black = torch::zeros({1, 3, 7, 6}, torch::kFloat64);
    const Tensor found = convolved(*weight, black, layer.geometry, bias);
    EXPECT_TRUE(torch::equal(found, torch::full_like(found, 10)));
  }
}

TEST(Convolutions, OfNoImagesHaveGradientsOfZero) {
  for_each_kernel([](const Weight& weight, const Layer& layer, const Tensor&) {
    Tensor images = images_for(layer, 0).requires_grad_(true);
    for (const Parameter& parameter : weight.parameters()) {
      Tensor values = parameter.values;
      values.requires_grad_(true);
    }
    const Tensor bias = torch::ones({layer.outputs}, torch::kFloat64);
    const Tensor found = convolved(weight, images, layer.geometry, bias);
    EXPECT_EQ(found.sizes(), at::IntArrayRef({0, layer.outputs, layer.geometry.places(0, 7),
                                              layer.geometry.places(1, 6)}));
    found.sum().backward();
    EXPECT_EQ(images.grad().sizes(), images.sizes());
    for (const Parameter& parameter : weight.parameters()) {
      ASSERT_TRUE(parameter.values.grad().defined()) << parameter.name;
      EXPECT_EQ(parameter.values.grad().count_nonzero().item<std::int64_t>(), 0);
    }
  });
}

TEST(Convolutions, OfGroupsReadTheirOwnChannels) {
  const Layer layer{"groups", 12, 8, {.kernel = {3, 3}, .padding = {1, 1}, .groups = 4}};
  const Tensor matrix = random_matrix(12, 18, 11);
  const Tensor images = images_for(layer, 2), bias = random_matrix(12, 1, 9).view({-1});
  const Tensor expected = by_hand(images, matrix.view({12, 2, 3, 3}), layer.geometry, bias);
  // Teams of one rank, which owns all rows.
  const parallel::Communicator alone = world().split(world().rank(), 0);
  const RowSplit whole = RowSplit::even(12, 1);
  const Dense dense(alone, whole, matrix.clone());
  EXPECT_TRUE(
      torch::allclose(dense.convolve(images, layer.geometry, bias), expected, 1e-11, 1e-11));
  const auto low_rank =
      make_low_rank(alone, whole, matrix, torch::eye(18, torch::kFloat64), torch::kFloat64);
  EXPECT_TRUE(
      torch::allclose(low_rank->convolve(images, layer.geometry, bias), expected, 1e-11, 1e-11));
}

TEST(Convolutions, OfRankZeroLeaveTheBias) {
  const Layer& layer = layers.front();
  const RowSplit split = RowSplit::even(layer.outputs, world().size());
  const auto nothing = torch::zeros({layer.outputs, 0}, torch::kFloat64);
  const auto weight = make_low_rank(world(), split, own_part(nothing, split),
                                    torch::zeros({0, 36}, torch::kFloat64), torch::kFloat64);
  const Tensor bias = random_matrix(layer.outputs, 1, 9).view({-1});
  const Tensor found = convolved(*weight, images_for(layer, 2), layer.geometry, bias);
  EXPECT_TRUE(torch::equal(found, bias.view({1, -1, 1, 1}).expand_as(found)));
}

}  // namespace
}  // namespace rankine::weights
