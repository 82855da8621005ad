#include "models/image/network_plan.hpp"

#include <fmt/format.h>

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

}  // namespace

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
