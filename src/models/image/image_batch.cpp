#include "models/image/image_batch.hpp"

#include <algorithm>
#include <array>

#include "core/contracts.hpp"
#include "core/random_stream.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::models {

using torch::Tensor;

namespace {

/// One channel's way from a pixel in 0..1.
template <class T>
struct Scale {
  T mean;
  T std;

  T operator()(float pixel) const { return (static_cast<T>(pixel) - mean) / std; }
};

template <class T>
void normalise(std::span<const float> pixels, const Scale<T>& scale, T* to) {
  std::transform(pixels.begin(), pixels.end(), to, scale);
}

/// Bytes have 256 values only.
template <class T>
void normalise(std::span<const std::uint8_t> bytes, const Scale<T>& scale, T* to) {
  std::array<T, 256> values;
  for (std::size_t b = 0; b < values.size(); ++b) values[b] = scale(static_cast<float>(b) / 255.0f);
  std::transform(bytes.begin(), bytes.end(), to, [&](std::uint8_t b) { return values[b]; });
}

template <class T, class Value>
void normalise_image(std::span<const Value> image, const ImageSet& set, T* to) {
  const auto pixels = static_cast<std::size_t>(set.shape().pixels());
  for (std::size_t c = 0; c * pixels < image.size(); ++c)
    normalise(image.subspan(c * pixels, pixels),
              Scale<T>{static_cast<T>(set.normalisation.mean[c]),
                       static_cast<T>(set.normalisation.std[c])},
              to + c * pixels);
}

template <class T>
void fill(const ImageSet& set, std::span<const std::int64_t> numbers, T* to) {
  const auto size = static_cast<std::size_t>(set.shape().size());
  std::visit(
      [&](const auto& values) {
#pragma omp parallel for
        for (std::size_t i = 0; i < numbers.size(); ++i)
          normalise_image(
              std::span(values).subspan(static_cast<std::size_t>(numbers[i]) * size, size), set,
              to + i * size);
      },
      set.images.values);
}

/// Where an image is cut from its frame of zeros, and whether it is mirrored.
struct View {
  std::int64_t down = 0;  ///< pixels, from -crop to crop
  std::int64_t right = 0;
  bool is_mirrored = false;
};

View draw_view(const Augmentation& how, std::uint64_t epoch, std::int64_t number) {
  RandomStream stream({how.seed, epoch, static_cast<std::uint64_t>(number)});
  const auto shift = [&] {
    const auto choices = static_cast<std::uint64_t>(2 * how.crop + 1);
    return static_cast<std::int64_t>(stream.below(choices)) - how.crop;
  };
  View view{.down = shift(), .right = shift()};
  view.is_mirrored = how.is_flipped && stream.below(2) == 1;
  return view;
}

/// One row of an image, or zeros where it lies outside.
template <class T>
void put_row(const T* from, std::int64_t width, const View& view, T* to) {
  for (std::int64_t x = 0; x < width; ++x) {
    const std::int64_t seen = (view.is_mirrored ? width - 1 - x : x) + view.right;
    to[x] = seen >= 0 && seen < width ? from[seen] : T{0};
  }
}

template <class T>
void put_channel(const T* from, std::int64_t height, std::int64_t width, const View& view, T* to) {
  for (std::int64_t y = 0; y < height; ++y) {
    const std::int64_t seen = y + view.down;
    if (seen >= 0 && seen < height)
      put_row(from + seen * width, width, view, to + y * width);
    else
      std::fill_n(to + y * width, width, T{0});
  }
}

}  // namespace

Batch make_batch(const ImageSet& set, std::span<const std::int64_t> numbers,
                 torch::ScalarType type) {
  const ImageShape& shape = set.shape();
  const auto count = static_cast<std::int64_t>(numbers.size());
  Batch batch{.inputs = torch::empty({count, shape.channels, shape.height, shape.width}, type),
              .targets = torch::empty({count}, torch::kInt64)};
  weights::with_element_type(
      batch.inputs, [&]<class T>(T) { fill<T>(set, numbers, batch.inputs.data_ptr<T>()); });
  std::ranges::transform(numbers, batch.targets.data_ptr<std::int64_t>(), [&](std::int64_t number) {
    return set.labels[static_cast<std::size_t>(number)];
  });
  return batch;
}

Tensor augment(const Tensor& images, std::span<const std::int64_t> numbers, const Augmentation& how,
               std::uint64_t epoch) {
  RANKINE_EXPECTS(images.size(0) == static_cast<std::int64_t>(numbers.size()),
                  "every image has a number");
  if (!how.is_wanted()) return images;
  const Tensor from = images.contiguous(), to = torch::empty_like(from);
  const std::int64_t channels = from.size(1), height = from.size(2), width = from.size(3);
  weights::with_element_type(from, [&]<class T>(T) {
    const T* source = from.data_ptr<T>();
    T* target = to.data_ptr<T>();
#pragma omp parallel for
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const View view = draw_view(how, epoch, numbers[i]);
      const std::int64_t begin = static_cast<std::int64_t>(i) * channels;
      for (std::int64_t c = begin; c < begin + channels; ++c)
        put_channel(source + c * height * width, height, width, view, target + c * height * width);
    }
  });
  return to;
}

}  // namespace rankine::models
