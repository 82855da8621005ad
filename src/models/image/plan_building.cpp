#include "models/image/plan_building.hpp"

#include <fmt/format.h>

#include "core/errors.hpp"

namespace rankine::models {

namespace {

[[noreturn]] void refuse(const LayerPlan& layer, const std::string& place, const std::string& why,
                         const std::string& advice) {
  const std::string name = layer.name.empty() ? "" : fmt::format(" {}", layer.name);
  throw InputError(fmt::format("the {} layer{}{}{} does not fit ({}). {}",
                               name_in(layer_kinds(), layer.kind), name,
                               place.empty() ? "" : " in ", place, why, advice));
}

/// Of the window of a convolution or a pool on an image. Pools in ceil mode count a last window
/// that overlaps the border, unless it begins beyond image and padding (as PyTorch).
ImageShape moved_over(const LayerPlan& layer, std::int64_t channels) {
  const auto& window = layer.geometry;
  const auto size = [&](std::size_t axis, std::int64_t pixels) {
    const std::int64_t places = window.places(axis, pixels);
    if (!layer.has_ceil_mode || places < 1) return places;
    const std::int64_t reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
    const std::int64_t rest =
        pixels + 2 * window.padding[axis] - reach - (places - 1) * window.stride[axis];
    const bool begins_inside = places * window.stride[axis] < pixels + window.padding[axis];
    return rest > 0 && begins_inside ? places + 1 : places;
  };
  return {channels, size(0, layer.inputs.height), size(1, layer.inputs.width)};
}

void check_window(const LayerPlan& layer, const std::string& place) {
  if (layer.outputs.height < 1 || layer.outputs.width < 1)
    refuse(
        layer, place,
        fmt::format("its kernel of {} x {} is larger than the image of {} pixels that reaches it",
                    layer.geometry.kernel[0], layer.geometry.kernel[1], shown(layer.inputs)),
        "Give larger images, more padding or fewer pools.");
}

void check_groups(const LayerPlan& layer, const std::string& place) {
  const std::int64_t groups = layer.geometry.groups;
  if (layer.inputs.channels % groups != 0 || layer.outputs.channels % groups != 0)
    refuse(layer, place,
           fmt::format("{} input and {} output channels are not divisible by {} groups",
                       layer.inputs.channels, layer.outputs.channels, groups),
           "Choose groups that divide both.");
}

/// What a layer makes of its inputs.
ImageShape made_of(const LayerPlan& layer) {
  switch (layer.kind) {
    case LayerKind::convolution:
      return moved_over(layer, layer.outputs.channels);
    case LayerKind::max_pool:
    case LayerKind::average_pool:
      return moved_over(layer, layer.inputs.channels);
    case LayerKind::linear:
      return {layer.outputs.channels, 1, 1};
    case LayerKind::global_pool:
      return {layer.inputs.channels, 1, 1};
    case LayerKind::flatten:
      return {layer.inputs.size(), 1, 1};
    case LayerKind::subsample: {
      const auto half = [&](std::size_t axis, std::int64_t pixels) {
        return (pixels + layer.geometry.stride[axis] - 1) / layer.geometry.stride[axis];
      };
      return {layer.outputs.channels, half(0, layer.inputs.height), half(1, layer.inputs.width)};
    }
    case LayerKind::residual:
      return layer.body.empty() ? layer.inputs : layer.body.back().outputs;
    default:
      return layer.inputs;
  }
}

void check(const LayerPlan& layer, const std::string& place) {
  if (layer.kind == LayerKind::convolution) check_groups(layer, place);
  if (layer.kind == LayerKind::linear && layer.inputs.height * layer.inputs.width != 1)
    refuse(layer, place,
           fmt::format("it takes features and gets an image of {}", shown(layer.inputs)),
           "Put a flatten or global-pool layer before it.");
  if (layer.kind == LayerKind::prelu && layer.slopes != 1 && layer.slopes != layer.inputs.channels)
    refuse(layer, place,
           fmt::format("it has {} slopes for {} channels", layer.slopes, layer.inputs.channels),
           "Give it one slope, or one for each channel.");
  if (layer.kind == LayerKind::residual) {
    const ImageShape around = layer.shortcut.empty() ? layer.inputs : layer.shortcut.back().outputs;
    if (around != layer.outputs)
      refuse(
          layer, place,
          fmt::format("its body makes {} and its shortcut {}", shown(layer.outputs), shown(around)),
          "Make both the same.");
  }
  check_window(layer, place);
}

}  // namespace

void LayerSequence::add(LayerPlan layer, const std::string& place) {
  layer.inputs = shape_;
  layer.outputs = made_of(layer);
  check(layer, place);
  shape_ = layer.outputs;
  layers_.push_back(std::move(layer));
}

void LayerSequence::convolution(const std::string& name, std::int64_t outputs, std::int64_t kernel,
                                std::int64_t stride) {
  const std::int64_t padding = kernel / 2;
  add({.kind = LayerKind::convolution,
       .name = name,
       .outputs = {outputs},
       .geometry = {
           .kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {padding, padding}}});
}

void LayerSequence::linear(const std::string& name, std::int64_t outputs) {
  add({.kind = LayerKind::linear, .name = name, .outputs = {outputs}, .has_bias = true});
}

}  // namespace rankine::models
