// An orthogonal circuit on one axis, given by the generators of its blocks.
#pragma once

#include <torch/types.h>

#include <vector>

#include "weights/rotations/blocks.hpp"

namespace rankine::weights {

/// A layer of blocks R = diag(signs) cayley(generators): a rotation of its own for every group of
/// the layout, or one gate for all groups.
struct RotationLayer {
  BlockLayout layout;
  torch::Tensor generators;  ///< blocks x size (size - 1) / 2, as cayley() takes them
  torch::Tensor signs = {};  ///< blocks x size, +1 or -1; undefined where all are +1
};

/// The first layer acts first.
class Rotation {
 public:
  Rotation() = default;  ///< the identity, of any width
  explicit Rotation(std::vector<RotationLayer> layers) : layers_(std::move(layers)) {}

  bool is_identity() const { return layers_.empty(); }
  const std::vector<RotationLayer>& layers() const { return layers_; }
  /// The blocks, differentiable in the generators; those that gradients are not wanted of are kept
  /// until a generator changes.
  BlockCircuit circuit() const;

 private:
  std::vector<RotationLayer> layers_;
  mutable BlockCircuit kept_;
  mutable std::vector<std::int64_t> kept_versions_;
};

/// `layers` layers of blocks of `size` on an axis, at the identity: the first on neighbours, the
/// next on indices size, size^2, ... apart, so that after a few layers every index of the axis has
/// met every other (butterflies), then over again. Where the axis has no power of the size left,
/// the farthest apart that there is.
Rotation identity_rotation(std::int64_t width, std::int64_t size, int layers,
                           torch::ScalarType type);

}  // namespace rankine::weights
