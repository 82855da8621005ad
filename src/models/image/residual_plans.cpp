// The residual networks that have names.
#include <fmt/format.h>

#include "core/errors.hpp"
#include "models/image/plan_building.hpp"

namespace rankine::models {

namespace {

/// The shortcut of option A: every second pixel, new channels of zeros on both sides.
std::vector<LayerPlan> subsampled(const ImageShape& input, std::int64_t channels,
                                  std::int64_t stride) {
  if (stride == 1 && channels == input.channels) return {};
  LayerSequence shortcut(input);
  shortcut.add({.kind = LayerKind::subsample,
                .outputs = {channels},
                .geometry = {.stride = {stride, stride}}});
  return shortcut.take();
}

std::vector<LayerPlan> projected(const std::string& name, const ImageShape& input,
                                 std::int64_t channels, std::int64_t stride) {
  if (stride == 1 && channels == input.channels) return {};
  LayerSequence shortcut(input);
  shortcut.convolution(name + ".downsample.0", channels, 1, stride);
  shortcut.batch_norm(name + ".downsample.1");
  return shortcut.take();
}

std::vector<LayerPlan> basic_body(const std::string& name, const ImageShape& input,
                                  std::int64_t channels, std::int64_t stride) {
  LayerSequence body(input);
  body.convolution(name + ".conv1", channels, 3, stride);
  body.batch_norm(name + ".bn1");
  body.plain(LayerKind::relu);
  body.convolution(name + ".conv2", channels, 3, 1);
  body.batch_norm(name + ".bn2");
  return body.take();
}

std::vector<LayerPlan> bottleneck_body(const std::string& name, const ImageShape& input,
                                       std::int64_t channels, std::int64_t stride) {
  LayerSequence body(input);
  body.convolution(name + ".conv1", channels, 1, 1);
  body.batch_norm(name + ".bn1");
  body.plain(LayerKind::relu);
  body.convolution(name + ".conv2", channels, 3, stride);
  body.batch_norm(name + ".bn2");
  body.plain(LayerKind::relu);
  body.convolution(name + ".conv3", 4 * channels, 1, 1);
  body.batch_norm(name + ".bn3");
  return body.take();
}

void add_residual(LayerSequence& layers, std::vector<LayerPlan> body,
                  std::vector<LayerPlan> shortcut) {
  layers.add(
      {.kind = LayerKind::residual, .body = std::move(body), .shortcut = std::move(shortcut)});
  layers.plain(LayerKind::relu);
}

/// One stage of the ImageNet family, of `blocks` blocks.
void add_stage(LayerSequence& layers, const std::string& name, std::int64_t blocks,
               std::int64_t channels, std::int64_t stride, bool has_bottlenecks) {
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::string block = fmt::format("{}.{}", name, b);
    const ImageShape input = layers.shape();
    const std::int64_t step = b == 0 ? stride : 1;
    add_residual(layers,
                 has_bottlenecks ? bottleneck_body(block, input, channels, step)
                                 : basic_body(block, input, channels, step),
                 projected(block, input, has_bottlenecks ? 4 * channels : channels, step));
  }
}

void add_stem(LayerSequence& layers, Stem stem) {
  const bool is_small = stem == Stem::cifar;
  layers.convolution("conv1", 64, is_small ? 3 : 7, is_small ? 1 : 2);
  layers.batch_norm("bn1");
  layers.plain(LayerKind::relu);
  if (!is_small)
    layers.add({.kind = LayerKind::max_pool,
                .geometry = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}});
}

}  // namespace

NetworkPlan cifar_resnet(std::int64_t depth, const ImageShape& input, std::int64_t classes) {
  if (depth < 8 || depth % 6 != 2)
    throw InputError(
        fmt::format("model.architecture = \"cifar-resnet-{}\" does not exist (these networks have "
                    "6n+2 layers). "
                    "Choose a depth of 8, 14, 20, 26, 32, ..., 56, ..., 110.",
                    depth));
  LayerSequence layers(input);
  layers.convolution("conv1", 16, 3, 1);
  layers.batch_norm("bn1");
  layers.plain(LayerKind::relu);
  for (std::int64_t stage = 0; stage < 3; ++stage)
    for (std::int64_t b = 0; b < (depth - 2) / 6; ++b) {
      const std::string name = fmt::format("layer{}.{}", stage + 1, b);
      const std::int64_t channels = 16 << stage, stride = stage > 0 && b == 0 ? 2 : 1;
      const ImageShape here = layers.shape();
      add_residual(layers, basic_body(name, here, channels, stride),
                   subsampled(here, channels, stride));
    }
  layers.plain(LayerKind::global_pool);
  layers.linear("linear", classes);
  return {input, classes, layers.take()};
}

NetworkPlan imagenet_resnet(std::int64_t depth, Stem stem, const ImageShape& input,
                            std::int64_t classes) {
  const bool has_bottlenecks = depth == 50;
  const std::vector<std::int64_t> blocks =
      depth == 18 ? std::vector<std::int64_t>{2, 2, 2, 2} : std::vector<std::int64_t>{3, 4, 6, 3};
  LayerSequence layers(input);
  add_stem(layers, stem);
  for (std::size_t stage = 0; stage < blocks.size(); ++stage)
    add_stage(layers, fmt::format("layer{}", stage + 1), blocks[stage], 64 << stage,
              stage == 0 ? 1 : 2, has_bottlenecks);
  layers.plain(LayerKind::global_pool);
  layers.linear("fc", classes);
  return {input, classes, layers.take()};
}

}  // namespace rankine::models
