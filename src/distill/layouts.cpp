#include "distill/layouts.hpp"

#include <algorithm>

#include "compress/job/forecast.hpp"
#include "files/safetensors/layout.hpp"
#include "models/checkpoint/checkpoint_names.hpp"

namespace rankine::distill {

namespace {

using models::LayerPlan;

double products_of(const LayerPlan& layer) {
  if (!layer.has_kernel()) return static_cast<double>(layer.outputs.size());
  const std::int64_t inputs = layer.inputs.channels / layer.geometry.groups * layer.geometry.area();
  return static_cast<double>(layer.outputs.size()) * static_cast<double>(inputs);
}

void add_layer(StageLayout& stage, const compress::ImageJob& job, const LayerPlan& layer) {
  if (!layer.name.empty()) stage.inner.push_back(layer.name);
  if (job.replaces_kernels() &&
      std::ranges::find(job.kernels, layer.name, &compress::Kernel::name) != job.kernels.end())
    stage.weights.push_back(layer.name);
  if (layer.kind != models::LayerKind::residual) stage.cost += products_of(layer);
  if (layer.has_kernel())
    stage.parameters += products_of(layer) / static_cast<double>(layer.outputs.pixels());
  stage.kept += static_cast<double>(layer.outputs.size());
  for (const auto* part : {&layer.body, &layer.shortcut})
    for (const LayerPlan& inner : *part) add_layer(stage, job, inner);
}

}  // namespace

std::vector<StageLayout> layout_of(const compress::ImageJob& job) {
  const models::NetworkPlan& plan = job.model.plan;
  std::vector<StageLayout> stages;
  for (const models::StagePlan& part : models::stages_of(plan)) {
    StageLayout stage{.module = part.module,
                      .inputs = static_cast<double>(plan.layers[part.first].inputs.size()),
                      .outputs = static_cast<double>(plan.layers[part.end - 1].outputs.size())};
    for (std::size_t l = part.first; l < part.end; ++l) {
      stage.is_block |= plan.layers[l].kind == models::LayerKind::residual;
      add_layer(stage, job, plan.layers[l]);
    }
    stages.push_back(std::move(stage));
  }
  return stages;
}

std::vector<StageLayout> layout_of(const compress::CompressionJob& job, std::int64_t tokens) {
  const models::ModelConfig& config = job.scoring.config;
  std::vector<files::TensorEntry> tensors;
  if (!job.is_outline) tensors = files::read_layout(job.options.scoring.model.path).tensors;
  const auto names = models::find_names(config, tensors);
  const auto length = static_cast<double>(tokens), layers = static_cast<double>(config.layers);
  const double border = length * static_cast<double>(config.width);
  const auto stage_of = [&](std::string module) {
    return StageLayout{
        .module = std::move(module), .cost = border, .inputs = border, .outputs = border};
  };
  std::vector<StageLayout> stages{stage_of(names.embedding)};
  stages.front().inputs = length;
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    stages.push_back(stage_of(names.of_layer(layer)));
    stages.back().is_block = true;
    stages.back().kept = compress::gradient_activations(config, tokens) / layers;
  }
  // Weights come layer by layer.
  auto stage = stages.begin();
  for (const models::LayerWeight& weight : models::layer_weights(config, names)) {
    while (!weight.name.starts_with(stage->module + ".")) ++stage;
    const auto numbers = static_cast<double>(weight.outputs * weight.inputs);
    stage->parameters += numbers;
    stage->cost += length * numbers;
    if (std::ranges::find(job.selected, weight.name, &compress::NamedShape::name) !=
        job.selected.end())
      stage->weights.push_back(weight.name);
  }
  stages.push_back(stage_of(names.last_norm));
  return stages;
}

}  // namespace rankine::distill
