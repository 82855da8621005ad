// Batches of images as a network takes them: normalised, and for training shifted and mirrored.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>

#include "models/image/image_data.hpp"
#include "models/network.hpp"

namespace rankine::models {

/// Images of a set, images x channels x height x width, and their labels, int64. `type` is float32
/// or float64.
Batch make_batch(const ImageSet& set, std::span<const std::int64_t> numbers,
                 torch::ScalarType type = torch::kFloat32);

struct Augmentation {
  std::int64_t crop = 0;    ///< pixels of zeros around an image, out of which its size is cut anew
  bool is_flipped = false;  ///< left for right, every other time
  std::uint64_t seed = 1;

  bool is_wanted() const { return crop > 0 || is_flipped; }
};

/// A batch as one epoch sees it. Shift and mirroring of an image depend on seed, epoch and its
/// number alone, not on the batch it is in.
torch::Tensor augment(const torch::Tensor& images, std::span<const std::int64_t> numbers,
                      const Augmentation& how, std::uint64_t epoch);

}  // namespace rankine::models
