// The size of an image, and what images say before a network is known.
#pragma once

#include <cstdint>
#include <string>

namespace rankine::models {

/// Of one image or of its activations; features of a flat activation are channels of one pixel.
struct ImageShape {
  std::int64_t channels = 0;
  std::int64_t height = 1;
  std::int64_t width = 1;

  std::int64_t size() const { return channels * height * width; }
  std::int64_t pixels() const { return height * width; }
  bool operator==(const ImageShape&) const = default;
};
/// "3 x 32 x 32".
std::string shown(const ImageShape& shape);

/// The number of classes is that of the labels.
struct SeenImages {
  ImageShape shape;
  std::int64_t classes = 0;
  std::string largest_label = {};  ///< "label 256 of image 2 in 'labels.npy'", where that is known
};

}  // namespace rankine::models
