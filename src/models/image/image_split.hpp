// Which images are for what: splits by file or drawn at random, every class alike. The same on all
// ranks and with every standard library.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rankine::models {

/// Numbers of images, ascending.
using ImageNumbers = std::vector<std::int64_t>;

/// A .npy file that chooses some of `count` images: zero or one for each, or the numbers of the
/// images, each once. Throws InputError, naming the file.
ImageNumbers read_split(const std::string& path, std::int64_t count);

/// What the images of a draw are for; tells draws of one seed apart.
enum class DrawnFor : std::uint64_t { test = 1, validation = 2, training = 3, calibration = 4 };

/// From `numbers`, whose images have `labels[number]`: of each class the fraction, to the nearest
/// whole number.
ImageNumbers draw_fraction(const ImageNumbers& numbers, std::span<const std::int64_t> labels,
                           double fraction, std::uint64_t seed, DrawnFor purpose);

/// `count` of them, at most as many as there are: of each class as many as of the others, as far as
/// there are. A smaller draw of the same seed is part of a larger one.
ImageNumbers draw_count(const ImageNumbers& numbers, std::span<const std::int64_t> labels,
                        std::int64_t count, std::uint64_t seed, DrawnFor purpose);

/// Those of `numbers` that are not in `taken`.
ImageNumbers without(const ImageNumbers& numbers, const ImageNumbers& taken);

}  // namespace rankine::models
