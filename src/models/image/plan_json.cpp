// Network plans as JSON: what "plain" networks are described by and what exports say of theirs.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "files/json_section.hpp"
#include "models/image/plan_building.hpp"

namespace rankine::models {

using files::JsonSection;
using nlohmann::json;

namespace {

constexpr std::int64_t largest_size = 1'000'000;

std::array<std::int64_t, 2> pair(const JsonSection& layer, const char* key, std::int64_t least,
                                 std::array<std::int64_t, 2> if_absent) {
  if (!layer.has(key)) return if_absent;
  const auto values = layer.wholes(key, least, largest_size);
  if (values.empty() || values.size() > 2) layer.refuse_value(key, "one number or two are");
  return {values.front(), values.back()};
}

/// Keys that a layer of a kind may have, beside "type".
std::vector<std::string> keys_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::convolution:
      return {"name", "outputs", "kernel", "stride", "padding", "dilation", "groups", "bias"};
    case LayerKind::linear:
      return {"name", "outputs", "bias"};
    case LayerKind::batch_norm:
      return {"name", "epsilon"};
    case LayerKind::prelu:
      return {"name", "slopes"};
    case LayerKind::max_pool:
      return {"kernel", "stride", "padding", "dilation", "ceil_mode"};
    case LayerKind::average_pool:
      return {"kernel", "stride", "padding", "ceil_mode"};
    case LayerKind::flatten:
      return {"order"};
    case LayerKind::subsample:
      return {"outputs", "stride"};
    case LayerKind::residual:
      return {"body", "shortcut"};
    default:
      return {};
  }
}

LayerKind kind_of(const JsonSection& layer) {
  const std::string type = layer.text("type");
  const auto kind = value_named(layer_kinds(), type);
  if (!kind) {
    std::string known;
    for (const auto& line : layer_kinds())
      known += fmt::format("{}{}", known.empty() ? "" : ", ", line.name);
    layer.refuse_value("type", fmt::format("{} are", known));
  }
  const auto allowed = keys_of(*kind);
  for (const auto& [key, value] : layer.object().items())
    if (key != "type" && std::ranges::find(allowed, key) == allowed.end())
      layer.refuse_wrong(fmt::format("a layer of type {} has no key \"{}\"", type, key));
  return *kind;
}

std::vector<LayerPlan> parse_layers(const JsonSection& section, const char* key,
                                    const ImageShape& input);

void parse_window(const JsonSection& json, LayerPlan& layer) {
  auto& window = layer.geometry;
  const bool is_pool = layer.kind != LayerKind::convolution;
  if (layer.kind != LayerKind::subsample) window.kernel = pair(json, "kernel", 1, {0, 0});
  if (window.kernel[0] == 0) json.refuse_wrong("\"kernel\" is missing");
  window.stride =
      pair(json, "stride", 1,
           is_pool && layer.kind != LayerKind::subsample ? window.kernel
                                                         : std::array<std::int64_t, 2>{1, 1});
  window.padding = pair(json, "padding", 0, {0, 0});
  window.dilation = pair(json, "dilation", 1, {1, 1});
  if (json.has("groups")) window.groups = json.whole("groups", 1, largest_size);
  layer.has_ceil_mode = json.flag("ceil_mode", false);
  if (is_pool && layer.kind != LayerKind::subsample)
    for (const std::size_t axis : {0, 1})
      if (2 * window.padding[axis] > window.kernel[axis])
        json.refuse_value("padding", "paddings of at most half the kernel are");
}

LayerPlan parse_layer(const JsonSection& json, const ImageShape& input) {
  LayerPlan layer{.kind = kind_of(json)};
  if (layer.has_kernel() || layer.kind == LayerKind::batch_norm || layer.kind == LayerKind::prelu)
    layer.name = json.text("name");
  if (layer.has_kernel() || layer.kind == LayerKind::subsample)
    layer.outputs.channels = json.whole("outputs", 1, largest_size);
  if (layer.has_kernel()) layer.has_bias = json.flag("bias", true);
  switch (layer.kind) {
    case LayerKind::convolution:
    case LayerKind::max_pool:
    case LayerKind::average_pool:
    case LayerKind::subsample:
      parse_window(json, layer);
      break;
    case LayerKind::batch_norm:
      if (json.has("epsilon")) layer.epsilon = json.number("epsilon");
      if (!(layer.epsilon >= 0 && layer.epsilon <= 1))
        json.refuse_value("epsilon", "numbers from 0 to 1 are");
      break;
    case LayerKind::prelu:
      if (json.has("slopes")) layer.slopes = json.whole("slopes", 1, largest_size);
      break;
    case LayerKind::flatten:
      if (json.has("order")) {
        const std::string order = json.text("order");
        if (order != "chw" && order != "hwc") json.refuse_value("order", "\"chw\" and \"hwc\" are");
        layer.order = order == "hwc" ? FlattenOrder::channels_last : FlattenOrder::channels_first;
      }
      break;
    case LayerKind::residual:
      layer.body = parse_layers(json, "body", input);
      if (json.has("shortcut")) layer.shortcut = parse_layers(json, "shortcut", input);
      break;
    default:
      break;
  }
  return layer;
}

std::vector<LayerPlan> parse_layers(const JsonSection& section, const char* key,
                                    const ImageShape& input) {
  LayerSequence layers(input);
  for (const JsonSection& layer : section.sections(key))
    layers.add(parse_layer(layer, layers.shape()), layer.name());
  return layers.take();
}

void check_names(const NetworkPlan& plan, const std::filesystem::path& file) {
  std::vector<std::string> names;
  plan.for_each([&](const LayerPlan& layer) {
    if (layer.name.empty()) return;
    if (std::ranges::find(names, layer.name) != names.end())
      throw InputError(
          fmt::format("{} has two layers called {} (their tensors could not be told "
                      "apart). Give each a name of its own.",
                      file.string(), layer.name));
    names.push_back(layer.name);
  });
}

json to_json(const std::vector<LayerPlan>& layers);

json to_json(const LayerPlan& layer) {
  json text = {{"type", name(layer.kind)}};
  const json all = {{"name", layer.name},
                    {"outputs", layer.outputs.channels},
                    {"kernel", layer.geometry.kernel},
                    {"stride", layer.geometry.stride},
                    {"padding", layer.geometry.padding},
                    {"dilation", layer.geometry.dilation},
                    {"groups", layer.geometry.groups},
                    {"bias", layer.has_bias},
                    {"epsilon", layer.epsilon},
                    {"slopes", layer.slopes},
                    {"ceil_mode", layer.has_ceil_mode},
                    {"order", layer.order == FlattenOrder::channels_last ? "hwc" : "chw"},
                    {"body", to_json(layer.body)},
                    {"shortcut", to_json(layer.shortcut)}};
  for (const std::string& key : keys_of(layer.kind)) text[key] = all[key];
  return text;
}

json to_json(const std::vector<LayerPlan>& layers) {
  json list = json::array();
  for (const LayerPlan& layer : layers) list.push_back(to_json(layer));
  return list;
}

}  // namespace

NetworkPlan parse_plan(const json& text, const std::filesystem::path& file,
                       const ImageShape& input) {
  const JsonSection section(text, "", file);
  NetworkPlan plan{.input = input, .layers = parse_layers(section, "layers", input)};
  if (plan.layers.empty()) section.refuse_wrong("it has no layers");
  const ImageShape out = plan.layers.back().outputs;
  if (out.height * out.width != 1)
    section.refuse_wrong(
        fmt::format("its last layer makes {}, not a number for each class", shown(out)));
  plan.classes = out.channels;
  check_names(plan, file);
  return plan;
}

json to_json(const NetworkPlan& plan) {
  return {{"input", {plan.input.channels, plan.input.height, plan.input.width}},
          {"layers", to_json(plan.layers)}};
}

}  // namespace rankine::models
