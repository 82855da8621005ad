#include "models/image/network_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rankine::models {

namespace {

constexpr Named<LayerKind> kinds[] = {{LayerKind::convolution, "convolution"},
                                      {LayerKind::linear, "linear"},
                                      {LayerKind::batch_norm, "batch-norm"},
                                      {LayerKind::relu, "relu"},
                                      {LayerKind::prelu, "prelu"},
                                      {LayerKind::max_pool, "max-pool"},
                                      {LayerKind::average_pool, "average-pool"},
                                      {LayerKind::global_pool, "global-pool"},
                                      {LayerKind::flatten, "flatten"},
                                      {LayerKind::subsample, "subsample"},
                                      {LayerKind::residual, "residual"}};

void visit_all(const std::vector<LayerPlan>& layers,
               const std::function<void(const LayerPlan&)>& visit) {
  for (const LayerPlan& layer : layers) {
    visit(layer);
    visit_all(layer.body, visit);
    visit_all(layer.shortcut, visit);
  }
}

std::int64_t trained_numbers(const LayerPlan& layer) {
  const std::int64_t outputs = layer.outputs.channels;
  switch (layer.kind) {
    case LayerKind::convolution:
    case LayerKind::linear:
      return outputs * layer.inputs.channels / layer.geometry.groups * layer.geometry.area() +
             (layer.has_bias ? outputs : 0);
    case LayerKind::batch_norm:
      return 2 * outputs;
    case LayerKind::prelu:
      return layer.slopes;
    default:
      return 0;
  }
}

bool begins_stage(const LayerPlan& layer) {
  return layer.has_kernel() || layer.kind == LayerKind::residual ||
         layer.kind == LayerKind::global_pool;
}

/// "layer1.0" of "layer1.0.conv1" and "layer1.0.bn1": what all names have before a dot.
std::string shared_prefix(const std::vector<std::string>& names) {
  std::string prefix = names.front();
  const auto is_shared = [&] {
    return std::ranges::all_of(
        names, [&](const std::string& name) { return name.starts_with(prefix + "."); });
  };
  while (!prefix.empty() && !is_shared()) {
    const auto dot = prefix.rfind('.');
    prefix.resize(dot == std::string::npos ? 0 : dot);
  }
  return prefix;
}

/// Of a residual block what the names of its layers share, unless another has it already; else the
/// first of them.
std::string module_of(const LayerPlan& layer, const std::vector<StagePlan>& taken) {
  if (layer.kind != LayerKind::residual)
    return layer.name.empty() ? std::string(name(layer.kind)) : layer.name;
  std::vector<std::string> names;
  const auto note = [&](const LayerPlan& inner) {
    if (!inner.name.empty()) names.push_back(inner.name);
  };
  visit_all(layer.body, note);
  visit_all(layer.shortcut, note);
  if (names.empty()) return std::string(name(layer.kind));
  const std::string prefix = shared_prefix(names);
  const bool is_free = std::ranges::find(taken, prefix, &StagePlan::module) == taken.end();
  return is_free && !prefix.empty() ? prefix : names.front();
}

}  // namespace

std::vector<StagePlan> stages_of(const NetworkPlan& plan) {
  std::vector<StagePlan> stages;
  for (std::size_t l = 0; l < plan.layers.size(); ++l) {
    if (l == 0 || begins_stage(plan.layers[l]))
      stages.push_back({module_of(plan.layers[l], stages), l, l});
    stages.back().end = l + 1;
  }
  return stages;
}

std::string shown(const ImageShape& shape) {
  return fmt::format("{} x {} x {}", shape.channels, shape.height, shape.width);
}

std::span<const Named<LayerKind>> layer_kinds() { return kinds; }
std::string_view name(LayerKind kind) { return name_in(kinds, kind); }

void NetworkPlan::for_each(const std::function<void(const LayerPlan&)>& visit) const {
  visit_all(layers, visit);
}

std::int64_t NetworkPlan::parameters() const {
  std::int64_t sum = 0;
  for_each([&](const LayerPlan& layer) { sum += trained_numbers(layer); });
  return sum;
}

}  // namespace rankine::models
