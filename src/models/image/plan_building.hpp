// Puts layers one behind the other; each takes the shape the one before it makes.
#pragma once

#include <string>
#include <vector>

#include "models/image/network_plan.hpp"

namespace rankine::models {

class LayerSequence {
 public:
  explicit LayerSequence(const ImageShape& input) : shape_(input) {}

  /// Fills in the shapes of a layer and puts it last. Throws InputError, naming the layer, where it
  /// does not fit; `place` says where it stands in a file.
  void add(LayerPlan layer, const std::string& place = {});

  void convolution(const std::string& name, std::int64_t outputs, std::int64_t kernel,
                   std::int64_t stride);
  void batch_norm(const std::string& name) { add({.kind = LayerKind::batch_norm, .name = name}); }
  void plain(LayerKind kind) { add({.kind = kind}); }
  void linear(const std::string& name, std::int64_t outputs);

  const ImageShape& shape() const { return shape_; }
  std::vector<LayerPlan> take() { return std::move(layers_); }

 private:
  ImageShape shape_;
  std::vector<LayerPlan> layers_;
};

}  // namespace rankine::models
