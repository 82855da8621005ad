// Images from .npy files: pixels, labels, splits, batches. Files are composed here byte by byte.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numeric>
#include <set>

#include "../../npy_bytes.hpp"
#include "../files/scratch_folder.hpp"
#include "core/errors.hpp"
#include "deck/read.hpp"
#include "models/image/image_batch.hpp"
#include "models/image/image_data.hpp"
#include "models/image/image_split.hpp"

namespace rankine::models {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Numbers = std::vector<std::int64_t>;

class ImageFiles : public files::ScratchFolder {
 protected:
  template <class T>
  std::string write(const std::string& name, const std::string& type, const Numbers& shape,
                    const std::vector<T>& values, const std::string& fortran_order = "False") {
    const std::string path = (folder_ / name).string();
    const std::string axes = fmt::format("({},)", fmt::join(shape, ", "));
    std::ofstream(path, std::ios::binary)
        << npy_of(npy_dictionary(type, axes, fortran_order), bytes_of(values));
    return path;
  }
  std::string write_labels(const Numbers& labels, const std::string& name = "labels.npy") {
    return write<std::int64_t>(name, "<i8", {std::ssize(labels)}, labels);
  }

  /// `classes` classes in turns, images of 1 x 2 x 2.
  DataOptions classes_in_turns(std::int64_t images, std::int64_t classes) {
    Numbers labels;
    for (std::int64_t n = 0; n < images; ++n) labels.push_back(n % classes);
    DataOptions options;
    options.images =
        write("images.npy", "|u1", {images, 2, 2}, bytes(static_cast<std::size_t>(4 * images)));
    options.labels = write_labels(labels);
    return options;
  }

  static std::vector<std::uint8_t> bytes(std::size_t count) {
    std::vector<std::uint8_t> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>(i * 37 + i / 256);
    return values;
  }
  static std::vector<float> as_floats(const std::vector<std::uint8_t>& values) {
    std::vector<float> numbers;
    for (const std::uint8_t value : values) numbers.push_back(static_cast<float>(value) / 255.0f);
    return numbers;
  }
};

Numbers counted_to(std::int64_t count) {
  Numbers numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

torch::Tensor all_of(const ImageSet& set, torch::ScalarType type = torch::kFloat32) {
  return make_batch(set, counted_to(set.size()), type).inputs;
}

template <class Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::string refusal_of(const DataOptions& options, DataUse use = DataUse::scoring,
                       const ClassifierSize& network = {}) {
  return refusal([&] { read_image_data(options, use, network); });
}

TEST_F(ImageFiles, BytesAndNumbersGiveEqualBatches) {
  const auto values = bytes(4 * 3 * 5 * 6);
  DataOptions options;
  options.labels = write_labels({0, 1, 2, 1});
  options.mean = {0.485, 0.456, 0.406};
  options.std = {0.229, 0.224, 0.225};
  options.images = write("bytes.npy", "|u1", {4, 3, 5, 6}, values);
  const ImageData as_bytes = read_image_data(options, DataUse::scoring);
  options.images = write("floats.npy", "<f4", {4, 3, 5, 6}, as_floats(values));
  const ImageData as_numbers = read_image_data(options, DataUse::scoring);
  for (const auto type : {torch::kFloat32, torch::kFloat64})
    EXPECT_TRUE(torch::equal(all_of(as_bytes.test, type), all_of(as_numbers.test, type)));
  EXPECT_TRUE(std::holds_alternative<std::vector<std::uint8_t>>(as_bytes.test.images.values));
  EXPECT_EQ(as_bytes.classes, 3);
  EXPECT_EQ(as_bytes.test.classes(), 3);

  const Batch batch = make_batch(as_bytes.test, Numbers{2, 0});
  EXPECT_EQ(batch.inputs.sizes(), (torch::IntArrayRef{2, 3, 5, 6}));
  EXPECT_EQ(batch.targets[0].item<std::int64_t>(), 2);
  EXPECT_EQ(batch.targets[1].item<std::int64_t>(), 0);
  const double pixel = values[((2 * 3 + 1) * 5 + 4) * 6 + 5] / 255.0;
  EXPECT_NEAR(batch.inputs[0][1][4][5].item<double>(), (pixel - 0.456) / 0.224, 1e-6);
}

TEST_F(ImageFiles, LayoutsOfTheSameImagesAreOne) {
  const auto first = bytes(2 * 3 * 4 * 5);  // channels first
  std::vector<std::uint8_t> last(first.size());
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t p = 0; p < 20; ++p) last[(n * 20 + p) * 3 + c] = first[(n * 3 + c) * 20 + p];
  const ImageArray nchw =
      read_images(write("nchw.npy", "|u1", {2, 3, 4, 5}, first), ImageLayout::nchw);
  const ImageArray nhwc =
      read_images(write("nhwc.npy", "|u1", {2, 4, 5, 3}, last), ImageLayout::nhwc);
  EXPECT_EQ(nchw.shape, nhwc.shape);
  EXPECT_EQ(nchw.values, nhwc.values);

  const ImageArray with_axis =
      read_images(write("n1hw.npy", "|u1", {6, 1, 4, 5}, first), ImageLayout::nchw);
  const std::string without_axis = write("nhw.npy", "|u1", {6, 4, 5}, first);
  for (const ImageLayout layout : {ImageLayout::nhw, ImageLayout::nchw, ImageLayout::nhwc}) {
    const ImageArray plain = read_images(without_axis, layout);
    EXPECT_EQ(plain.shape, with_axis.shape);
    EXPECT_EQ(plain.values, with_axis.values);
  }
}

TEST_F(ImageFiles, WhatIsNoImageIsRefused) {
  const auto of_images = [](const std::string& path, ImageLayout layout = ImageLayout::nchw) {
    return refusal([&] { read_images(path, layout); });
  };
  EXPECT_THAT(of_images(write<float>("a.npy", "<f4", {2, 1, 1, 2}, {0, 1, 3, 255})),
              AllOf(HasSubstr("a pixel of image 1 is 3"), HasSubstr("by 255")));
  EXPECT_THAT(of_images(write<float>("a.npy", "<f4", {1, 1, 1, 2}, {0, NAN})),
              HasSubstr("a pixel of image 0 is nan"));
  EXPECT_THAT(of_images(write<float>("a.npy", "<f4", {1, 1, 1, 2}, {0, -0.5f})),
              AllOf(HasSubstr("is -0.5"), HasSubstr("from 0 to 1")));
  EXPECT_THAT(of_images(write<std::int16_t>("a.npy", "<i2", {1, 1, 1, 2}, {0, 1})),
              HasSubstr("its integers are not uint8"));
  EXPECT_THAT(of_images(write<std::uint8_t>("a.npy", "|u1", {0, 1, 2, 2}, {})),
              HasSubstr("the array is 0 x 1 x 2 x 2"));
  EXPECT_THAT(of_images(write("a.npy", "|u1", {2, 3}, bytes(6))),
              HasSubstr("the array is 2 x 3, and data.layout is \"nchw\""));
  EXPECT_THAT(of_images(write("a.npy", "|u1", {2, 3, 2, 2}, bytes(24)), ImageLayout::nhw),
              HasSubstr("data.layout is \"nhw\""));
}

TEST_F(ImageFiles, LabelsThatDoNotFitAreRefused) {
  DataOptions options = classes_in_turns(4, 2);
  options.labels = write_labels({0, 1, 256, 1});
  EXPECT_THAT(refusal_of(options, DataUse::scoring, {.classes = 10}),
              AllOf(HasSubstr("label 256 of image 2 in"), HasSubstr("10 classes, 0 to 9")));
  options.labels = write_labels({0, -1, 1, 1});
  EXPECT_THAT(refusal_of(options), HasSubstr("label -1 of image 1"));
  options.labels = write_labels({0, 1, 1});
  EXPECT_THAT(refusal_of(options), AllOf(HasSubstr("the array is 3"), HasSubstr("4 images")));
  options.labels = write<float>("floats.npy", "<f4", {4}, {0, 1, 0, 1});
  EXPECT_THAT(refusal_of(options), HasSubstr("floating-point"));
  options.labels = write<std::uint8_t>("bytes.npy", "|u1", {2, 2}, {0, 1, 0, 1});
  EXPECT_THAT(refusal_of(options), HasSubstr("the array is 2 x 2"));
  options.labels = write<std::uint8_t>("bytes.npy", "|u1", {4}, {0, 1, 0, 255});
  EXPECT_THAT(refusal_of(options, DataUse::scoring, {.classes = 10}), HasSubstr("label 255"));
}

TEST_F(ImageFiles, ChannelsOfTheNetworkAreDemanded) {
  DataOptions options;
  options.images = write("gray.npy", "|u1", {2, 4, 4}, bytes(32));
  options.labels = write_labels({0, 1});
  EXPECT_THAT(refusal_of(options, DataUse::scoring, {.channels = 3}),
              AllOf(HasSubstr("gray.npy' have 1 channel"), HasSubstr("the network takes 3")));
  options.images = write("last.npy", "|u1", {2, 4, 4, 3}, bytes(96));
  EXPECT_THAT(refusal_of(options, DataUse::scoring, {.channels = 3}),
              AllOf(HasSubstr("have 4 channels"), HasSubstr("data.layout = \"nhwc\"")));
  options.layout = ImageLayout::nhwc;
  options.mean = {0.5, 0.5};
  EXPECT_THAT(refusal_of(options), HasSubstr("data.mean has 2 numbers (the images have 3"));
}

TEST_F(ImageFiles, WithoutTestImagesAllAreScored) {
  DataOptions options = classes_in_turns(10, 2);
  EXPECT_EQ(read_image_data(options, DataUse::scoring).test.size(), 10);
  options.validation_fraction = 0.4;
  const ImageData parted = read_image_data(options, DataUse::scoring);
  EXPECT_EQ(parted.test.size(), 6);
  EXPECT_EQ(parted.validation.size(), 4);
  EXPECT_EQ(parted.training.size(), 0);

  DataOptions test_only;
  test_only.test_images = options.images;
  test_only.test_labels = options.labels;
  test_only.images = "is not read";
  EXPECT_EQ(read_image_data(test_only, DataUse::scoring).test.size(), 10);
}

TEST_F(ImageFiles, FractionsTakeOfEveryClassAlike) {
  DataOptions options = classes_in_turns(60, 3);
  options.test_fraction = 0.25;
  options.validation_fraction = 0.2;
  const ImageData data = read_image_data(options, DataUse::training);
  const auto of_class = [](const ImageSet& set, std::int64_t label) {
    return std::ranges::count(set.labels, label);
  };
  for (std::int64_t label = 0; label < 3; ++label) {
    EXPECT_EQ(of_class(data.test, label), 5);
    EXPECT_EQ(of_class(data.validation, label), 3);
    EXPECT_EQ(of_class(data.training, label), 12);
  }
  options.training_images = 20;
  const ImageData fewer = read_image_data(options, DataUse::training);
  EXPECT_EQ(fewer.training.size(), 20);
  for (std::int64_t label = 0; label < 3; ++label)
    EXPECT_NEAR(static_cast<double>(of_class(fewer.training, label)), 20 / 3.0, 0.7);
}

TEST(ImageSplit, DrawsFollowFromTheSeedAndAreNested) {
  const Numbers labels{0, 0, 0, 0, 1, 1, 1, 1, 1, 1};
  const Numbers all = counted_to(10);
  const auto half = draw_fraction(all, labels, 0.5, 1, DrawnFor::test);
  EXPECT_EQ(half, draw_fraction(all, labels, 0.5, 1, DrawnFor::test));
  EXPECT_EQ(half.size(), 5u);
  const auto small = draw_count(all, labels, 4, 1, DrawnFor::training);
  const auto large = draw_count(all, labels, 7, 1, DrawnFor::training);
  EXPECT_TRUE(std::ranges::includes(large, small));
  EXPECT_EQ(draw_count(all, labels, 10, 1, DrawnFor::training), all);
  std::set<Numbers> different;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    different.insert(draw_fraction(all, labels, 0.5, seed, DrawnFor::test));
  EXPECT_GT(different.size(), 10u);
}

TEST_F(ImageFiles, SplitsAreMasksOrNumbers) {
  DataOptions options = classes_in_turns(6, 2);
  options.test_split = write<std::uint8_t>("mask.npy", "|b1", {6}, {0, 1, 0, 0, 1, 0});
  EXPECT_THAT(read_image_data(options, DataUse::scoring).test.labels, ElementsAre(1, 0));
  const ImageData data = read_image_data(options, DataUse::training);
  EXPECT_THAT(data.training.labels, ElementsAre(0, 0, 1, 1));
  options.test_split = write<std::int32_t>("numbers.npy", "<i4", {3}, {5, 0, 3});
  EXPECT_THAT(read_image_data(options, DataUse::scoring).test.labels, ElementsAre(0, 1, 1));
  const auto of_numbers = [&](const std::vector<std::int64_t>& numbers) {
    options.test_split = write("numbers.npy", "<i8", {std::ssize(numbers)}, numbers);
    return refusal_of(options);
  };
  EXPECT_THAT(of_numbers({0, 6}), HasSubstr("it holds 6"));
  EXPECT_THAT(of_numbers({0, -1}), HasSubstr("it holds -1"));
  EXPECT_THAT(of_numbers({4, 4}), HasSubstr("it holds 4 more than once"));
  EXPECT_THAT(of_numbers({0, 0, 0, 0, 0, 0}), HasSubstr("the test split is empty"));
  options.validation_split = write<std::int64_t>("validation.npy", "<i8", {2}, {2, 3});
  options.test_split = write<std::int64_t>("numbers.npy", "<i8", {2}, {1, 3});
  EXPECT_THAT(refusal_of(options), HasSubstr("image 3 of"));
}

TEST_F(ImageFiles, EmptyClassesAndSplitsAreRefusedByName) {
  DataOptions options = classes_in_turns(6, 2);
  EXPECT_THAT(refusal_of(options, DataUse::training, {.classes = 4}),
              AllOf(HasSubstr("class 2 has no training image"), HasSubstr("4 classes, 0 to 3")));
  options.test_split = write<std::uint8_t>("mask.npy", "|u1", {6}, {0, 1, 0, 1, 0, 1});
  EXPECT_THAT(refusal_of(options, DataUse::training), HasSubstr("class 1 has no training image"));
  options.test_split.clear();
  options.test_fraction = 0.1;
  EXPECT_THAT(refusal_of(options), HasSubstr("there is no test image"));
  options.test_fraction = 0;
  options.validation_fraction = 0.1;
  EXPECT_THAT(refusal_of(options), HasSubstr("there is no validation image"));
  options.validation_fraction = 0;
  options.training_images = 7;
  EXPECT_THAT(refusal_of(options, DataUse::training), HasSubstr("data.training_images = 7"));
  options.training_images = 1;
  EXPECT_THAT(refusal_of(options, DataUse::training), HasSubstr("class 1 has no training image"));
  options.training_images = 0;
  options.good_class = 2;
  EXPECT_THAT(refusal_of(options),
              HasSubstr("data.good_class = 2 is no class (2 classes, 0 to 1)"));
  options.good_class = -1;
  options.test_images = write("large.npy", "|u1", {2, 3, 3}, bytes(18));
  options.test_labels = write_labels({0, 1}, "test_labels.npy");
  EXPECT_THAT(refusal_of(options, DataUse::training), HasSubstr("are 1 x 3 x 3, those in"));
}

TEST_F(ImageFiles, NoiseBelongsToAnImageNotToItsSet) {
  DataOptions options;
  options.images = write("images.npy", "|u1", {40, 16, 16}, bytes(40 * 256));
  Numbers labels;
  for (std::int64_t n = 0; n < 40; ++n) labels.push_back(n % 2);
  options.labels = write_labels(labels);
  const torch::Tensor clean = all_of(read_image_data(options, DataUse::scoring).test);
  options.noise = 0.1;
  const torch::Tensor noisy = all_of(read_image_data(options, DataUse::scoring).test);
  const torch::Tensor noise = (noisy - clean) / 0.1;
  EXPECT_NEAR(noise.mean().item<double>(), 0, 0.05);
  EXPECT_NEAR(noise.std().item<double>(), 1, 0.03);
  EXPECT_LT(noise.abs().max().item<double>(), 6);
  EXPECT_GT((noise[0] - noise[1]).abs().max().item<double>(), 1);
  options.test_split = write<std::int64_t>("numbers.npy", "<i8", {2}, {7, 31});
  const torch::Tensor some = all_of(read_image_data(options, DataUse::scoring).test);
  EXPECT_TRUE(torch::equal(some[0], noisy[7]));
  EXPECT_TRUE(torch::equal(some[1], noisy[31]));
}

std::string deck_refusal(const std::string& text) {
  DataOptions options;
  deck::Schema schema;
  declare_data(schema, options);
  return refusal([&] { deck::read_text(schema, "[data]\n" + text, "deck.toml"); });
}

TEST(DataOptions, KeywordsThatContradictAreRefused) {
  EXPECT_THAT(deck_refusal("images = 'a.npy'"),
              HasSubstr("data.images is set without data.labels"));
  EXPECT_THAT(deck_refusal("test_labels = 'a.npy'"),
              HasSubstr("data.test_labels is set without data.test_images"));
  EXPECT_THAT(deck_refusal("images = 'a'\nlabels = 'b'\ntest_split = 'c'\ntest_fraction = 0.1"),
              HasSubstr("data.test_split and data.test_fraction are both set"));
  EXPECT_THAT(deck_refusal("validation_fraction = 0.1"), HasSubstr("data.images is not set"));
  EXPECT_THAT(deck_refusal("mean = [125.0]"), HasSubstr("data.mean"));
  EXPECT_THAT(deck_refusal("std = 0.0"), HasSubstr("data.std"));
  EXPECT_THAT(deck_refusal("layout = 'chwn'"), HasSubstr("data.layout"));
}

TEST(Augmentation, DependsOnSeedEpochAndImageAlone) {
  const torch::Tensor images = torch::rand({6, 3, 8, 9});
  const Augmentation how{.crop = 2, .is_flipped = true, .seed = 5};
  const Numbers numbers{3, 1, 4, 15, 9, 2};
  const torch::Tensor whole = augment(images, numbers, how, 7);
  for (std::size_t n = 0; n < numbers.size(); ++n) {
    const auto row = static_cast<std::int64_t>(n);
    EXPECT_TRUE(torch::equal(augment(images.narrow(0, row, 1), Numbers{numbers[n]}, how, 7)[0],
                             whole[row]));
  }
  EXPECT_FALSE(torch::equal(augment(images, numbers, how, 8), whole));
  EXPECT_TRUE(torch::equal(augment(images, numbers, {}, 7), images));
}

TEST(Augmentation, ShiftsIntoZerosAndMirrors) {
  const torch::Tensor image = torch::rand({1, 2, 5, 5}, torch::kFloat64) + 1;
  const torch::Tensor padded = torch::constant_pad_nd(image, {1, 1, 1, 1}, 0);
  std::set<int> seen;
  for (std::int64_t number = 0; number < 300; ++number) {
    const torch::Tensor view =
        augment(image, Numbers{number}, {.crop = 1, .is_flipped = true, .seed = 2}, 0);
    for (int choice = 0; choice < 18; ++choice) {
      torch::Tensor expected =
          padded.narrow(2, choice % 3, 5).narrow(3, choice / 3 % 3, 5).contiguous();
      if (choice >= 9) expected = expected.flip(3);
      if (torch::equal(view, expected)) seen.insert(choice);
    }
  }
  EXPECT_EQ(seen.size(), 18u);
}

}  // namespace
}  // namespace rankine::models
