#include "models/image/image_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <numeric>
#include <set>
#include <span>
#include <string_view>

#include "core/errors.hpp"
#include "core/random_stream.hpp"
#include "core/text_format.hpp"
#include "files/npy.hpp"
#include "models/image/image_split.hpp"

namespace rankine::models {

namespace {

/// The files that images come from; tells streams of noise apart from one another and from draws.
enum class Source : std::uint64_t { images = 11, test_images = 12 };

/// All images of a file, with their labels.
struct LabelledImages {
  ImageArray images;
  std::vector<std::int64_t> labels;
  Source source = Source::images;
};

struct Parts {
  ImageNumbers training;
  ImageNumbers validation;
  ImageNumbers test;
};

std::uint64_t seed_of(const DataOptions& options) {
  return static_cast<std::uint64_t>(options.split_seed);
}

std::int64_t classes_in(const std::vector<std::int64_t>& labels) {
  return labels.empty() ? 0 : std::ranges::max(labels) + 1;
}

/// Channels last are the likeliest reason for another number of channels.
void check_channels(const std::string& path, const ImageShape& shape, ImageLayout layout,
                    std::int64_t channels) {
  if (channels == 0 || shape.channels == channels) return;
  const bool is_last = layout == ImageLayout::nchw && shape.width == channels;
  throw InputError(fmt::format(
      "the images in '{}' have {} (channels x height x width: {}; the network takes {}). {}", path,
      counted(shape.channels, "channel"), shown(shape), channels,
      is_last ? "Set data.layout = \"nhwc\", which has the channels last."
              : "Use images of this network."));
}

LabelledImages read_labelled(const DataOptions& options, Source source,
                             const ClassifierSize& network) {
  const bool is_test = source == Source::test_images;
  const std::string& path = is_test ? options.test_images : options.images;
  const std::string& labels_path = is_test ? options.test_labels : options.labels;
  LabelledImages all{read_images(path, options.layout), {}, source};
  check_channels(path, all.images.shape, options.layout, network.channels);
  all.labels = read_labels(labels_path, all.images.count);
  const std::int64_t found = std::max<std::int64_t>(1, classes_in(all.labels));
  check_labels(labels_path, all.labels, network.classes > 0 ? network.classes : found);
  return all;
}

ImageNumbers all_of(const LabelledImages& images) {
  ImageNumbers all(static_cast<std::size_t>(images.images.count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

ImageNumbers choose_test(const DataOptions& options, const LabelledImages& images) {
  if (!options.test_split.empty()) return read_split(options.test_split, images.images.count);
  return draw_fraction(all_of(images), images.labels, options.test_fraction, seed_of(options),
                       DrawnFor::test);
}

ImageNumbers choose_validation(const DataOptions& options, const LabelledImages& images,
                               const ImageNumbers& test) {
  if (options.validation_split.empty())
    return draw_fraction(without(all_of(images), test), images.labels, options.validation_fraction,
                         seed_of(options), DrawnFor::validation);
  ImageNumbers chosen = read_split(options.validation_split, images.images.count);
  ImageNumbers both;
  std::ranges::set_intersection(chosen, test, std::back_inserter(both));
  if (!both.empty())
    throw InputError(fmt::format(
        "image {} of '{}' is a validation image of data.validation_split and a test image (what is "
        "chosen on the one would be tested on the same). Let the two have no image in common.",
        both.front(), options.images));
  return chosen;
}

ImageNumbers limit_training(const DataOptions& options, const LabelledImages& images,
                            const ImageNumbers& training) {
  if (options.training_images == 0) return training;
  if (options.training_images > std::ssize(training))
    throw InputError(fmt::format(
        "data.training_images = {} is more than there are ({} of data.images for training). Lower "
        "it, or set 0 for all.",
        options.training_images, std::ssize(training)));
  return draw_count(training, images.labels, options.training_images, seed_of(options),
                    DrawnFor::training);
}

Parts part_images(const DataOptions& options, DataUse use, const LabelledImages& images) {
  Parts parts;
  parts.test = choose_test(options, images);
  parts.validation = choose_validation(options, images, parts.test);
  const ImageNumbers rest = without(without(all_of(images), parts.test), parts.validation);
  if (use == DataUse::training)
    parts.training = limit_training(options, images, rest);
  else if (!options.has_test())
    parts.test = rest;
  return parts;
}

std::vector<double> per_channel(std::string_view keyword, const std::vector<double>& given,
                                std::int64_t channels) {
  if (given.size() == 1) return std::vector<double>(static_cast<std::size_t>(channels), given[0]);
  if (std::ssize(given) == channels) return given;
  throw InputError(
      fmt::format("{} has {} (the images have {}). Give one number a channel, or one for all.",
                  keyword, counted(std::ssize(given), "number"), counted(channels, "channel")));
}

/// Two values of the standard normal distribution (Box and Muller 1958).
std::pair<double, double> normal_pair(RandomStream& stream) {
  const double radius = std::sqrt(-2 * std::log(stream.uniform()));
  const double angle = 2 * std::numbers::pi * stream.uniform();
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

void add_noise(std::span<float> values, double deviation, RandomStream stream) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const auto [first, second] = normal_pair(stream);
    values[i] += static_cast<float>(deviation * first);
    if (i + 1 < values.size()) values[i + 1] += static_cast<float>(deviation * second);
  }
}

float pixel_of(std::uint8_t byte) { return static_cast<float>(byte) / 255.0f; }
float pixel_of(float number) { return number; }

/// Not clipped to 0..1: the noise stays Gaussian.
void add_noise(ImageArray& images, const ImageNumbers& numbers, const DataOptions& options,
               Source source) {
  if (options.noise == 0) return;
  std::vector<float> pixels;
  std::visit(
      [&](const auto& values) {
        pixels.reserve(values.size());
        for (const auto value : values) pixels.push_back(pixel_of(value));
      },
      images.values);
  const auto size = static_cast<std::size_t>(images.shape.size());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    add_noise(std::span(pixels).subspan(i * size, size), options.noise,
              RandomStream({seed_of(options), static_cast<std::uint64_t>(source),
                            static_cast<std::uint64_t>(numbers[i])}));
  images.values = std::move(pixels);
}

ImageSet make_set(const DataOptions& options, const LabelledImages& all,
                  const ImageNumbers& numbers) {
  ImageSet set;
  set.images = all.images.chosen(numbers);
  for (const std::int64_t number : numbers)
    set.labels.push_back(all.labels[static_cast<std::size_t>(number)]);
  const std::int64_t channels = all.images.shape.channels;
  set.normalisation = {per_channel("data.mean", options.mean, channels),
                       per_channel("data.std", options.std, channels)};
  add_noise(set.images, numbers, options, all.source);
  return set;
}

void take_parts(const DataOptions& options, DataUse use, const LabelledImages& all,
                ImageData& data) {
  const Parts parts = part_images(options, use, all);
  data.training = make_set(options, all, parts.training);
  data.validation = make_set(options, all, parts.validation);
  data.test = make_set(options, all, parts.test);
}

/// Whether there is anything in data.images for this use.
bool are_images_wanted(const DataOptions& options, DataUse use) {
  if (options.images.empty()) return false;
  return use == DataUse::training || options.test_images.empty() || options.has_validation();
}

void require_images(std::string_view purpose, bool is_wanted, const ImageSet& set) {
  if (!is_wanted || set.size() > 0) return;
  throw InputError(
      fmt::format("there is no {0} image (the {0} split is empty). Change data.{0}_split or "
                  "data.{0}_fraction.",
                  purpose));
}

void require_all_classes(const ImageData& data) {
  const std::set<std::int64_t> present(data.training.labels.begin(), data.training.labels.end());
  std::int64_t missing = 0;
  while (present.contains(missing)) ++missing;
  if (missing >= data.classes) return;
  throw InputError(fmt::format(
      "class {} has no training image (there are {} of {}, 0 to {}). Give every class some images, "
      "or take fewer for test and validation.",
      missing, counted(data.training.size(), "training image"),
      counted(data.classes, "class", "classes"), data.classes - 1));
}

void check_good_class(const DataOptions& options, std::int64_t classes) {
  if (options.good_class < classes) return;
  throw InputError(
      fmt::format("data.good_class = {} is no class ({}, 0 to {}). Name the class of good parts, "
                  "or -1 for none.",
                  options.good_class, counted(classes, "class", "classes"), classes - 1));
}

void check_same_shape(const DataOptions& options, const ImageShape& test, const ImageShape& all) {
  if (test == all) return;
  throw InputError(
      fmt::format("the images in '{}' are {}, those in '{}' {} (channels x height x width). Use "
                  "images of one size.",
                  options.test_images, shown(test), options.images, shown(all)));
}

void see_labels(const std::string& path, SeenImages& seen) {
  constexpr std::int64_t most_classes = 1'000'000;
  const auto labels = files::read_npy_integers(path).values;
  check_labels(path, labels, most_classes);
  if (classes_in(labels) <= seen.classes) return;
  const auto largest = std::ranges::max_element(labels);
  seen.classes = *largest + 1;
  seen.largest_label =
      fmt::format("label {} of image {} in '{}'", *largest, largest - labels.begin(), path);
}

ImageData read_sets(const DataOptions& options, DataUse use, const ClassifierSize& network) {
  ImageData data{.classes = network.classes};
  const auto note_classes = [&](const LabelledImages& images) {
    if (network.classes == 0) data.classes = std::max(data.classes, classes_in(images.labels));
  };
  if (are_images_wanted(options, use)) {
    const LabelledImages all = read_labelled(options, Source::images, network);
    note_classes(all);
    take_parts(options, use, all, data);
  }
  if (!options.test_images.empty()) {
    const LabelledImages test = read_labelled(options, Source::test_images, network);
    if (are_images_wanted(options, use))
      check_same_shape(options, test.images.shape, data.test.shape());
    note_classes(test);
    data.test = make_set(options, test, all_of(test));
  }
  return data;
}

}  // namespace

SeenImages see_images(const DataOptions& options, DataUse use) {
  const bool are_wanted = are_images_wanted(options, use);
  SeenImages seen{
      .shape = read_image_shape(are_wanted ? options.images : options.test_images, options.layout)};
  if (are_wanted) see_labels(options.labels, seen);
  if (!options.test_images.empty()) see_labels(options.test_labels, seen);
  return seen;
}

std::int64_t ImageSet::classes() const { return classes_in(labels); }

ImageData read_image_data(const DataOptions& options, DataUse use, const ClassifierSize& network) {
  ImageData data = read_sets(options, use, network);
  require_images("test", options.has_test() || use == DataUse::scoring, data.test);
  require_images("validation", options.has_validation(), data.validation);
  if (use == DataUse::training && !options.images.empty()) require_all_classes(data);
  check_good_class(options, data.classes);
  return data;
}

}  // namespace rankine::models
