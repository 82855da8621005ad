#include "models/image/image_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "core/random_stream.hpp"
#include "core/text_format.hpp"
#include "files/npy.hpp"

namespace rankine::models {

namespace {

bool is_mask(const std::vector<std::int64_t>& values, std::int64_t count) {
  return std::ssize(values) == count &&
         std::ranges::all_of(values, [](std::int64_t v) { return v == 0 || v == 1; });
}

ImageNumbers numbers_of_mask(const std::vector<std::int64_t>& mask) {
  ImageNumbers numbers;
  for (std::int64_t n = 0; n < std::ssize(mask); ++n)
    if (mask[static_cast<std::size_t>(n)] == 1) numbers.push_back(n);
  return numbers;
}

/// The images of each class in an order of their own.
std::map<std::int64_t, ImageNumbers> shuffled_classes(const ImageNumbers& numbers,
                                                      std::span<const std::int64_t> labels,
                                                      std::uint64_t seed, DrawnFor purpose) {
  std::map<std::int64_t, ImageNumbers> classes;
  for (const std::int64_t number : numbers)
    classes[labels[static_cast<std::size_t>(number)]].push_back(number);
  for (auto& [label, members] : classes)
    RandomStream({seed, static_cast<std::uint64_t>(purpose), static_cast<std::uint64_t>(label)})
        .shuffle(std::span(members));
  return classes;
}

/// The first `count` of a class.
void take(const ImageNumbers& members, std::int64_t count, ImageNumbers& taken) {
  taken.insert(taken.end(), members.begin(), members.begin() + count);
}

}  // namespace

ImageNumbers read_split(const std::string& path, std::int64_t count) {
  const files::NpyIntegers array = files::read_npy_integers(path);
  const auto refuse = [&](const std::string& reason) {
    throw InputError(fmt::format(
        "Cannot use the split in '{}' ({}). Save zero or one for each of the {}, or the numbers of "
        "some of them, each once.",
        path, reason, counted(count, "image")));
  };
  if (array.shape.size() != 1) refuse(fmt::format("it has {} axes", array.shape.size()));
  if (is_mask(array.values, count)) return numbers_of_mask(array.values);
  ImageNumbers numbers = array.values;
  std::ranges::sort(numbers);
  if (!numbers.empty() && numbers.front() < 0) refuse(fmt::format("it holds {}", numbers.front()));
  if (!numbers.empty() && numbers.back() >= count)
    refuse(fmt::format("it holds {}", numbers.back()));
  const auto twice = std::ranges::adjacent_find(numbers);
  if (twice != numbers.end()) refuse(fmt::format("it holds {} more than once", *twice));
  return numbers;
}

ImageNumbers draw_fraction(const ImageNumbers& numbers, std::span<const std::int64_t> labels,
                           double fraction, std::uint64_t seed, DrawnFor purpose) {
  ImageNumbers drawn;
  for (const auto& [label, members] : shuffled_classes(numbers, labels, seed, purpose)) {
    const double share = std::floor(fraction * static_cast<double>(members.size()) + 0.5);
    take(members, static_cast<std::int64_t>(share), drawn);
  }
  std::ranges::sort(drawn);
  return drawn;
}

ImageNumbers draw_count(const ImageNumbers& numbers, std::span<const std::int64_t> labels,
                        std::int64_t count, std::uint64_t seed, DrawnFor purpose) {
  RANKINE_EXPECTS(count <= std::ssize(numbers), "there are as many images as are drawn");
  const auto classes = shuffled_classes(numbers, labels, seed, purpose);
  // In turns: the n-th image of every class that has one, before the next of any.
  ImageNumbers drawn;
  for (std::size_t turn = 0; std::ssize(drawn) < count; ++turn)
    for (const auto& [label, members] : classes)
      if (turn < members.size() && std::ssize(drawn) < count) drawn.push_back(members[turn]);
  std::ranges::sort(drawn);
  return drawn;
}

ImageNumbers without(const ImageNumbers& numbers, const ImageNumbers& taken) {
  ImageNumbers rest;
  std::ranges::set_difference(numbers, taken, std::back_inserter(rest));
  return rest;
}

}  // namespace rankine::models
