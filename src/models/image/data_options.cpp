#include "models/image/data_options.hpp"

#include <fmt/format.h>

namespace rankine::models {

namespace {

void declare_files(deck::SectionDeclaration& section, DataOptions& data) {
  section.keyword("images", data.images)
      .describe(
          "A .npy file of images: uint8, or floating-point numbers from 0 to 1. Those that are not "
          "for testing or validation are for training and calibration.");
  section.keyword("labels", data.labels)
      .describe("A .npy file of integers, the class of each of data.images, counted from 0.");
  section.keyword("test_images", data.test_images)
      .describe("A .npy file of the images that networks are scored on, laid out as data.images.");
  section.keyword("test_labels", data.test_labels)
      .describe("A .npy file of integers, the class of each of data.test_images.");
  section.keyword("layout", data.layout, layout_names)
      .describe(
          "Axes of the images: number, channels, height, width, or with channels last, or without "
          "an axis of channels for images of one.");
}

void declare_pixels(deck::SectionDeclaration& section, DataOptions& data) {
  section.keyword("mean", data.mean)
      .range(0, 1)
      .describe("Subtracted from pixels in 0..1: one number a channel, or one for all.");
  section.keyword("std", data.std)
      .above(0)
      .at_most(1)
      .describe("What pixels are then divided by: one number a channel, or one for all.");
  section.keyword("noise", data.noise)
      .range(0, 1)
      .describe(
          "Standard deviation of Gaussian noise, in units of pixels in 0..1, that is added to all "
          "images; of data.split_seed.");
}

void declare_splits(deck::SectionDeclaration& section, DataOptions& data) {
  section.keyword("test_split", data.test_split)
      .describe(
          "A .npy file that says which of data.images are test images, in place of "
          "data.test_images: zero or one for each image, or the numbers of images.");
  section.keyword("test_fraction", data.test_fraction)
      .at_least(0)
      .below(1)
      .describe("Fraction of data.images, of every class alike, that are drawn as test images.");
  section.keyword("validation_split", data.validation_split)
      .describe(
          "A .npy file that says which of data.images are validation images, as "
          "data.test_split does.");
  section.keyword("validation_fraction", data.validation_fraction)
      .at_least(0)
      .below(1)
      .describe(
          "Fraction of those of data.images that are no test images, of every class alike, that "
          "are drawn as validation images.");
  section.keyword("split_seed", data.split_seed)
      .range(0, 9007199254740992.0)
      .describe("Of the random numbers by which images are drawn, and of data.noise.");
  section.keyword("training_images", data.training_images)
      .range(0, 1'000'000'000'000)
      .describe(
          "Use only so many images for training and calibration, as many of every class as far as "
          "there are; 0 for all.");
}

void require_partner(deck::Findings& findings, const char* images, const std::string& given,
                     const char* labels, const std::string& partner) {
  if (given.empty() || !partner.empty()) return;
  findings.add(fmt::format("data.{}", images),
               {.what = fmt::format("data.{} is set without data.{}", images, labels),
                .why = "images and labels belong together",
                .advice = fmt::format("Set data.{} as well.", labels)});
}

void allow_one(deck::Findings& findings, const std::vector<std::pair<const char*, bool>>& given) {
  const char* first = nullptr;
  for (const auto& [keyword, is_given] : given) {
    if (is_given && first != nullptr)
      findings.add(fmt::format("data.{}", keyword),
                   {.what = fmt::format("data.{} and data.{} are both set", first, keyword),
                    .why = "each says which images these are",
                    .advice = "Keep one of them."});
    if (is_given && first == nullptr) first = keyword;
  }
}

void check_data(const DataOptions& data, deck::Findings& findings) {
  require_partner(findings, "images", data.images, "labels", data.labels);
  require_partner(findings, "labels", data.labels, "images", data.images);
  require_partner(findings, "test_images", data.test_images, "test_labels", data.test_labels);
  require_partner(findings, "test_labels", data.test_labels, "test_images", data.test_images);
  allow_one(findings, {{"test_images", !data.test_images.empty()},
                       {"test_split", !data.test_split.empty()},
                       {"test_fraction", data.test_fraction > 0}});
  allow_one(findings, {{"validation_split", !data.validation_split.empty()},
                       {"validation_fraction", data.validation_fraction > 0}});
  const bool is_split = !data.test_split.empty() || data.test_fraction > 0 || data.has_validation();
  if (data.images.empty() && is_split)
    findings.add("data.images", {.what = "data.images is not set, but a part of it is asked for",
                                 .why = "splits and fractions are those of data.images",
                                 .advice = "Set data.images and data.labels."});
}

}  // namespace

void declare_data(deck::Schema& schema, DataOptions& data) {
  auto section = schema.section("data", "Images, their classes, and which of them are for what.");
  declare_files(section, data);
  declare_pixels(section, data);
  section.keyword("good_class", data.good_class)
      .range(-1, 1'000'000'000)
      .describe(
          "The class of parts without a defect: rates of missed defects and false alarms are then "
          "given; -1 where no class is that.");
  declare_splits(section, data);
  schema.check([&](deck::Findings& findings) { check_data(data, findings); });
}

}  // namespace rankine::models
