#include "weights/rotations/rotation.hpp"

#include <algorithm>

#include "weights/rotations/cayley.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

Tensor blocks_of(const RotationLayer& layer) {
  const std::int64_t size = layer.layout.size;
  if (layer.generator == BlockGenerator::free)
    return layer.generators.view({-1, size, size}) + torch::eye(size, layer.generators.options());
  const Tensor rotations = cayley(layer.generators, size);
  return layer.signs.defined() ? rotations * layer.signs.unsqueeze(2) : rotations;
}

BlockCircuit make_circuit(const std::vector<RotationLayer>& layers) {
  BlockCircuit circuit;
  for (const RotationLayer& layer : layers) circuit.push_back({layer.layout, blocks_of(layer)});
  return circuit;
}

/// The strides of the layers, in turn.
std::vector<std::int64_t> butterfly_strides(std::int64_t width, std::int64_t size) {
  std::vector<std::int64_t> strides;
  for (std::int64_t stride = 1; width % (stride * size) == 0; stride *= size)
    strides.push_back(stride);
  if (strides.size() == 1 && width > size) strides.push_back(width / size);
  return strides;
}

}  // namespace

BlockCircuit Rotation::circuit() const {
  const bool trains = std::ranges::any_of(
      layers_, [](const RotationLayer& layer) { return layer.generators.requires_grad(); });
  if (trains && torch::GradMode::is_enabled()) return make_circuit(layers_);
  std::vector<std::int64_t> versions;
  for (const RotationLayer& layer : layers_) versions.push_back(layer.generators._version());
  if (kept_.size() != layers_.size() || versions != kept_versions_) {
    const torch::InferenceMode recorded(false);  // a later graph may hold what is kept
    const torch::NoGradGuard no_gradients;
    kept_ = make_circuit(layers_);
    kept_versions_ = std::move(versions);
  }
  return kept_;
}

std::int64_t numbers_of_block(BlockGenerator generator, std::int64_t size) {
  return generator == BlockGenerator::free ? size * size : generator_numbers(size);
}

std::vector<BlockLayout> butterfly_layouts(std::int64_t width, std::int64_t size, int layers) {
  const auto strides = butterfly_strides(width, size);
  std::vector<BlockLayout> layouts;
  for (std::size_t l = 0; l < static_cast<std::size_t>(layers); ++l)
    layouts.push_back({width, size, strides[l % strides.size()]});
  return layouts;
}

Rotation identity_rotation(std::int64_t width, std::int64_t size, int layers,
                           torch::ScalarType type, BlockGenerator generator) {
  std::vector<RotationLayer> made;
  for (const BlockLayout& layout : butterfly_layouts(width, size, layers))
    made.push_back(
        {.layout = layout,
         .generators = torch::zeros({layout.groups(), numbers_of_block(generator, size)}, type),
         .generator = generator});
  return Rotation(std::move(made));
}

}  // namespace rankine::weights
