#include "models/image/image_arrays.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "files/npy.hpp"

namespace rankine::models {

namespace {

using Shape = std::vector<std::int64_t>;

[[noreturn]] void refuse_images(const std::string& path, const std::string& reason,
                                const std::string& advice) {
  throw InputError(fmt::format("Cannot use the images in '{}' ({}). {}", path, reason, advice));
}

/// Arrays of three axes have no axis of channels, whatever the layout.
ImageShape shape_of(const Shape& axes, ImageLayout layout, const std::string& path) {
  if (axes.size() == 3) return {1, axes[1], axes[2]};
  if (axes.size() != 4 || layout == ImageLayout::nhw)
    refuse_images(path,
                  fmt::format("the array is {}, and data.layout is \"{}\"", fmt::join(axes, " x "),
                              name(layout)),
                  "Save an array of images, or set data.layout to what its axes are.");
  if (layout == ImageLayout::nchw) return {axes[1], axes[2], axes[3]};
  return {axes[3], axes[1], axes[2]};
}

/// From height x width x channels to channels x height x width, image by image.
template <class Value>
void put_channels_first(std::vector<Value>& values, const ImageShape& shape) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  const auto pixels = static_cast<std::size_t>(shape.pixels());
  std::vector<Value> image(channels * pixels);
  for (std::size_t begin = 0; begin < values.size(); begin += image.size()) {
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t p = 0; p < pixels; ++p)
        image[c * pixels + p] = values[begin + p * channels + c];
    std::copy(image.begin(), image.end(), values.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

void check_values(const std::vector<float>& values, const ImageShape& shape,
                  const std::string& path) {
  const auto wrong = std::ranges::find_if(values, [](float v) { return !(v >= 0 && v <= 1); });
  if (wrong == values.end()) return;
  const std::int64_t image = (wrong - values.begin()) / shape.size();
  refuse_images(path, fmt::format("a pixel of image {} is {}", image, *wrong),
                *wrong > 1 ? "Divide pixels in 0..255 by 255, or save them as uint8."
                           : "Save pixels as numbers from 0 to 1, or as uint8.");
}

void check_values(const std::vector<std::uint8_t>&, const ImageShape&, const std::string&) {}

template <class Value>
ImageArray array_of(std::vector<Value> values, const Shape& axes, ImageLayout layout,
                    const std::string& path) {
  const ImageShape shape = shape_of(axes, layout, path);
  if (values.empty())
    refuse_images(path, fmt::format("the array is {}", fmt::join(axes, " x ")),
                  "Save at least one image of at least one pixel.");
  if (axes.size() == 4 && layout == ImageLayout::nhwc) put_channels_first(values, shape);
  check_values(values, shape, path);
  return {axes[0], shape, std::move(values)};
}

}  // namespace

std::size_t ImageArray::bytes() const {
  return std::visit([](const auto& all) { return all.size() * sizeof(all[0]); }, values);
}

ImageArray ImageArray::chosen(std::span<const std::int64_t> numbers) const {
  ImageArray some{static_cast<std::int64_t>(numbers.size()), shape, {}};
  std::visit(
      [&](const auto& all) {
        std::remove_cvref_t<decltype(all)> kept;
        kept.reserve(numbers.size() * static_cast<std::size_t>(shape.size()));
        for (const std::int64_t number : numbers) {
          const auto begin = all.begin() + number * shape.size();
          kept.insert(kept.end(), begin, begin + shape.size());
        }
        some.values = std::move(kept);
      },
      values);
  return some;
}

ImageArray read_images(const std::string& path, ImageLayout layout) {
  files::NpyArray array = files::read_npy(path);
  if (auto* bytes = std::get_if<std::vector<std::uint8_t>>(&array.values))
    return array_of(std::move(*bytes), array.shape, layout, path);
  if (auto* numbers = std::get_if<std::vector<float>>(&array.values))
    return array_of(std::move(*numbers), array.shape, layout, path);
  refuse_images(path, "its integers are not uint8",
                "Save pixels as uint8, or as floating-point numbers from 0 to 1.");
}

ImageShape read_image_shape(const std::string& path, ImageLayout layout) {
  return shape_of(files::read_npy_shape(path), layout, path);
}

std::vector<std::int64_t> read_labels(const std::string& path, std::int64_t count) {
  files::NpyIntegers array = files::read_npy_integers(path);
  if (array.shape.size() != 1 || array.shape[0] != count)
    throw InputError(fmt::format(
        "Cannot use the labels in '{}' (the array is {}, for {}). Save one label for each image.",
        path, array.shape.empty() ? "one number" : fmt::format("{}", fmt::join(array.shape, " x ")),
        counted(count, "image")));
  return std::move(array.values);
}

void check_labels(const std::string& path, std::span<const std::int64_t> labels,
                  std::int64_t classes) {
  const auto wrong = std::ranges::find_if(
      labels, [&](std::int64_t label) { return label < 0 || label >= classes; });
  if (wrong == labels.end()) return;
  throw InputError(fmt::format(
      "label {} of image {} in '{}' is no class of the network (it has {}, 0 to {}). Use labels of "
      "this network, or a network with more classes.",
      *wrong, wrong - labels.begin(), path, counted(classes, "class", "classes"), classes - 1));
}

}  // namespace rankine::models
