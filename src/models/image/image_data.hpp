// Images for training, validation and test, as a deck asks for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/image/data_options.hpp"
#include "models/image/image_arrays.hpp"

namespace rankine::models {

/// What is done to pixels in 0..1, channel by channel: (pixel - mean) / std.
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> std;
};

/// Images with their classes. Batches are made of them by models/image/image_batch.hpp.
struct ImageSet {
  ImageArray images;
  std::vector<std::int64_t> labels;
  Normalisation normalisation;

  std::int64_t size() const { return images.count; }
  const ImageShape& shape() const { return images.shape; }
  /// One more than the largest label.
  std::int64_t classes() const;
  std::size_t bytes() const { return images.bytes() + labels.size() * sizeof(labels[0]); }
};

struct ImageData {
  ImageSet training = {};
  ImageSet validation = {};
  ImageSet test = {};
  std::int64_t classes = 0;

  std::size_t bytes() const { return training.bytes() + validation.bytes() + test.bytes(); }
};

/// What a program does with images. Scoring alone keeps no training images, and where the deck
/// names no test images takes all of data.images but those for validation.
enum class DataUse { scoring, training };

/// What a network takes and tells apart, so that what does not fit is refused by name; 0 for
/// whatever there is.
struct ClassifierSize {
  std::int64_t channels = 0;
  std::int64_t classes = 0;
};

/// What the images of a deck are, before they are read, and its labels. Throws InputError.
SeenImages see_images(const DataOptions& options, DataUse use);

/// Not collective; reads its files through core/input_file.hpp. Throws InputError: files, pixels,
/// labels that the network has no class for, another number of channels than it takes, a split
/// without images, a class without training images.
ImageData read_image_data(const DataOptions& options, DataUse use,
                          const ClassifierSize& network = {});

}  // namespace rankine::models
