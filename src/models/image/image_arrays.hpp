// Arrays of images and of their labels, as .npy files hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "models/image/data_options.hpp"
#include "models/image/image_shape.hpp"

namespace rankine::models {

/// Images one after the other, each as channels x height x width: bytes, or numbers in 0..1.
struct ImageArray {
  std::int64_t count = 0;
  ImageShape shape;
  std::variant<std::vector<std::uint8_t>, std::vector<float>> values;

  std::size_t bytes() const;
  /// Those of these numbers, in their order.
  ImageArray chosen(std::span<const std::int64_t> numbers) const;
};

/// Throws InputError, naming the file: no such array, other axes than `layout` says, no image,
/// integers of another type than uint8, numbers outside 0..1 or NaN.
ImageArray read_images(const std::string& path, ImageLayout layout);

/// The shape that its images have, from the first bytes of a file. Throws InputError.
ImageShape read_image_shape(const std::string& path, ImageLayout layout);

/// Throws InputError, naming the file: no integers, not one axis of `count` values.
std::vector<std::int64_t> read_labels(const std::string& path, std::int64_t count);

/// Throws InputError, naming the file, the first value outside 0 .. classes - 1 and its place.
void check_labels(const std::string& path, std::span<const std::int64_t> labels,
                  std::int64_t classes);

}  // namespace rankine::models
