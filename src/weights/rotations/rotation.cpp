#include "weights/rotations/rotation.hpp"

#include <algorithm>

#include "weights/rotations/cayley.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

BlockCircuit make_circuit(const std::vector<RotationLayer>& layers) {
  BlockCircuit circuit;
  for (const RotationLayer& layer : layers) {
    const Tensor rotations = cayley(layer.generators, layer.layout.size);
    circuit.push_back(
        {layer.layout, layer.signs.defined() ? rotations * layer.signs.unsqueeze(2) : rotations});
  }
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
    const torch::NoGradGuard no_gradients;
    kept_ = make_circuit(layers_);
    kept_versions_ = std::move(versions);
  }
  return kept_;
}

Rotation identity_rotation(std::int64_t width, std::int64_t size, int layers,
                           torch::ScalarType type) {
  const auto strides = butterfly_strides(width, size);
  std::vector<RotationLayer> made;
  for (int l = 0; l < layers; ++l) {
    const BlockLayout layout{width, size, strides[static_cast<std::size_t>(l) % strides.size()]};
    made.push_back({layout, torch::zeros({layout.groups(), generator_numbers(size)}, type)});
  }
  return Rotation(std::move(made));
}

}  // namespace rankine::weights
