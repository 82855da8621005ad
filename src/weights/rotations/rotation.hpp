// A circuit on one axis, given by the generators of its blocks.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "weights/rotations/blocks.hpp"

namespace rankine::weights {

/// What the numbers of a block are; at 0 it is the identity.
enum class BlockGenerator {
  cayley,  ///< R = diag(signs) cayley(generators), orthogonal: size (size - 1) / 2 numbers
  free,    ///< I + generators, any matrix: size^2 numbers, row by row
};
std::int64_t numbers_of_block(BlockGenerator generator, std::int64_t size);

/// A layer of blocks: one of its own for every group of the layout, or one gate for all groups.
struct RotationLayer {
  BlockLayout layout;
  torch::Tensor generators;  ///< blocks x numbers of a block
  torch::Tensor signs = {};  ///< blocks x size, +1 or -1; undefined where all are +1
  BlockGenerator generator = BlockGenerator::cayley;
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

/// Layers of blocks of `size` on an axis: the first on neighbours, the next on indices size,
/// size^2, ... apart, so that after a few layers every index of the axis has met every other
/// (butterflies), then over again. Where the axis has no power of the size left, the farthest apart
/// that there is. `size` divides `width`.
std::vector<BlockLayout> butterfly_layouts(std::int64_t width, std::int64_t size, int layers);

/// Such layers at the identity.
Rotation identity_rotation(std::int64_t width, std::int64_t size, int layers,
                           torch::ScalarType type,
                           BlockGenerator generator = BlockGenerator::cayley);

}  // namespace rankine::weights
