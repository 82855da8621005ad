// The section [data] of a deck: images, labels, and which of them are for what.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/named_values.hpp"
#include "deck/schema.hpp"

namespace rankine::models {

/// The order of the axes of an array of images: images, channels, height, width.
enum class ImageLayout { nchw, nhwc, nhw };
/// With their names in decks.
inline constexpr std::array layout_names{Named<ImageLayout>{ImageLayout::nchw, "nchw"},
                                         Named<ImageLayout>{ImageLayout::nhwc, "nhwc"},
                                         Named<ImageLayout>{ImageLayout::nhw, "nhw"}};
constexpr std::string_view name(ImageLayout layout) { return name_in(layout_names, layout); }

struct DataOptions {
  std::string images;
  std::string labels;
  std::string test_images;
  std::string test_labels;
  ImageLayout layout = ImageLayout::nchw;
  std::vector<double> mean{0.0};  ///< of pixels in 0..1; one a channel, or one for all
  std::vector<double> std{1.0};
  std::int64_t good_class = -1;    ///< -1 for none
  std::string test_split;          ///< which of `images` are test images: a mask, or their numbers
  double test_fraction = 0;        ///< of `images`, in place of a split
  std::string validation_split;    ///< likewise
  double validation_fraction = 0;  ///< of `images` that are not for testing
  std::int64_t split_seed = 1;
  std::int64_t training_images = 0;  ///< 0 for all
  double noise = 0;                  ///< standard deviation, of pixels in 0..1

  bool is_given() const { return !images.empty() || !test_images.empty(); }
  bool has_good_class() const { return good_class >= 0; }
  bool has_test() const { return !test_images.empty() || !test_split.empty() || test_fraction > 0; }
  bool has_validation() const { return !validation_split.empty() || validation_fraction > 0; }
};

void declare_data(deck::Schema& schema, DataOptions& data);

}  // namespace rankine::models
